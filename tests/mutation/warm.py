"""A mutant of a function, in a child of a process that has everything loaded and collected.

The child is given the function's new code, wherever the function is known by, and runs the tests
that reach it: no import and no collection for each. What the tests made of the core while they were
collected is as the unchanged module made it. What is made when a module is imported (a constant, a
default) cannot be changed so; `trial` serves the whole module for that.
"""

from __future__ import annotations

import ast
import functools
import gc
import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tests.mutation import trial
from tests.mutation.trial import Fate

_INTERRUPTED = 71


def code_of(tree: ast.Module, path: Path, line: int) -> CodeType:
    """The new code of the outermost function that holds that line."""
    whole = compile(tree, str(path), "exec")
    holding = [code for code in _outermost(whole) if line in _lines(code)]
    if len(holding) != 1:
        raise LookupError(f"{path}:{line} stands in {len(holding)} functions")
    return holding[0]


def _outermost(code: CodeType) -> Iterator[CodeType]:
    """Functions of a module and of its classes; a class has a code of its own, run at once."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_flags & 2:  # it has new local names: a function's
                yield inner
            else:
                yield from _outermost(inner)


def _lines(code: CodeType) -> set[int]:
    found = {line for _, _, line in code.co_lines() if line is not None}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found |= _lines(inner)
    return set(range(min(found), max(found) + 1)) if found else set()


class Bench:
    """The collected tests, and every function of the core by its place."""

    def __init__(self, items: Sequence[pytest.Item], scratch: Path) -> None:
        self._items = {item.nodeid: item for item in items}
        self._told = scratch.with_name(f"{scratch.name}-begun")
        self._functions: dict[tuple[str, int, str], list[FunctionType]] = {}
        self._caches: list[functools._lru_cache_wrapper[object]] = []
        for found in gc.get_objects():
            if isinstance(found, FunctionType) and "/harness/core/" in found.__code__.co_filename:
                self._functions.setdefault(_place(found.__code__), []).append(found)
            elif isinstance(found, functools._lru_cache_wrapper):
                self._caches.append(found)
        gc.freeze()  # so that a child's collection touches nothing of it

    def tried(
        self, code: CodeType | None, tests: Sequence[str], *, within_s: float
    ) -> tuple[Fate, tuple[str, ...] | None]:
        """Run `tests` with that code in the place of its function; None: with nothing changed."""
        items = [self._items[name] for name in tests if name in self._items]
        if not items:
            return Fate.UNREACHED, None
        self._told.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            self._as_child(code, items, within_s)
        return trial.told_of(child, self._told, within_s)

    def _as_child(self, code: CodeType | None, items: list[pytest.Item], within_s: float) -> None:
        exit_code = _INTERRUPTED
        try:
            trial.confined(within_s)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if code is not None:
                for function in self._functions[_place(code)]:
                    function.__code__ = code
            for cache in self._caches:
                cache.cache_clear()
            exit_code = _run(items, self._told)
        except BaseException:  # noqa: BLE001  whatever it is, the mutant brought it about
            exit_code = _INTERRUPTED
        finally:
            os._exit(exit_code)


def _place(code: CodeType) -> tuple[str, int, str]:
    return code.co_filename, code.co_firstlineno, code.co_name


def _run(items: list[pytest.Item], told: Path) -> int:
    """0 when all of them pass; 1 at the first that does not."""
    watch = _Watch()
    items[0].config.pluginmanager.register(watch)
    for item, following in zip(items, [*items[1:], None], strict=True):
        with told.open("a") as stream:
            stream.write(f"{item.nodeid}\n")
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if watch.failed:
            return 1
    return 0


class _Watch:
    def __init__(self) -> None:
        self.failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed


class _Instead:
    """A pytest plugin: in the place of running the tests, `work` is done with them."""

    def __init__(self, work: Callable[[Bench], None], scratch: Path) -> None:
        self._work, self._scratch = work, scratch

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._work(Bench(session.items, self._scratch))
        return True


def with_tests(files: Sequence[str], work: Callable[[Bench], None], scratch: Path) -> None:
    """Collect these files' tests once, and do the work."""
    trial.quick_hypothesis()
    sys.dont_write_bytecode = True
    words = [*trial.WORDS, "-s", "-o", "timeout=0", f"--basetemp={scratch}"]
    code = pytest.main([*words, *files], plugins=[_Instead(work, scratch)])
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise RuntimeError(f"the tests could not be collected: pytest says {code}")
