"""One mutant against the tests that reach its line, in a child of its own.

The child is forked from a process that has the libraries loaded and nothing of ours, so the mutant
is in place before anything imports the core. What it says is its exit code.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).resolve().parents[2]
_HEAVY = (
    "pytest", "_pytest.doctest", "hypothesis", "hypothesis.strategies", "numpy", "scipy.stats",
    "scipy.optimize", "pydantic", "yaml", "jinja2", "click", "rich.console", "sqlalchemy",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
)  # fmt: skip
WORDS = (
    "-x", "-q", "--tb=line", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore",
    "--assert=plain",  # its rewriting would load our modules by itself, the mutant among them
)  # fmt: skip
_MEMORY_BYTES = 6 << 30
_STANDING = 8  # times as long by the clock as of the processor: a busy machine is no endless loop


class Fate(StrEnum):
    KILLED = "killed"
    TIMEOUT = "timeout"  # it ends no more: a kill as well
    SURVIVED = "survived"
    UNREACHED = "unreached"  # no test runs its line
    UNSOUND = "unsound"  # its tests fail without it, too: they show nothing of it


KILLS = frozenset({Fate.KILLED, Fate.TIMEOUT})
Told = tuple[Fate, tuple[str, ...] | None]
"""With the fate, the tests that had begun; None: not known."""


def preload() -> None:
    """What every child needs, and nothing of ours."""
    for name in _HEAVY:
        with suppress(ImportError):
            importlib.import_module(name)
    mine = [name for name in sys.modules if name.split(".")[0] in {"harness", "reports", "load"}]
    if mine:
        raise RuntimeError(f"{mine[0]} is loaded already: no mutant could take its place")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves one module from a tree; the rest comes from where it always comes from."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self._name, self._path, self._tree = name, path, tree

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        inner = [str(self._path.parent)] if self._path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            fullname, self._path, loader=self, submodule_search_locations=inner
        )

    def exec_module(self, module: ModuleType) -> None:
        exec(self.get_code(), module.__dict__)

    def get_code(self) -> CodeType:
        return compile(self._tree, str(self._path), "exec")


def tried(
    name: str,
    path: Path,
    tree: ast.Module,
    tests: Sequence[str],
    *,
    within_s: float,
    scratch: Path,
    nothing: bool = False,
) -> Told:
    """Run `tests` with that module in the place of `name`; `nothing`: only collect them.

    `within_s` of the processor's time. With the fate, the tests that had begun; None: not known.
    """
    if not tests:
        return Fate.UNREACHED, None
    told = scratch.with_name(f"{scratch.name}-begun")
    told.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        _as_child(_Finder(name, path, tree), tests, scratch, _Begun(told, nothing), within_s)
    return told_of(child, told, within_s)


def told_of(child: int, told: Path, within_s: float) -> Told:
    """How the child ended, and the tests that it wrote down as begun."""
    code = _ended(child, _STANDING * within_s)
    begun = tuple(told.read_text().splitlines()) if told.exists() else ()
    if code in {None, -signal.SIGXCPU}:
        return Fate.TIMEOUT, begun
    return (Fate.SURVIVED if code == 0 else Fate.KILLED), begun


def held_against_itself(
    tests: Sequence[str], run: Callable[[bool, Sequence[str]], Told], sound: set[str]
) -> Fate:
    """A kill is one only where the same tests, in such a child, pass on the module as it is.

    Only those up to the one that failed: what stands behind it has not run on the mutant either.
    `run`: these tests, changed or not; without a test, whether they can be collected.
    `sound`: those that have passed on this module before.
    """
    fate, begun = run(True, tests)
    if fate not in KILLS or (begun and sound.issuperset(begun)):
        return fate
    alone, ran = run(False, tests if begun is None else begun)
    if alone is Fate.SURVIVED:
        sound |= set(ran or ())
    return fate if alone is Fate.SURVIVED else Fate.UNSOUND


class _Begun:
    """A pytest plugin: writes down each test that begins; `nothing` leaves none to begin."""

    def __init__(self, told: Path, nothing: bool) -> None:
        self.nothing, self._told = nothing, told

    def pytest_collection_modifyitems(self, items: list[object]) -> None:
        if self.nothing:
            items.clear()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        with self._told.open("a") as stream:
            stream.write(f"{nodeid}\n")


def _ended(child: int, within_s: float) -> int | None:
    """The child's exit code, or None when it had to be ended."""
    deadline = time.monotonic() + within_s
    pause_s = 0.01
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause_s)
        pause_s = min(0.1, pause_s * 1.2)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _as_child(
    finder: _Finder, tests: Sequence[str], scratch: Path, begun: _Begun, within_s: float
) -> None:
    code = 70
    try:
        confined(within_s)
        sys.dont_write_bytecode = True
        sys.meta_path.insert(0, finder)
        quick_hypothesis()
        import pytest

        code = int(pytest.main([*WORDS, f"--basetemp={scratch}", *tests], plugins=[begun]))
        if begun.nothing and code == pytest.ExitCode.NO_TESTS_COLLECTED:
            code = 0  # the mutant failed before any test began: this one did not
    except BaseException:  # noqa: BLE001  whatever it is, the mutant brought it about
        code = 71
    finally:
        os._exit(code)


def confined(within_s: float) -> None:
    """A group of its own, nothing to say, and so much memory and processor's time."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (round(within_s), round(within_s) + 5))
    nowhere = os.open(os.devnull, os.O_RDWR)
    if not os.environ.get("PEAKDRILL_MUTANT_TALKS"):
        for fd in (0, 1, 2):
            os.dup2(nowhere, fd)


def quick_hypothesis() -> None:
    """The same examples every time, and no search for the smallest: it is enough that one fails."""
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutation")
