"""The rows of one look by the stretch of keys that they belong to, read where they stand.

Rows come in the order of the store, which is nearly that of the keys where one worker wrote: then
each stretch's rows are a few runs of the look's own file. Where workers wrote side by side they
are not, and are set aside in the order of their stretches.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.core.operations import type_i64
from harness.errors import DamagedEvidence
from harness.evidence.read_backs import file_of, rows_at
from harness.evidence.set_aside import SetAside
from harness.readback.store_rows import ROW

WORKER_SHIFT = 40
_RUNS_MAX = 64  # of so many rows as are read at once: more, and each is too short to be read alone


class StoredLook:
    """One look, read once to its end; then any stretch of it."""

    def __init__(self, run: Path, name: str, *, keys: int) -> None:
        self._file = file_of(run, name)
        self._aside = SetAside(ROW, run)
        self._runs: dict[int, list[tuple[int | None, int]]] = {}  # offset, None: aside; and rows
        for offset, rows in rows_at(run, name):
            self._add(offset, rows, _stretch_of(rows, keys))

    def _add(self, offset: int, rows: npt.NDArray[np.void], stretch: type_i64) -> None:
        begins = np.flatnonzero(stretch[1:] != stretch[:-1]) + 1
        if len(begins) >= _RUNS_MAX:
            self._aside.add(rows, stretch)
            for key, count in zip(*np.unique(stretch, return_counts=True), strict=True):
                self._runs.setdefault(int(key), []).append((None, int(count)))
            return
        edges = [0, *begins.tolist(), len(rows)]
        for begin, end in pairwise(edges):
            run = (offset + begin * ROW.itemsize, end - begin)
            self._runs.setdefault(int(stretch[begin]), []).append(run)

    @property
    def stretches(self) -> list[int]:
        """Those that have rows."""
        return list(self._runs)

    def of(self, stretch: int) -> npt.NDArray[np.void]:
        """All rows of one stretch, in the order in which they came. Raises DamagedEvidence."""
        runs = self._runs.get(stretch, ())
        found = np.empty(sum(count for _, count in runs), ROW)
        aside, taken, end = self._aside.of(stretch), 0, 0
        with self._file.open("rb") as file:
            for offset, count in runs:
                into = found[end : end + count]
                end += count
                if offset is None:
                    into[:] = aside[taken : taken + count]
                    taken += count
                elif os.preadv(file.fileno(), [into.view(np.uint8).data], offset) < into.nbytes:
                    raise DamagedEvidence(f"{self._file.name}: it was cut while it was read")
        return found


def _stretch_of(rows: npt.NDArray[np.void], keys: int) -> type_i64:
    """The worker, and the number of the stretch among that worker's keys."""
    number = (rows["seq"] // np.uint32(keys)).astype(np.int64)
    number |= rows["worker"].astype(np.int64) << WORKER_SHIFT
    return number
