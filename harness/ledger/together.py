"""Whether every slot of a block holds, by checksums over all of it instead of two a slot.

CRC-32 is linear: laid end to end, bytes that hold their own CRCs have a CRC that is known before
they are read. What is amiss in one slot, a number that is 0 only where that slot's own CRC holds,
is multiplied by a power of x for its place and summed up; so the sum of a block with one damaged
slot is never the known one. Two could cancel each other out, and so each block is summed up twice,
in its order and in reverse: that both sums hide the same two slots would ask for a power of x
which is 1, and there is none below the 2^32 - 1st. So one damaged slot or two are found as surely
as by their own CRCs. Of three or more it takes a coincidence of 64 bits to be hidden; one slot's
own CRC is deceived by one of 32.

What is not found to hold here is looked at slot by slot: see `soundness`.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from harness.ledger.slots import (
    CRC,
    CRC_OF_SUMMED,
    INTENT_BYTES,
    OUTCOME,
    OUTCOME_AT,
    OUTCOME_CRC_AT,
    SLOT_BYTES,
    STATE_DONE,
)

AT_ONCE = 1 << 13  # slots: half a MiB stays in the cache, and x comes round after far more bytes
_SUMMED = np.dtype(
    {"names": ["intent"], "formats": [f"V{OUTCOME_AT}"], "offsets": [0], "itemsize": SLOT_BYTES}
)
_WORDS = SLOT_BYTES // 4
_DONE, _CRC, _LAST = OUTCOME_AT // 4, OUTCOME_CRC_AT // 4, SLOT_BYTES // 4 - 1
_SEQS = 1 << 32
_BYTE = np.uint32(8)
_THREE = np.uint32(0xFFFFFF)  # the bytes of the last word that are summed: all but the state


def all_hold(slots: npt.NDArray[np.void], first_seq: int) -> bool:
    """Whether every one has an intent and an outcome that hold, and the seq of its place."""
    if len(slots) > AT_ONCE or first_seq + len(slots) > _SEQS:
        return False
    if not (slots["state"] == STATE_DONE).all():
        return False
    seqs = np.arange(first_seq, first_seq + len(slots), dtype=np.uint32)
    if not (slots["seq"] == seqs).all():
        return False
    return _are_sound(_intents(slots), _INTENT) and _are_sound(_outcomes(slots), _OUTCOME)


def _intents(slots: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Each intent with its CRC behind it."""
    return np.ascontiguousarray(slots.view(_SUMMED)["intent"])


def _outcomes(slots: npt.NDArray[np.void]) -> npt.NDArray[np.uint32]:
    """Each outcome with its CRC behind it, and then a zero, by which it is whole words."""
    words = slots.view(np.uint32).reshape(len(slots), _WORDS)
    laid = np.empty((len(slots), _LAST + 1 - _DONE), np.uint32)
    crc = words[:, _CRC]
    laid[:, : _CRC - _DONE] = words[:, _DONE:_CRC]
    laid[:, -2] = words[:, _LAST] & _THREE | crc << (3 * _BYTE)
    laid[:, -1] = crc >> _BYTE
    return laid


def _are_sound(rows: npt.NDArray[np.void] | npt.NDArray[np.uint32], one: bytes) -> bool:
    """Whether what these rows are summed up to is what as many of `one` are."""
    known = _of_many(one, len(rows))
    reverse = np.ascontiguousarray(rows[::-1])
    return zlib.crc32(rows.data) == known and zlib.crc32(reverse.data) == known


@lru_cache(maxsize=64)
def _of_many(one: bytes, count: int) -> int:
    return zlib.crc32(one * count)


_INTENT = bytes(INTENT_BYTES) + CRC.pack(zlib.crc32(bytes(INTENT_BYTES)))
_OUTCOME = bytes(OUTCOME.size) + CRC.pack(zlib.crc32(bytes(OUTCOME.size), CRC_OF_SUMMED)) + bytes(1)
assert len(_OUTCOME) == (_LAST + 1 - _DONE) * 4
