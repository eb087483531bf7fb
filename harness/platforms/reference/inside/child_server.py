"""A recovering database as a plain process of ours, found and ended again by any later one.

A container has no room for a node of its own. What stands in for it: the process leaves its
identity on disk before it becomes PostgreSQL, so no death of ours leaves one that nobody finds;
and a pid is believed only together with the time at which its process started.
"""

from __future__ import annotations

import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import namespace, process
from harness.platforms.embedded.node import LAUNCH, Part
from harness.platforms.embedded.process import ProcessId

_DEATH_S = 20.0


@dataclass
class ChildServer:
    """One at a time, at `folder`."""

    folder: Path
    _signal: signal.Signals = signal.SIGTERM
    _ours: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, part: Part) -> None:
        """Raises PlatformError where one runs."""
        if self._main() is not None:
            raise PlatformError(f"{part.name} runs in {self.folder} already")
        self._signal = signal.Signals(part.stop_signal)
        words = [*namespace.as_user(), *part.argv]
        self._ours.append(
            subprocess.Popen(
                ["sh", "-c", LAUNCH, part.log, str(self._pid_file), *words],
                stdin=subprocess.DEVNULL, cwd=part.folder, env=part.env, start_new_session=True,
            )
        )  # fmt: skip

    def stop(self, within_s: float) -> bool:
        """Ask by its own signal, wait, then kill. Whether it ended by itself."""
        polite, family = False, self._family()
        with process.held(family[:1]) as main:
            process.send(main, self._signal)
            polite = bool(main) and process.await_death(main, within_s)
        self._kill(family)
        return polite

    def kill(self) -> None:
        """Whoever began it. Harmless where nothing runs."""
        for child in self._ours:  # also one that has yet to leave its identity
            if child.poll() is None and self._main() is None:
                child.kill()
        self._kill(self._family())

    def _kill(self, family: tuple[ProcessId, ...]) -> None:
        """The server first, so that it starts nobody anew; all of them seen to be dead."""
        with process.held(family) as descriptors:
            process.send(descriptors, signal.SIGKILL)
            if not process.await_death(descriptors, _DEATH_S):
                raise PlatformError(f"the server in {self.folder} did not die")
        for child in self._ours:
            child.wait()
        self._ours.clear()

    def _family(self) -> tuple[ProcessId, ...]:
        main = self._main()
        return () if main is None else (main, *process.descendants(main.pid))

    def _main(self) -> ProcessId | None:
        found = process.from_stat_file(self._pid_file)
        return found if found is not None and process.is_alive(found) else None

    @property
    def _pid_file(self) -> Path:
        return self.folder / "server.pid"
