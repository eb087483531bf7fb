"""The ledger's reader: slot files to columns, with what is wrong with them.

It copies with plain reads and maps nothing, so a writer that grows its file, or dies, cannot
hurt it. A record whose CRC does not hold never passes as an outcome: with a sound intent it
is an intent without an outcome, without one it is not a record at all, and both are counted.
"""

from __future__ import annotations

import os
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.core.evidence import LedgerHealth
from harness.core.operation import Detail, Kind
from harness.core.operations import SLOT, Operations, type_i64, type_u32
from harness.errors import DamagedEvidence
from harness.ledger.slots import (
    HEADER_BYTES,
    INTENT_BYTES,
    OUTCOME_AT,
    OUTCOME_CRC_AT,
    SLOT_BYTES,
    STATE_AT,
    STATE_DONE,
    STATE_EMPTY,
    STATE_INTENT,
    Header,
    slot_offset,
)

type_slots = npt.NDArray[np.void]

_INTENT_COLUMNS = tuple(range(INTENT_BYTES))
_OUTCOME_COLUMNS = (*range(OUTCOME_CRC_AT), *range(OUTCOME_CRC_AT + 4, STATE_AT))
_ROWS_AT_ONCE = 1 << 14  # 1 MiB of slots: stays in the cache over all columns
_REREADS = 5


def read_ledgers(directory: Path) -> tuple[Operations, tuple[LedgerHealth, ...]]:
    """Every worker's slot file of `directory`, in the order of the workers."""
    read = [read_ledger(path) for path in ledger_files(directory)]
    return Operations.concatenate([r[0] for r in read]), tuple(r[1] for r in read)


def ledger_files(directory: Path) -> list[Path]:
    """The slot files of `directory`, in the order of the workers."""
    return sorted(directory.glob("worker-*.slots"), key=worker_of)


def worker_of(path: Path) -> int:
    """The worker's number, from the name of its file."""
    number = path.stem.removeprefix("worker-")
    if not number.isdigit():
        raise DamagedEvidence(f"{path}: not the name of a ledger (worker-<number>.slots)")
    return int(number)


def read_ledger(path: Path) -> tuple[Operations, LedgerHealth]:
    """One worker's calls, whole or not; the writer may be alive, closed or dead."""
    header, slots = _load(path)
    closed = header is not None and header.closed
    sound = _Soundness(slots, closed=closed)
    if not closed:
        for _ in range(_REREADS):  # a live writer is not torn: its slot was read in mid-write
            if not sound.torn:
                break
            header, slots = _load(path)
            closed = header is not None and header.closed
            sound = _Soundness(slots, closed=closed)
    operations = sound.operations(worker_of(path))
    wrong_header = header is None or header.worker != worker_of(path)
    missing = abs(header.end_seq - sound.end) if header is not None and closed else 0
    lag = scheduled_lag_ns(operations)
    shed = int(np.count_nonzero(operations.detail == Detail.SHED_BY_CLIENT))
    return operations, LedgerHealth(
        worker=worker_of(path),
        closed=closed and not wrong_header,
        end_seq=sound.end,
        torn=sound.torn + missing + int(wrong_header),
        dropped=max(shed, header.dropped if header is not None else 0),
        lag_p999_ns=int(np.quantile(lag, 0.999, method="higher")) if len(lag) else 0,
        lag_max_ns=int(lag.max()) if len(lag) else 0,
    )


def scheduled_lag_ns(operations: Operations) -> type_i64:
    """How late the generator was: sent minus intended of each arrival's first call."""
    own = (operations.record == operations.seq) | (operations.kind == Kind.READ)
    first = operations.where(own & (operations.kind != Kind.RESYNC))
    return np.subtract(first.sent_ns, first.intended_ns, dtype=np.int64)


