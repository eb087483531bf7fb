"""A node as a thing: launched, found again by any process, killed, stopped.

What identifies a node is on disk (its pid file), so the command that started it may be gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import NotReady, PlatformError
from harness.platforms.embedded import namespace, process, programs
from harness.platforms.embedded.layout import write_atomically, write_private
from harness.platforms.embedded.process import ProcessId

_INIT = Path(__file__).with_name("node_init.py")
# The shell leaves its identity on disk before it becomes unshare: exec keeps pid and start time,
# and no death of ours in between can leave a node that nobody finds.
LAUNCH = (
    'umask 077; cat /proc/$$/stat >"$1.new" && mv "$1.new" "$1" && shift && '
    'exec "$@" </dev/null >>"$0" 2>&1'
)
_DEATH_S = 20.0
_APPEAR_S = 10.0
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Part:
    """One program of a node. Its argument list and environment hold no secret."""

    name: str
    argv: list[str]
    env: dict[str, str]
    folder: str
    log: str
    stop_signal: int = signal.SIGTERM
    after: str = ""  # a file that must be there before the part starts
    once: bool = False  # started once, never again, and not the node's to stop


@dataclass(frozen=True, slots=True)
class Death:
    """The node was alive at the first and gone at the second reading of the monotonic clock."""

    earliest_ns: int
    latest_ns: int


@dataclass(frozen=True, slots=True)
class Node:
    """A set of processes that die together, at `folder`."""

    name: str
    folder: Path

    def define(self, parts: Sequence[Part], *, stop_s: float) -> None:
        """What the node runs; read by its process 1 at each start."""
        spec = {
            "parts": [asdict(part) for part in parts],
            "status": str(self._parts_file),
            "stop_s": stop_s,
            "kept": [str(path) for path in (*programs.needed_folders(), self.folder.parents[1])],
        }
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self._spec_file, json.dumps(spec, indent=1))

    def start(self) -> None:
        """Power on. Harmless when the node runs, and when two do it at once."""
        with self._locked():
            if self.is_dead():
                self._launch()

    def _launch(self) -> None:
        for file in (self._pid_file, self._init_file, self._parts_file, self._postmaster):
            file.unlink(missing_ok=True)
        command = [
            *namespace.as_node(), programs.python(), "-I", "-S", str(_INIT), str(self._spec_file),
        ]  # fmt: skip
        log = self.folder / "node.log"
        launched = subprocess.run(
            ["setsid", "--fork", "sh", "-c", LAUNCH, str(log), str(self._pid_file), *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            cwd=self.folder, env=clean_environment(self.folder), check=False, timeout=20,
        )  # fmt: skip
        if launched.returncode != 0:
            raise PlatformError(f"node {self.name} cannot be launched: {launched.stderr!r}")
        self._await_init(log)

    @property
    def _postmaster(self) -> Path:
        """Where a database that died with its node says who it is.

        A node counts its processes anew, so that number soon is somebody else's; and whoever was
        begun within 3 s of the dead one Patroni takes for it, and starts no database.
        """
        return self.folder / "pgdata" / "postmaster.pid"

    def _await_init(self, log: Path) -> None:
        deadline = time.monotonic() + _APPEAR_S
        while time.monotonic() < deadline:
            if self._parts_file.exists() and (init := self._find_init()):
                write_atomically(self._init_file, json.dumps(asdict(init)))
                return
            if (outer := self._outer()) and not process.is_alive(outer):
                break
            time.sleep(_POLL_S)
        told = log.read_text(encoding="utf-8", errors="replace")[-300:] if log.exists() else ""
        raise NotReady(f"node {self.name} did not come up: {told}", next_step=f"see {log}")

    def identities(self) -> tuple[ProcessId, ...]:
        """Unshare and process 1, those that live."""
        found = {self._outer(), self._find_init(), self._recorded_init()}
        return tuple(p for p in found if p is not None and process.is_alive(p))

    def is_dead(self) -> bool:
        """No process of the node lives. Process 1 ends only after all others."""
        return not self.identities()

    def kill(self) -> Death:
        """Every process dies at once; returns when that was observed."""
        with self._locked():
            earliest_ns = time.monotonic_ns()
            with process.held(self.identities()) as descriptors:
                process.send(descriptors, signal.SIGKILL)
                if not process.await_death(descriptors, _DEATH_S):
                    raise PlatformError(f"node {self.name} did not die within {_DEATH_S:g} s")
            return Death(earliest_ns, time.monotonic_ns())

    def stop(self, within_s: float) -> bool:
        """Ask politely, then kill. Whether it ended by itself."""
        init = self._recorded_init() or self._find_init()
        polite = False
        if init is not None:
            with process.held([init]) as descriptors:
                process.send(descriptors, signal.SIGTERM)
                polite = process.await_death(descriptors, within_s)
        self.kill()
        return polite

    def part_pids(self) -> dict[str, int]:
        """Part -> pid as the host counts; without the parts that are down just now."""
        init = self._recorded_init()
        if init is None or not process.is_alive(init):
            return {}
        try:
            inner = json.loads(self._parts_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        outer = {process.inner_pid(child): child.pid for child in process.children(init.pid)}
        return {
            name: outer[row["pid"]]
            for name, row in inner.items()
            if row["pid"] and row["pid"] in outer
        }

    def all_pids(self) -> tuple[int, ...]:
        """Every process of the node, as the host counts."""
        outer = self._outer()
        if outer is None or not process.is_alive(outer):
            return ()
        return (outer.pid, *(p.pid for p in process.descendants(outer.pid)))

    def _outer(self) -> ProcessId | None:
        return process.from_stat_file(self._pid_file)

    def _find_init(self) -> ProcessId | None:
        outer = self._outer()
        if outer is None or not process.is_alive(outer):
            return None
        return next(iter(process.children(outer.pid)), None)

    def _recorded_init(self) -> ProcessId | None:
        try:
            return ProcessId(**json.loads(self._init_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / "lock").open("a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @property
    def _spec_file(self) -> Path:
        return self.folder / "spec.json"

    @property
    def _parts_file(self) -> Path:
        return self.folder / "parts.json"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "unshare.pid"

    @property
    def _init_file(self) -> Path:
        return self.folder / "init.json"


def clean_environment(home: Path) -> dict[str, str]:
    """Nothing of the caller's environment reaches a part: it may hold secrets and settings."""
    return {
        "PATH": os.pathsep.join([str(Path(programs.python()).parent), "/usr/bin", "/bin"]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(programs.SOURCE_ROOT),
        "PYTHONUNBUFFERED": "1",
    }
