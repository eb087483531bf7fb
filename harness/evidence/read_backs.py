"""The stored looks at the stores: their heads, and their rows, all of them or so many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.lib.format as npy
import numpy.typing as npt

from harness.core.evidence import ReadBack, Survivors
from harness.core.operation import Workload
from harness.core.operations import Operations, type_u8, type_u32, type_u64
from harness.errors import DamagedEvidence
from harness.evidence import canonical, layout
from harness.readback.store_rows import ROW, STORES

_STORE_WORKLOAD = (Workload.ORDER_CAPTURE, Workload.POINT_OF_SALE, Workload.FINANCE)
_CODES = np.array([w.code for w in _STORE_WORKLOAD], dtype=np.uint8)
_COLUMNS = ("worker", "seq", "stage", "digest", "document", "parts", "expected_parts")
_ROWS_AT_ONCE = 1 << 16
_IN_CACHE = 1 << 13  # rows of which each column is read without asking the memory again
assert len(STORES) == len(_STORE_WORKLOAD)


@dataclass(frozen=True, slots=True)
class _LookHead:
    name: str
    taken_ns: int
    complete: bool
    why_incomplete: str
    foreign: int
    disagreements: tuple[str, ...]


def read_back(directory: Path, name: str, survivors: Survivors) -> ReadBack | None:
    """One look with these survivors; None where it was never taken."""
    head_file = directory / layout.READBACK / f"{name}.json"
    if not head_file.exists():
        return None
    head = canonical.loads(_LookHead, head_file)
    return ReadBack(
        name=head.name,
        taken_ns=head.taken_ns,
        complete=head.complete,
        why_incomplete=head.why_incomplete,
        survivors=survivors,
        foreign=head.foreign,
        disagreements=head.disagreements,
    )


def was_taken(directory: Path, name: str) -> bool:
    return (directory / layout.READBACK / f"{name}.json").exists()


def whole(directory: Path, name: str) -> npt.NDArray[np.void]:
    """All rows of one look at once. Raises DamagedEvidence."""
    return np.concatenate([np.zeros(0, ROW), *rows_of(directory, name)])


def rows_of(directory: Path, name: str) -> Iterator[npt.NDArray[np.void]]:
    """The rows of one look, so many at a time. Raises DamagedEvidence."""
    return (rows for _, rows in rows_at(directory, name))


def rows_at(directory: Path, name: str) -> Iterator[tuple[int, npt.NDArray[np.void]]]:
    """The same, with the offset in the file at which they begin."""
    file = file_of(directory, name)
    try:
        with file.open("rb") as stream:
            count = _count(stream, name)
            offset = stream.tell()
            for first in range(0, count, _ROWS_AT_ONCE):
                wanted = min(_ROWS_AT_ONCE, count - first)
                raw = stream.read(wanted * ROW.itemsize)
                if len(raw) < wanted * ROW.itemsize:
                    raise DamagedEvidence(f"{file.name}: it ends before its last row")
                yield offset, np.frombuffer(raw, dtype=ROW)
                offset += len(raw)
    except (OSError, ValueError, EOFError) as error:
        raise DamagedEvidence(f"{file.name}: {error}") from error


def file_of(directory: Path, name: str) -> Path:
    """Where the rows of one look lie."""
    return directory / layout.READBACK / f"{name}.npy"


def _count(stream: BinaryIO, name: str) -> int:
    """How many rows follow. Raises ValueError where the head is not of such a file."""
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype != ROW or len(shape) != 1:
        raise DamagedEvidence(f"{name}.npy holds {dtype}, not the rows of a read-back")
    return int(shape[0])


def survivors_of(
    rows: npt.NDArray[np.void], workload_of: Callable[[type_u16, type_u32, type_u8], type_u8]
) -> Survivors:
    """Rows with the workload that the ledger knows their key by, else the store's own.

    `workload_of` says it of workers and seqs, and what the store would say.
    """
    columns = {name: np.empty(len(rows), ROW[name]) for name in _COLUMNS}
    default = np.empty(len(rows), np.uint8)
    for first in range(0, len(rows), _IN_CACHE):
        here = slice(first, first + _IN_CACHE)
        block = rows[here]
        default[here] = _CODES[block["store"]]
        for name, column in columns.items():
            column[here] = block[name]
    workload = workload_of(columns["worker"], columns["seq"], default)
    return Survivors(workload=workload, **columns)


def no_survivors() -> Survivors:
    """Where they are told portion by portion."""
    return survivors_of(np.zeros(0, ROW), lambda _worker, _seq, default: default)


type_u16 = npt.NDArray[np.uint16]


def by_key(operations: Operations) -> Callable[[type_u16, type_u32, type_u8], type_u8]:
    """What these calls say of any key."""
    key = _key(operations.worker, operations.seq)
    order = np.argsort(key, kind="stable")
    keys, workloads = key[order], operations.workload[order]

    def workload_of(worker: type_u16, seq: type_u32, default: type_u8) -> type_u8:
        if not len(keys):
            return default
        wanted = _key(worker, seq)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, workloads[at], default)

    return workload_of


def _key(worker: type_u16, seq: type_u32) -> type_u64:
    return worker.astype(np.uint64) << np.uint64(32) | seq.astype(np.uint64)
