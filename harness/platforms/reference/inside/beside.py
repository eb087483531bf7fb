"""A drill and its sidecar in one pod: which of them is there, by a folder that both have.

    open    the sidecar's doors are open
    held    locked by the drill for as long as it lives; the kernel lets go of it, however it dies

A Job ends when all its containers have, and before Kubernetes 1.29 nobody ends a sidecar.

    python3 -m harness.platforms.reference.inside.beside run SCENARIO ...    the drill, beside one
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

_OPEN_S, _POLL_S = 60.0, 0.2
_OURS = 5  # the exit code of what is no verdict
_FOLDER = "PEAKDRILL_BESIDE"


@dataclass(frozen=True, slots=True)
class Beside:
    folder: Path

    def say_open(self) -> None:
        self._open.touch()

    def is_open(self) -> bool:
        return self._open.exists()

    def hold(self) -> int:
        """From here on it is seen that the drill lives. The descriptor survives an exec."""
        unfinished = self.folder / ".held"
        fd = os.open(unfinished, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        unfinished.rename(self._held)  # never seen without its lock
        os.set_inheritable(fd, True)
        return fd

    def is_on(self) -> bool:
        """A drill has begun, and lives."""
        return self._held.exists() and not self._is_free()

    def is_over(self) -> bool:
        """One has begun, and lives no more."""
        return self._held.exists() and self._is_free()

    @property
    def _open(self) -> Path:
        return self.folder / "open"

    @property
    def _held(self) -> Path:
        return self.folder / "held"

    def _is_free(self) -> bool:
        fd = os.open(self._held, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(fd)
        return True


def main(words: Sequence[str]) -> NoReturn:
    """Become the drill once the doors are open."""
    folder = os.environ.get(_FOLDER, "")
    if not folder or not words:
        _refuse(f"{_FOLDER} and the words of a command are needed")
    beside = Beside(Path(folder))
    beside.hold()
    deadline = time.monotonic() + _OPEN_S
    while not beside.is_open():
        if time.monotonic() >= deadline:
            _refuse(f"the doors did not open within {_OPEN_S:g} s: see the sidecar's log")
        time.sleep(_POLL_S)
    os.execv(sys.executable, [sys.executable, "-m", "harness.cli", *words])  # noqa: S606


def _refuse(why: str) -> NoReturn:
    print(f"beside: {why}", file=sys.stderr)
    raise SystemExit(_OURS)


if __name__ == "__main__":
    main(sys.argv[1:])
