"""A block of slots summed up at once tells what its slots tell one by one, whatever was damaged."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.operations import SLOT
from harness.ledger import soundness, together
from harness.ledger.slots import INTENT_BYTES, OUTCOME_AT, SLOT_BYTES, STATE_DONE, STATE_INTENT
from harness.ledger.soundness import Soundness, slot_by_slot

type_slots = npt.NDArray[np.void]
FIRST = 1000


def slots(count: int, seed: int = 1) -> type_slots:
    """Any calls with any outcome, each with its two CRCs as zlib has them."""
    made = np.frombuffer(np.random.default_rng(seed).bytes(count * SLOT_BYTES), SLOT).copy()
    made["seq"], made["state"] = np.arange(FIRST, FIRST + count), STATE_DONE
    for row in range(count):
        made["intent_crc"][row] = zlib.crc32(made[row].tobytes()[:INTENT_BYTES])
        raw = made[row].tobytes()
        made["outcome_crc"][row] = zlib.crc32(raw[:56] + raw[60:63])
    return made


def flipped(sound: type_slots, where: list[tuple[int, int, int]]) -> type_slots:
    """These bytes of these slots, changed."""
    raw = sound.copy()
    table = raw.view(np.uint8).reshape(len(raw), SLOT_BYTES)
    for row, byte, flip in where:
        table[row % len(raw), byte] ^= flip
    return raw


def told(found: Soundness) -> tuple[list[bool], list[bool], int, int, int]:
    counted = (found.broken, found.halves, found.settled)
    return found.intent.tolist(), found.outcome.tolist(), *counted


@pytest.mark.parametrize("count", [1, 2, 40])
def test_what_holds_is_seen_to_hold_without_a_look_at_each(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(soundness, "slot_by_slot", None)
    found = Soundness.of(slots(count), FIRST)
    assert told(found) == ([True] * count, [True] * count, 0, 0, count)


def test_no_bit_of_a_block_can_change_unseen() -> None:
    sound = slots(5)
    assert together.all_hold(sound, FIRST)
    assert not together.all_hold(sound, FIRST + 1)
    for byte in range(SLOT_BYTES):
        for bit in range(8):
            assert not together.all_hold(flipped(sound, [(3, byte, 1 << bit)]), FIRST)


PLACES = st.tuples(st.integers(0, 39), st.integers(0, SLOT_BYTES - 1), st.integers(1, 255))


@settings(max_examples=200, deadline=None)
@given(where=st.lists(PLACES, max_size=6), at_once=st.sampled_from([1, 7, 40, 64]))
def test_damage_is_named_as_slot_by_slot(where: list[tuple[int, int, int]], at_once: int) -> None:
    damaged = flipped(slots(40), where)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(soundness, "AT_ONCE", at_once)
        assert told(Soundness.of(damaged, FIRST)) == told(slot_by_slot(damaged, FIRST))


@pytest.mark.parametrize("byte", [0, 39, 41, 44, 57, 62])
def test_the_same_damage_in_many_slots_is_never_taken_for_none(byte: int) -> None:
    sound = slots(64)
    for rows in ([0, 1], [3, 60], range(0, 64, 2), range(64)):
        damaged = flipped(sound, [(row, byte, 0x10) for row in rows])
        assert not together.all_hold(damaged, FIRST)
        assert told(Soundness.of(damaged, FIRST)) == told(slot_by_slot(damaged, FIRST))


def test_open_intents_and_holes_are_no_damage_of_others() -> None:
    mixed = slots(30)
    mixed["state"][20:] = STATE_INTENT
    mixed[25:].view(np.uint8).reshape(5, SLOT_BYTES)[:, OUTCOME_AT:63] = 0
    mixed[7] = np.zeros((), SLOT)
    found = Soundness.of(mixed, FIRST)
    assert told(found) == told(slot_by_slot(mixed, FIRST))
    assert (found.broken, found.halves, found.settled) == (1, 5, 7)


@pytest.mark.parametrize(("at", "length", "crc_at"), [(0, OUTCOME_AT, INTENT_BYTES), (44, 20, 56)])
def test_two_slots_that_cancel_in_one_order_are_seen_in_the_other(
    at: int, length: int, crc_at: int
) -> None:
    """The one pair of damages that a single sum would hide."""
    sound, early, late = slots(9), 2, 6
    flip = struct.pack("<I", 0xBADCAFE)
    bridge = bytes(length * (late - early) - 4)
    hidden = zlib.crc32(flip + bridge) ^ zlib.crc32(bytes(4) + bridge)
    rows = [(early, flip), (late, struct.pack("<I", hidden))]
    damaged = flipped(sound, [(r, crc_at + n, b) for r, bits in rows for n, b in enumerate(bits)])
    laid = together._intents if at == 0 else together._outcomes
    assert zlib.crc32(laid(damaged).data) == zlib.crc32(laid(sound).data), "they do not cancel out"
    assert not together.all_hold(damaged, FIRST)
    found = Soundness.of(damaged, FIRST)
    assert found.broken == 2
    assert told(found) == told(slot_by_slot(damaged, FIRST))
