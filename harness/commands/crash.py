"""Where the traceback of an unexpected error is kept: readable by its owner alone."""

from __future__ import annotations

import os
import time
import traceback
from pathlib import Path


def state_folder() -> Path:
    """$PEAKDRILL_HOME, else XDG_STATE_HOME/peakdrill, else ~/.local/state/peakdrill."""
    home = os.environ.get("PEAKDRILL_HOME")
    if home:
        return Path(home)
    xdg = os.environ.get("XDG_STATE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".local" / "state") / "peakdrill"


def save_traceback(error: BaseException) -> str:
    """The path of the log, or "" where none can be written."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    try:
        folder = state_folder() / "errors"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / f"{stamp}-{os.getpid()}.log"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            traceback.print_exception(error, file=stream)
    except (OSError, RuntimeError):  # no home, no room: the message alone must do
        return ""
    return str(file)
