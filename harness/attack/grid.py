"""One class of credential, tried on a fixed grid, each try one line in the log."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.attack.told import Denied, Down
from harness.core.evidence import Use


class Log:
    """Appends whole lines, from several threads: one write each, so that a kill tears none."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def add(self, use: Use) -> None:
        """Raises OSError: an attack that leaves no trace proves nothing, and ends."""
        line = json.dumps(asdict(use), sort_keys=True, separators=(",", ":")).encode() + b"\n"
        if os.write(self._fd, line) != len(line):
            raise OSError("the log of the uses took half a line")

    def close(self) -> None:
        os.fdatasync(self._fd)
        os.close(self._fd)


@dataclass(frozen=True)
class Grid:
    """Try number n of a class is due at `begin_ns` + n / `per_s`.

    A try that outlasts its slot leaves out the ones that it covers; none is made up for.
    """

    credential: str
    use: Callable[[int], str]
    per_s: float
    begin_ns: int
    end_ns: int
    max_tries: int

    def run(self, log: Log, over: threading.Event) -> None:
        """Until the end, the last try, or `over`."""
        period_ns = round(1e9 / self.per_s)
        number = tries = 0
        while tries < self.max_tries:
            due_ns = self.begin_ns + number * period_ns
            if due_ns >= self.end_ns or over.wait((due_ns - time.monotonic_ns()) / 1e9):
                return
            log.add(self._once(number))
            tries += 1
            passed = (time.monotonic_ns() - self.begin_ns) // period_ns
            number = max(number, passed) + 1

    def _once(self, number: int) -> Use:
        begun_ns, accepted = time.monotonic_ns(), False
        try:
            told = self.use(number)
            accepted = True
        except Denied as denied:
            told = f"denied: {denied}"
        except Down as down:
            told = f"down: {down}"
        return Use(self.credential, begun_ns, time.monotonic_ns(), accepted, told)
