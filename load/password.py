"""A password in a file that is replaced while the load runs, when it is renewed.

The file is looked at ten times a second at most, and at once after a refusal. Calls that are sent
in between with the old one are refused, and the ledger says so: that is what a rotation costs.
"""

from __future__ import annotations

import time
from pathlib import Path

LOOK_EVERY_S = 0.1

_Stamp = tuple[int, int, int]


class Password:
    """From a file where there is one, else a fixed text."""

    def __init__(self, text: str = "", file: Path | None = None) -> None:
        self._text, self._file = text, file
        self._seen: _Stamp | None = None
        self._look_s = 0.0
        if file is not None:  # whoever names a file that is not there is told at once
            self._text = file.read_text(encoding="utf-8").strip()

    def now(self) -> str:
        """As the file said within the last tenth of a second."""
        if self._file is not None and time.monotonic() >= self._look_s:
            self._look(self._file)
        return self._text

    def refused(self) -> None:
        """It was not accepted: look again before it is used the next time."""
        self._look_s = 0.0

    def _look(self, file: Path) -> None:
        self._look_s = time.monotonic() + LOOK_EVERY_S
        try:
            found = file.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp != self._seen:
                self._text = file.read_text(encoding="utf-8").strip()
                self._seen = stamp
        except OSError:
            return  # it is being replaced: the old one holds until the next look
