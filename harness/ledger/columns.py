"""Slots to columns: a block at a time, for every column reads all of the block's memory again."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt

from harness.core.operations import SLOT, Operations

_AT_ONCE = 1 << 13  # slots, half a MiB: they stay in the cache over all columns
_TYPES = {
    f.name: np.dtype(np.int64) if f.name.endswith("_ns") else SLOT[f.name]
    for f in fields(Operations)
    if f.name != "worker"
}


def operations_of(worker: int, *parts: npt.NDArray[np.void]) -> Operations:
    """One worker's calls: the slots of each part, none of which is empty, in their order."""
    count = sum(len(slots) for slots in parts)
    columns = {name: np.empty(count, dtype) for name, dtype in _TYPES.items()}
    end = 0
    for slots in parts:
        for at in range(0, len(slots), _AT_ONCE):
            block = slots[at : at + _AT_ONCE]
            here = slice(end, end + len(block))
            end = here.stop
            for name, column in columns.items():
                column[here] = block[name]
    return Operations(worker=np.full(count, worker, np.uint16), **columns)
