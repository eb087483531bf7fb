"""Process 1 of a database container: Patroni and what stands beside it, one life for all.

A program that ends takes the container with it, and whoever runs the container starts it again:
nothing is restarted inside. The one exception is a hold: while its file is there, the programs
that a hold stops are down and the container stays up, so that their data can be worked on. When
they are down for sure, `held` is there, too.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.platforms.embedded import process
from harness.platforms.embedded.layout import write_private
from harness.platforms.reference.inside.places import Hold
from harness.platforms.reference.inside.running import code_of

_POLL_S, _ENDING_POLL_S = 0.2, 0.02
_CHUNK_BYTES = 1 << 16
_KILLED_S = 10.0
_ENDING = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Program:
    """One of the container's. Argument list and environment hold no secret."""

    name: str
    argv: Callable[[], Sequence[str]]  # asked at each start: its configuration may be written anew
    stops_on_hold: bool = False


@dataclass
class Supervisor:
    """Runs until it is told to end, or a program ends by itself."""

    programs: Sequence[Program]
    hold: Hold
    environ: Mapping[str, str]
    home: Path  # where the programs start, and where the data of what they leave behind is
    left_behind: Path  # a working folder: whatever still runs there is ended with the programs
    log: Path
    stop_s: float = 30.0
    _sink: int = -1
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _asked_to_end: bool = False

    def run(self) -> int:
        """The container's exit code: 0 when it was asked to end."""
        self.hold.held.unlink(missing_ok=True)
        awake = self._listen()
        self._sink = _sink(self.log)
        try:
            while not self._asked_to_end:
                if (ended := self._ended()) is not None:
                    name, code = ended
                    print(f"{name} ended with {code}: so does the container", file=sys.stderr)
                    return code or 1
                self._follow_hold()
                _wait(awake)
        finally:
            self._stop(self.programs)
        return 0

    def _listen(self) -> int:
        """A descriptor that can be read when a signal came."""
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in _ENDING:
            signal.signal(number, self._end)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        return reading

    def _end(self, *_: object) -> None:
        self._asked_to_end = True

    def _follow_hold(self) -> None:
        if not self.hold.asked.exists():
            self.hold.held.unlink(missing_ok=True)
            for program in self.programs:
                self._start(program)
            return
        for program in self.programs:
            if not program.stops_on_hold:
                self._start(program)
        if not self.hold.is_held():
            self._stop([program for program in self.programs if program.stops_on_hold])
            write_private(self.hold.held, "")

    def _start(self, program: Program) -> None:
        if program.name not in self._running:
            self._running[program.name] = subprocess.Popen(
                program.argv(), cwd=self.home, env=dict(self.environ), stdin=subprocess.DEVNULL,
                stdout=self._sink, stderr=self._sink,
            )  # fmt: skip

    def _ended(self) -> tuple[str, int] | None:
        """A program that ended by itself; orphans are buried on the way."""
        found = None
        for name, child in list(self._running.items()):
            if (code := child.poll()) is not None:
                del self._running[name]
                found = (name, code_of(code))
        self._bury()
        return found

    def _stop(self, programs: Sequence[Program]) -> None:
        """In reverse order, politely, then not; and whatever they left behind."""
        for program in reversed(programs):
            if (child := self._running.pop(program.name, None)) is not None:
                self._end_child(program.name, child)
            if program.stops_on_hold:
                end_all_in(self.left_behind)

    def _end_child(self, name: str, child: subprocess.Popen[bytes]) -> None:
        child.terminate()
        deadline = time.monotonic() + self.stop_s
        while child.poll() is None:
            if time.monotonic() > deadline:
                print(f"{name} did not end within {self.stop_s:g} s: killed", file=sys.stderr)
                child.kill()
                child.wait()
            self._bury(child)  # Patroni waits until its PostgreSQL, an orphan of ours, is no more
            time.sleep(_ENDING_POLL_S)

    def _bury(self, *also_ours: subprocess.Popen[bytes]) -> None:
        """The exit codes of orphans; those of our own programs are theirs to ask for."""
        ours = {child.pid for child in (*self._running.values(), *also_ours)}
        for child in process.zombies(os.getpid()):
            if child not in ours and os.getpid() == 1:
                os.waitpid(child, os.WNOHANG)


def end_all_in(folder: Path) -> None:
    """Kill whatever works in a folder, as PostgreSQL does in its data. Raises TimeoutError."""
    found = [them for them in process.everybody() if process.works_in(them, folder)]
    with process.held(found) as descriptors:
        process.send(descriptors, signal.SIGKILL)
        if not process.await_death(descriptors, _KILLED_S):
            raise TimeoutError(f"a process in {folder} does not die")


def _wait(awake: int) -> None:
    if select.select([awake], [], [], _POLL_S)[0]:
        os.read(awake, _CHUNK_BYTES)


def _sink(log: Path) -> int:
    """Where programs write: what arrives goes to our own output, and is kept in a file."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    kept = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def carry() -> None:
        while chunk := os.read(reading, _CHUNK_BYTES):
            for target in (kept, sys.stdout.fileno()):
                os.write(target, chunk)

    threading.Thread(target=carry, daemon=True).start()
    return writing
