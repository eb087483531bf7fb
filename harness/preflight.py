"""Guards before the start: what is missing is refused while nothing has been touched.

May not live here: repairs. A guard only looks, and says what to do next.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from pathlib import Path

from harness.errors import Refused

MEGABYTE = 1024 * 1024
SMOKE_NEEDS_BYTES = 200 * MEGABYTE
FULL_NEEDS_BYTES = 600 * MEGABYTE
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def refuse_full_disk(folder: Path, needed_bytes: int) -> None:
    """Refuse unless `folder` can be made, written to, and has room. Leaves no file behind."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free >= needed_bytes:
            _write_once(folder)
    except OSError as error:
        if error.errno in FULL_DISK:
            raise _full(folder, 0, needed_bytes) from error
        raise Refused(
            f"cannot write to {folder}: {error.strerror}",
            next_step="name another folder with --out",
        ) from error
    if free < needed_bytes:
        raise _full(folder, free, needed_bytes)


def _write_once(folder: Path) -> None:
    """A quota or a file size limit shows only when one writes."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(MEGABYTE))
        probe.flush()


def _full(folder: Path, free: int, needed: int) -> Refused:
    return Refused(
        f"the disk is full: {folder} has room for {free // MEGABYTE} MB, "
        f"and a run needs {needed // MEGABYTE} MB",
        next_step="free some space, or name another folder with --out",
    )
