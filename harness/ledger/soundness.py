"""Which slots hold: a stretch of a slot file against its checksums.

A record whose CRC does not hold never passes as an outcome: with a sound intent it is an intent
without an outcome, without one it is not a record at all, and both are counted.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from harness.core.operations import SLOT, Operations, type_bool, type_u32
from harness.ledger.columns import operations_of
from harness.ledger.slots import (
    INTENT_BYTES,
    OUTCOME_AT,
    OUTCOME_CRC_AT,
    SLOT_BYTES,
    STATE_AT,
    STATE_DONE,
    STATE_EMPTY,
    STATE_INTENT,
)
from harness.ledger.together import AT_ONCE, all_hold

type_slots = npt.NDArray[np.void]

_INTENT_COLUMNS = tuple(range(INTENT_BYTES))
_LATER_COLUMNS = (*range(INTENT_BYTES, OUTCOME_CRC_AT), *range(OUTCOME_CRC_AT + 4, STATE_AT))
_ROWS_AT_ONCE = 1 << 14  # 1 MiB of slots: stays in the cache over all columns


def slots_of(raw: bytes) -> type_slots:
    """Whole slots; what is left of one at the end is none."""
    return np.frombuffer(raw, dtype=SLOT, count=len(raw) // SLOT_BYTES)


def touched(slots: type_slots) -> int:
    """How many there are up to the last one of which a byte was ever written."""
    words = slots.view(np.uint64).reshape(len(slots), SLOT_BYTES // 8)
    written = np.flatnonzero(words.max(axis=1, initial=0))
    return int(written[-1]) + 1 if len(written) else 0


def in_use(slots: type_slots) -> int:
    """The same while the writer may be alive, or is dead."""
    end = touched(slots)
    if end and slots["state"][end - 1] == STATE_EMPTY:
        return end - 1  # in the middle of an intent: nothing was sent
    return end


@dataclass(frozen=True, slots=True)
class Soundness:
    """Which of these slots hold."""

    slots: type_slots
    intent: type_bool
    outcome: type_bool
    broken: int
    halves: int  # with an outcome that was begun, and no state that says so

    @classmethod
    def of(cls, slots: type_slots, first_seq: int) -> Soundness:
        """Of slots in use, the first of which is `first_seq`'s."""
        parts = [
            _of_block(slots[at : at + AT_ONCE], first_seq + at)
            for at in range(0, len(slots), AT_ONCE)
        ]
        if len(parts) == 1:
            return parts[0]
        none = np.zeros(0, np.bool_)
        return cls(
            slots,
            np.concatenate([none, *(part.intent for part in parts)]),
            np.concatenate([none, *(part.outcome for part in parts)]),
            broken=sum(part.broken for part in parts),
            halves=sum(part.halves for part in parts),
        )

    @property
    def settled(self) -> int:
        """Slots before the first that may still change."""
        moving = np.flatnonzero(~(self.intent & self.outcome))
        return int(moving[0]) if len(moving) else len(self.slots)

    def operations(self, worker: int) -> Operations:
        """The calls of sound intents; without a sound outcome each has none."""
        return operations_of(worker, kept_of(self.slots, self.intent, self.outcome))


def _of_block(slots: type_slots, first_seq: int) -> Soundness:
    """All of it at once, as nearly always; where that does not hold, each slot by its own CRCs."""
    if all_hold(slots, first_seq):
        hold = np.ones(len(slots), np.bool_)
        return Soundness(slots, hold, hold, broken=0, halves=0)
    return slot_by_slot(slots, first_seq)


def slot_by_slot(slots: type_slots, first_seq: int) -> Soundness:
    """Which of them hold, each by its own two CRCs."""
    rows = slots.view(np.uint8).reshape(len(slots), SLOT_BYTES)
    state = slots["state"]
    intent_crc = crc_of_columns(rows, _INTENT_COLUMNS)
    intent = (
        ((state == STATE_INTENT) | (state == STATE_DONE))
        & (slots["seq"] == np.arange(first_seq, first_seq + len(slots)))
        & (slots["intent_crc"] == intent_crc)
    )
    done = state == STATE_DONE
    # it covers the intent's bytes, too
    outcome_crc = crc_of_columns(rows, _LATER_COLUMNS, after=intent_crc)
    outcome = done & (slots["outcome_crc"] == outcome_crc)
    half = np.flatnonzero(state == STATE_INTENT)
    return Soundness(
        slots,
        intent,
        outcome,
        broken=int(np.count_nonzero(~intent | (done & ~outcome))),
        halves=int(np.count_nonzero(rows[half, OUTCOME_AT:STATE_AT].any(axis=1))),
    )


def kept_of(slots: type_slots, intent: type_bool, outcome: type_bool) -> type_slots:
    """Those slots whose `intent` holds, without an outcome where that does not."""
    if intent.all() and outcome.all():
        return slots
    kept: type_slots = slots[intent]
    unfinished = ~outcome[intent]
    for name in ("done_ns", "answer", "detail", "sends", "outcome"):
        kept[name][unfinished] = 0
    return kept


def crc_of_columns(
    rows: npt.NDArray[np.uint8], columns: tuple[int, ...], *, after: type_u32 | None = None
) -> type_u32:
    """CRC-32 of the bytes in `columns` of every row, as zlib has it; `after` those of that CRC.

    CRC is linear over XOR, so a byte's share depends on its place and its value alone: one
    look-up a column and no loop over the rows. The same holds for the bytes of a CRC that goes on.
    """
    tables, of_zeros = _crc_tables(len(columns))
    result = np.full(len(rows), of_zeros, dtype=np.uint32)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = np.ascontiguousarray(rows[start : start + _ROWS_AT_ONCE].T)
        into = result[start : start + _ROWS_AT_ONCE]
        for place, column in enumerate(columns):
            into ^= tables[place].take(part[column])
        if after is not None:
            before = after[start : start + _ROWS_AT_ONCE]
            for place, table in enumerate(_going_on(len(columns))):
                into ^= table.take(before >> np.uint32(8 * place) & np.uint32(0xFF))
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


@cache
def _going_on(length: int) -> npt.NDArray[np.uint32]:
    """What each byte of a CRC becomes over `length` further bytes."""
    zeros = bytes(length)
    of_zeros = zlib.crc32(zeros)
    return np.array(
        [
            [zlib.crc32(zeros, value << 8 * place) ^ of_zeros for value in range(256)]
            for place in range(4)
        ],
        dtype=np.uint32,
    )