def read_from(path: Path, seq: int, *, at_most: int = 1 << 16) -> Operations:
    """Calls from `seq` on, as they stand now: for a live view, not for a judgement."""
    chunks: list[bytes] = []
    with path.open("rb") as file:
        for start in range(seq, seq + at_most, 4096):
            raw = os.pread(file.fileno(), 4096 * SLOT_BYTES, slot_offset(start))
            chunks.append(raw[: len(raw) // SLOT_BYTES * SLOT_BYTES])
            if len(raw) < SLOT_BYTES or raw[len(chunks[-1]) - 1] == STATE_EMPTY:
                break
    slots = np.frombuffer(b"".join(chunks), dtype=SLOT)
    sound = _Soundness(slots, closed=False, first_seq=seq)
    return sound.operations(worker_of(path))


def settled(raw: bytes, seq: int) -> int:
    """How many of these slots, the first of which is `seq`'s, hold their outcome for good."""
    slots = np.frombuffer(raw, dtype=SLOT, count=len(raw) // SLOT_BYTES)
    return _Soundness(slots, closed=False, first_seq=seq).settled


def _load(path: Path) -> tuple[Header | None, type_slots]:
    raw = path.read_bytes()
    usable = max(len(raw) - HEADER_BYTES, 0) // SLOT_BYTES
    slots = np.frombuffer(raw, dtype=SLOT, count=usable, offset=HEADER_BYTES if usable else 0)
    return Header.unpack(raw[:HEADER_BYTES]), slots


class _Soundness:
    """Which slots hold, up to the last one in use."""

    def __init__(self, slots: type_slots, *, closed: bool, first_seq: int = 0) -> None:
        rows = slots.view(np.uint8).reshape(len(slots), SLOT_BYTES)
        touched = np.flatnonzero(rows.view(np.uint64).max(axis=1, initial=0))
        self.end = int(touched[-1]) + 1 if len(touched) else 0
        if not closed and self.end and slots["state"][self.end - 1] == STATE_EMPTY:
            self.end -= 1  # the writer died, or is, in the middle of an intent: nothing was sent
        self._slots = slots[: self.end]
        rows = rows[: self.end]
        state = self._slots["state"]
        self._intent = (
            ((state == STATE_INTENT) | (state == STATE_DONE))
            & (self._slots["seq"] == np.arange(first_seq, first_seq + self.end))
            & (self._slots["intent_crc"] == crc_of_columns(rows, _INTENT_COLUMNS))
        )
        self._outcome = (state == STATE_DONE) & (
            self._slots["outcome_crc"] == crc_of_columns(rows, _OUTCOME_COLUMNS)
        )
        half = (state == STATE_INTENT) & rows[:, OUTCOME_AT:STATE_AT].any(axis=1)
        halves = int(np.count_nonzero(half))
        if not closed and halves == 1:
            halves = 0  # the one outcome that was being written
        broken = ~self._intent | ((state == STATE_DONE) & ~self._outcome)
        self.torn = int(np.count_nonzero(broken)) + halves

    @property
    def settled(self) -> int:
        """Slots before the first that may still change."""
        moving = np.flatnonzero(~(self._intent & self._outcome))
        return int(moving[0]) if len(moving) else self.end

    def operations(self, worker: int) -> Operations:
        slots = self._slots[self._intent].copy()
        unfinished = ~self._outcome[self._intent]
        for name in ("done_ns", "answer", "detail", "sends", "outcome"):
            slots[name][unfinished] = 0
        return Operations.from_slots(worker, slots)


def crc_of_columns(rows: npt.NDArray[np.uint8], columns: tuple[int, ...]) -> type_u32:
    """CRC-32 of the bytes in `columns` of every row, as zlib has it.

    CRC is linear over XOR, so a byte's share depends on its place and its value alone: one
    look-up a column and no loop over the rows.
    """
    tables, of_zeros = _crc_tables(len(columns))
    result = np.full(len(rows), of_zeros, dtype=np.uint32)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = np.ascontiguousarray(rows[start : start + _ROWS_AT_ONCE].T)
        into = result[start : start + _ROWS_AT_ONCE]
        for place, column in enumerate(columns):
            into ^= tables[place][part[column]]
    return result


@cache
def _crc_tables(length: int) -> tuple[npt.NDArray[np.uint32], int]:
    zeros = bytes(length)
    of_zeros = zlib.crc32(zeros)
    tables = np.empty((length, 256), dtype=np.uint32)
    for place in range(length):
        for value in range(256):
            message = zeros[:place] + bytes((value,)) + zeros[place + 1 :]
            tables[place, value] = zlib.crc32(message) ^ of_zeros
    return tables, of_zeros
