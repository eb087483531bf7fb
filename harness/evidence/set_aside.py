"""Rows set aside by the stretch of keys that they belong to, in a file that has no name.

What a portion of a run needs may stand anywhere in the evidence: its rows are put where it can find
them again, in the order in which they came. Few rows stay in memory. The file has no name from the
begin on, so whoever dies leaves nothing behind, and a run directory is never changed.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.core.operations import type_i64
from harness.errors import Refused

IN_MEMORY_BYTES = 4 << 20


class SetAside:
    """Rows of one dtype, by stretch."""

    def __init__(self, dtype: np.dtype[np.void], beside: Path) -> None:
        self._dtype = dtype
        place = str(beside) if os.access(beside, os.W_OK) else None
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES, dir=place)  # noqa: SIM115
        weakref.finalize(self, self._file.close)  # its space on the disk goes when the rows do
        self._end = 0
        self._parts: dict[int, list[tuple[int, int]]] = {}

    @property
    def stretches(self) -> list[int]:
        """Those that have rows, rising."""
        return sorted(self._parts)

    def add(self, rows: npt.NDArray[np.void], stretch: type_i64) -> None:
        """More rows, and the stretch of each."""
        if not len(rows):
            return
        if (stretch[1:] < stretch[:-1]).any():
            order = np.argsort(stretch, kind="stable")
            rows, stretch = rows[order], stretch[order]
        begins = np.flatnonzero(np.concatenate([[True], stretch[1:] != stretch[:-1]]))
        ends = np.append(begins[1:], len(rows))
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            part = (self._end + begin, end - begin)
            self._parts.setdefault(int(stretch[begin]), []).append(part)
        try:
            self._file.seek(self._end * self._dtype.itemsize)
            self._file.write(np.ascontiguousarray(rows).view(np.uint8).data)
        except OSError as error:
            raise _refused(error) from error
        self._end += len(rows)

    def of(self, stretch: int) -> npt.NDArray[np.void]:
        """All rows of one stretch. What was written last may find the disk full only now."""
        parts = self._parts.get(stretch, ())
        found = np.empty(sum(count for _, count in parts), self._dtype)
        end = 0
        try:
            for first, count in parts:
                into = found[end : end + count].view(np.uint8).data
                self._file.seek(first * self._dtype.itemsize)
                if self._file.readinto(into) < into.nbytes:
                    raise OSError("they are not all there any more")  # noqa: TRY301
                end += count
        except OSError as error:
            raise _refused(error) from error
        return found


def _refused(error: OSError) -> Refused:
    return Refused(
        f"the rows of a long run cannot be set aside to be judged: {error}",
        next_step="make room on the disk of the run directory, then `peakdrill check` it",
    )
