"""A process that outlives the harness and its experiment, and undoes what they held.

For what only this machine can undo: the owner's command that gives a node its power back runs
here. It watches a file that the living holder touches. When that is touched no more, the holder is
dead, or stands still, and the undo is played from the journal; when the entry is gone, it was
undone, and the watchdog ends. With the whole machine it dies, too: then only what is kept in the
cluster is undone by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from harness.errors import FaultError, PeakdrillError
from harness.faults import undo
from harness.faults.journal import Entry

LOG = "watchdog.log"
_BEAT, _WATCHED = ".beat", ".watched"
_READY_S = 30.0  # an interpreter's start on a busy machine
_POLL_S = 0.2
_AGAIN_S, _TRIES = 5.0, 120


def start(entry: Entry, lease_s: float) -> None:
    """Returns when it watches. Raises FaultError where it does not."""
    folder = entry.file.parent
    try:
        _touch(entry.file.with_suffix(_BEAT))
        with (folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(entry.file), f"{lease_s:g}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,  # no signal to our group, and no closed terminal, ends it
            )
    except OSError as error:
        raise FaultError(f"no watchdog can be started: {error}; nothing was broken") from error
    deadline = time.monotonic() + _READY_S
    while not entry.file.with_suffix(_WATCHED).exists():
        if process.poll() is not None or time.monotonic() >= deadline:
            process.kill()
            raise FaultError(
                "no watchdog watches over the undo: nothing was broken",
                next_step=f"read its own words in {folder / LOG}",
            )
        beat(entry)
        time.sleep(_POLL_S / 4)


def beat(entry: Entry) -> bool:
    """The holder lives. False where the entry is gone: somebody has undone it."""
    if not entry.file.exists():
        return False
    _touch(entry.file.with_suffix(_BEAT))
    return True


def watch(file: Path, lease_s: float) -> int:
    """Until the entry is gone. The exit code is 5 where it could not be undone."""
    beat_file, watched = file.with_suffix(_BEAT), file.with_suffix(_WATCHED)
    watched.write_text(str(os.getpid()), encoding="utf-8")
    try:
        if not _runs_out(file, beat_file, lease_s):
            return 0
        print(f"{file.name}: not renewed for {lease_s:g} s: undone from here", flush=True)
        return _undo(file)
    finally:
        for left in (beat_file, watched):
            left.unlink(missing_ok=True)


def _runs_out(file: Path, beat_file: Path, lease_s: float) -> bool:
    """False when the entry is gone first."""
    known, since_s = _mtime(beat_file), time.monotonic()
    while file.exists():
        now_s, told = time.monotonic(), _mtime(beat_file)
        if told != known:
            known, since_s = told, now_s
        elif now_s - since_s >= lease_s:
            return True
        time.sleep(_POLL_S)
    return False


def _undo(file: Path) -> int:
    """Again and again: an owner's command may fail, and be mended."""
    from harness.platforms.find import platform_at

    directory = file.parent.parent
    for _ in range(_TRIES):
        if not file.exists():
            return 0
        try:
            platform = platform_at(directory)
            for what in undo.replay(platform, spare=lambda entry: entry.file.name != file.name):
                print(f"undone: {what}", flush=True)
        except Exception as error:  # noqa: BLE001  nobody else is left who could undo it
            told = error.what if isinstance(error, PeakdrillError) else repr(error)
            print(f"not undone yet: {told}", flush=True)
        if file.exists():
            time.sleep(_AGAIN_S)
    return 0 if not file.exists() else FaultError.exit_code


def _touch(file: Path) -> None:
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.utime(fd)
    finally:
        os.close(fd)


def _mtime(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


if __name__ == "__main__":
    sys.exit(watch(Path(sys.argv[1]).absolute(), float(sys.argv[2])))
