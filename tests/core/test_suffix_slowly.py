"""A loss that is not a suffix, by the words of it: in ledgers full of ties, in pieces of any size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.looks import Look
from harness.core.operation import Kind, Outcome, Workload
from harness.core.operations import Operations
from harness.core.records import Records, records_of
from harness.core.recovery_point import Strangers, classify, held_by, strangers_of
from harness.core.timeline import Mark, MarkName
from harness.core.write_counts import WriteTally
from tests.core.oracle_point import Call, Row, Told, told_of
from tests.core.simulate import ORDERS
from tests.core.test_recovery_point import operations, survivors

NOBODY = Operations.concatenate([])


def look_at(calls: list[Call], rows: list[Row]) -> tuple[Records, Look]:
    ledger, found = operations(calls), survivors(rows)
    records = records_of(ledger)
    held = held_by(records, found)
    strangers = strangers_of(records, found, (), workers=2)
    nothing = np.zeros(len(records), dtype=np.bool_)
    return records, Look(classify(records, held), held, strangers, NOBODY, nothing)


def in_pieces(calls: list[Call], rows: list[Row], size: int) -> list[tuple[Records, Look]]:
    """So many records at a time, in the order of their keys."""
    last = max((c.record for c in calls), default=0)
    stretches = [range(first, first + size) for first in range(0, last + 1, size)]
    return [
        look_at([c for c in calls if c.record in some], [r for r in rows if r.seq in some])
        for some in stretches
    ]


def tallied(pieces: list[tuple[Records, Look]], fault: Mark | None) -> WriteTally:
    tally = WriteTally([ORDERS, Workload.FINANCE])
    for number, piece in enumerate(pieces):
        tally.add(number, *piece)
    again = tally.undecided(fault)
    assert again == sorted(set(again))
    for number in again:
        tally.look_again(*pieces[number], fault)
    return tally


def suffix(pieces: list[tuple[Records, Look]], fault: Mark | None) -> bool:
    strangers = pieces[0][1].strangers
    tally = tallied(pieces, fault)
    other = tally.counts(Workload.FINANCE, strangers=strangers, stale=NOBODY, fault=fault)
    assert other.lost_is_suffix, "nothing of it was lost"
    return tally.counts(
        ORDERS, strangers=strangers, stale=NOBODY, fault=fault
    ).lost_is_suffix  # fmt: skip


def slowly(calls: list[Call], rows: list[Row], fault_ns: int) -> bool:
    """No survivor was beyond doubt sent after the first loss, and served before the end of it."""
    every = [t for t in told_of(calls, rows).values() if t.acked]
    lost = [t for t in every if t.missing_calls()]
    if not lost:
        return True
    first = min(t.first_ack() for t in lost)
    ends = [fault_ns, *(sent(t) for t in lost if made(t))]
    kept = [t for t in every if not t.missing_calls() and made(t)]
    return not any(sent(t) > first and any(t.first_ack() < e for e in ends) for t in kept)


def made(told: Told) -> list[Call]:
    """Its creations that were acknowledged; where none was, nobody knows when it came to be."""
    sorts = (Kind.CREATE, Kind.RESYNC)
    return [c for c in told.calls if c.kind in sorts and c.outcome is Outcome.ACKED]


def sent(told: Told) -> int:
    return min(c.sent for c in made(told))


type_ledger = tuple[list[Call], list[Row]]


@st.composite
def ledgers(draw: st.DrawFn) -> type_ledger:
    """Sendings, acknowledgements and the fault fall on the same few instants."""
    calls, rows, seq = [], [], 0
    for _ in range(draw(st.integers(0, 9))):
        at, took = draw(st.integers(1, 12)), draw(st.integers(0, 3))
        outcome = draw(st.sampled_from([Outcome.ACKED] * 5 + [Outcome.UNKNOWN, Outcome.REFUSED]))
        create = Call(0, seq, seq, Kind.CREATE, outcome, 1, digest=1, sent=at, done=at + took)
        calls.append(create)
        if draw(st.integers(0, 5)) == 0:
            late = at + draw(st.integers(0, 4))
            again = replace(create, seq=seq + 1, kind=Kind.RESYNC, outcome=Outcome.ACKED)
            calls.append(replace(again, sent=late, done=late + 1))
        elif outcome is Outcome.UNKNOWN and draw(st.booleans()):
            late = at + draw(st.integers(0, 4))
            later = replace(create, seq=seq + 1, kind=Kind.ADVANCE, outcome=Outcome.ACKED, stage=2)
            calls.append(replace(later, sent=late, done=late + 1))
        if draw(st.booleans()):
            rows.append(Row(0, seq, draw(st.sampled_from([1, 2])), 1))
        seq += 2
    return calls, rows


@settings(max_examples=500, deadline=None, derandomize=True)
@given(ledgers(), st.integers(0, 15), st.sampled_from([1, 2, 3, 4, 40]))
def test_it_is_one_unless_a_survivor_is_beyond_doubt_in_the_midst(
    ledger: type_ledger, fault_ns: int, size: int
) -> None:
    pieces = in_pieces(*ledger, size)
    fault = Mark(MarkName.FAULT_ACTIVE, fault_ns, fault_ns + 3)
    assert suffix(pieces, fault) is slowly(*ledger, fault_ns)
    assert suffix(pieces, None) is slowly(*ledger, 0)


def create(seq: int, sent_ns: int, done_ns: int) -> Call:
    return Call(0, seq, seq, Kind.CREATE, Outcome.ACKED, 1, digest=1, sent=sent_ns, done=done_ns)


@pytest.mark.parametrize(
    ("sent_ns", "done_ns", "is_suffix"),
    [
        (21, 29, False),  # sent after the first loss was acknowledged at 20, done before the fault
        (20, 29, True),  # sent as it was acknowledged
        (21, 30, True),  # acknowledged as the fault took effect
        (19, 29, True),
        (21, 31, True),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_survivor_on_the_edge_is_in_doubt(
    sent_ns: int, done_ns: int, is_suffix: bool, size: int
) -> None:
    calls = [create(0, 10, 20), create(1, sent_ns, done_ns), create(2, 1, 2)]
    fault = Mark(MarkName.FAULT_ACTIVE, 30, 99)
    assert suffix(in_pieces(calls, [Row(0, 1, 1, 1), Row(0, 2, 1, 1)], size), fault) is is_suffix


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_survivor_whose_creation_was_not_acknowledged_is_in_doubt(size: int) -> None:
    """Its confirmation was, after the first loss; it may have been made before."""
    opened = replace(create(1, 5, 5), outcome=Outcome.UNKNOWN)
    confirmed = Call(0, 2, 1, Kind.ADVANCE, Outcome.ACKED, 2, digest=1, sent=22, done=25)
    calls, fault = [create(0, 10, 20), opened, confirmed], Mark(MarkName.FAULT_ACTIVE, 30, 30)
    assert suffix(in_pieces(calls, [Row(0, 1, 2, 1)], size), fault)


@pytest.mark.parametrize(("done_ns", "is_suffix"), [(49, False), (50, True), (51, True)])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_later_loss_makes_holes_after_the_fault_as_well(
    done_ns: int, is_suffix: bool, size: int
) -> None:
    calls = [create(0, 10, 20), create(1, 40, done_ns), create(2, 50, 60)]
    fault = Mark(MarkName.FAULT_ACTIVE, 30, 30)
    assert suffix(in_pieces(calls, [Row(0, 1, 1, 1)], size), fault) is is_suffix


def test_only_the_pieces_that_may_hold_one_are_looked_at_again() -> None:
    """What was over before the first loss, or acknowledged after all of it, need not be."""
    calls = [
        create(0, 1, 5), create(1, 2, 20),  # a survivor that was over before, and the first loss
        create(2, 12, 28), create(3, 35, 50),  # one of each side of the edge: it may be
        create(4, 31, 32), create(5, 33, 34),  # after the fault
    ]  # fmt: skip
    rows = [Row(0, seq, 1, 1) for seq in (0, 2, 3, 4, 5)]
    pieces = in_pieces(calls, rows, 2)
    fault = Mark(MarkName.FAULT_ACTIVE, 30, 30)
    tally = WriteTally([ORDERS])
    for number, piece in enumerate(pieces):
        tally.add(number, *piece)
    assert tally.undecided(fault) == [1]
    tally.look_again(*pieces[1], fault)
    nobody = Strangers(*(np.zeros(0, t) for t in (np.uint16, np.uint32, np.uint8, np.bool_)))
    assert tally.counts(ORDERS, strangers=nobody, stale=NOBODY, fault=fault).lost_is_suffix
