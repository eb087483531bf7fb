"""A restore on its edges: what the cut counts, from when to when nothing was protected, by workload."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.evidence import Evidence, Portion, ReadBack
from harness.core.looks import pieces
from harness.core.operation import Kind, Outcome
from harness.core.records import Records, records_of
from harness.core.restoration import (
    End,
    Restore,
    cut_of,
    known_at,
    restoration,
    restore_of,
    unprotected,
)
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import RestorationCounts, UnprotectedWindow
from tests.core.oracle_point import Call, Row, told_of
from tests.core.portioned import in_portions
from tests.core.test_looks_of_a_run import OF, acked, evidence_of, look, of_workload, plan_of
from tests.core.test_recovery_point import FAULT, a_store, operations
from tests.core.test_restoration import slowly

CLOSED, POINT = MarkName.INGRESS_CLOSED, MarkName.RECOVERY_POINT
T_F = Mark(MarkName.FAULT_ACTIVE, *FAULT)
RUN_ID = "r1"


def marked(seen: Evidence, *marks: Mark) -> Evidence:
    return replace(seen, timeline=Timeline((T_F, *marks)))


def restored_at(taken_ns: int, rows: list[Row] | None = None) -> ReadBack:
    return look("restored", rows or [], taken_ns)


@pytest.mark.parametrize(
    ("closed", "cut_ns"),
    [
        ((), 150),
        (((60, 70),), 70),  # at the latest instant that it allows
        (((60, 150),), 150),
        (((60, 151),), 150),  # the look came first
        (((60, 70), (80, 90), (149, 160)), 90),  # closed again: the last of those before the look
    ],
)
def test_what_was_acknowledged_counts_to_the_last_closing_before_the_look(
    closed: tuple[tuple[int, int], ...], cut_ns: int
) -> None:
    seen = marked(evidence_of([acked(0, 0)]), *(Mark(CLOSED, *at) for at in closed))
    assert cut_of(seen, restored_at(150)) == cut_ns


def test_a_call_that_was_open_at_the_cut_is_unknown_and_one_that_came_later_was_not_sent() -> None:
    calls = [
        replace(acked(0, n), sent=sent, done=done, outcome=outcome)
        for n, (sent, done, outcome) in enumerate(
            [
                (10, 49, Outcome.ACKED), (10, 50, Outcome.ACKED), (49, 60, Outcome.REFUSED),
                (50, 51, Outcome.ACKED), (10, 0, Outcome.NONE), (10, 49, Outcome.REFUSED),
            ]
        )
    ]  # fmt: skip
    known = known_at(operations(calls), 50)
    assert known.seq.tolist() == [0, 1, 2, 4, 5]
    assert known.outcome.tolist() == [
        Outcome.ACKED, Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.NONE, Outcome.REFUSED,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("there", "told_ns", "since_ns"),
    [
        ((0, 1, 2), None, None),  # nothing went with it
        ((0,), None, 41),  # the earliest acknowledgement that is not there
        ((0,), 30, 30),  # the restore's own word, where that is the earlier
        ((0,), 77, 41),
        ((0, 1, 2), 30, 30),
    ],
)
@pytest.mark.parametrize("keys", [None, 1, 2])
def test_since_when_a_restore_took_what_it_took(
    there: tuple[int, ...], told_ns: int | None, since_ns: int | None, keys: int | None
) -> None:
    calls = [replace(acked(0, n), sent=sent, done=sent + 1) for n, sent in enumerate((20, 40, 60))]
    rows = [Row(0, n, 1, 1) for n in there]
    seen = marked(
        evidence_of(calls, restored_at(150, rows)), Mark(CLOSED, 90, 90),
        *([Mark(POINT, 1, 2), Mark(POINT, told_ns, told_ns + 9)] if told_ns else []),
    )  # fmt: skip
    found = restore_of(seen if keys is None else in_portions(seen, keys))
    assert found == Restore(90, since_ns)
    assert restore_of(replace(seen, restored=None)) is None
    half = replace(restored_at(150, rows), complete=False)
    assert restore_of(replace(seen, restored=half)) is None


def ends(seen: Evidence, restore: Restore | None) -> Iterator[tuple[Portion, End | None]]:
    return ((p.portion, p.end) for p in pieces(plan_of(), seen, restore))


def counted(seen: Evidence, fault: Mark | None = T_F) -> tuple[RestorationCounts, ...]:
    restore = restore_of(seen)
    return restoration(restore, ends(seen, restore), OF, fault=fault, run_id=RUN_ID)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32).map(a_store), st.integers(0, 2**32), st.sampled_from([5, 40, 90, 130]),
    st.sampled_from([None, 1, 3, 64]),
)  # fmt: skip
def test_what_it_cost_is_counted_by_workload_whichever_portions_it_lies_in(
    store: tuple[list[Call], list[Row]], other: int, cut: int, keys: int | None
) -> None:
    calls, rows = store
    later = [*rows, *a_store(other)[1]]
    seen = marked(
        evidence_of(calls, restored_at(150, rows), look("first", later, 500), look("second", later, 600)),
        Mark(CLOSED, cut, cut),
    )  # fmt: skip
    found = counted(seen if keys is None else in_portions(seen, keys))
    assert [one.workload for one in found] == list(OF)
    since = [one.recovery_point_ns for one in found if one.recovery_point_ns is not None]
    for one in found:
        mine = of_workload((calls, rows), one.workload)
        slow = slowly(*mine, cut, of_workload((calls, later), one.workload)[1])
        if since and one.recovery_point_ns == min(since):  # else others went earlier: not its own
            assert {name: getattr(one, name) for name in slow} == slow
        assert one.lost == (one.back or 0) + (one.gone or 0) + (one.spoiled or 0)
        assert one.waiting == 0
        told = [example.split() for example in one.examples]
        fates = ("gone", "spoiled", "back")
        assert [t[0] for t in told] == [
            f for f in fates for _ in range(min(20, getattr(one, f) or 0))
        ]
        mine_keys = {f"pd-{RUN_ID}-{w}-{s}" for w, s in told_of(*mine)}
        assert {t[1] for t in told} <= mine_keys
        for fate in fates:
            keys_of = [tuple(map(int, t[1].split("-")[2:])) for t in told if t[0] == fate]
            assert keys_of == sorted(set(keys_of))


@pytest.mark.parametrize("keys", [None, 1, 3])
def test_where_the_stores_were_not_read_at_the_end_nothing_is_back_or_gone(
    keys: int | None,
) -> None:
    calls = [replace(acked(0, n), value=100 + n) for n in range(0, 12, 3)]
    seen = marked(evidence_of(calls, restored_at(150, [Row(0, 0, 1, 1)])), Mark(CLOSED, 90, 90))
    (mine, other, third) = counted(seen if keys is None else in_portions(seen, keys))
    assert (mine.acked, mine.lost, mine.lost_value_cents) == (4, 3, 103 + 106 + 109)
    assert (mine.back, mine.gone, mine.spoiled, mine.back_value_cents, mine.gone_value_cents) == (
        (None,) * 5
    )
    assert (mine.examples, mine.waiting) == ((), 0)
    for nothing in (other, third):
        assert (nothing.acked, nothing.lost, nothing.span_ns) == (0, 0, 0)
        assert (nothing.recovery_point_ns, nothing.last_lost_ns) == (None, None)


def test_of_no_portion_nothing_was_lost() -> None:
    for one in restoration(Restore(90, None), [], OF, fault=T_F, run_id=RUN_ID):
        fates = (one.acked, one.lost, one.back, one.gone, one.spoiled, one.waiting, one.span_ns)
        assert fates == (0,) * 7
        cents = (one.lost_value_cents, one.back_value_cents, one.gone_value_cents)
        assert (cents, one.examples) == ((0, 0, 0), ())


def test_without_an_effect_its_reach_is_told_by_its_length_alone() -> None:
    calls = [replace(acked(0, n), sent=10 + n, done=11 + n) for n in range(0, 12, 3)]
    seen = marked(evidence_of(calls, restored_at(150)), Mark(CLOSED, 90, 90))
    (mine, *_), (bare, *_) = counted(seen), counted(seen, fault=None)
    assert (mine.recovery_point_ns, mine.last_lost_ns) == (10 - FAULT[1], 20 - FAULT[1])
    assert (bare.recovery_point_ns, bare.last_lost_ns) == (None, None)
    assert mine.span_ns == bare.span_ns == 10


GAP = Mark(MarkName.UNPROTECTED, 20, 24, "nothing arrived")


def window(
    seen: Evidence, *marks: Mark, known: bool = True, keys: int | None = None
) -> UnprotectedWindow | None:
    seen = marked(seen, *marks)
    cut = seen if keys is None else in_portions(seen, keys)
    each: list[tuple[Records, End | None]] = [
        (p.records, p.end if known or p.number else None) for p in pieces(plan_of(), cut, None)
    ]
    return unprotected(cut, each)


def done_at(*instants: int) -> list[Call]:
    return [
        replace(acked(0, n), sent=1, done=at, value=100, canary=n == 1)
        for n, at in enumerate(instants)
    ]


@pytest.mark.parametrize("keys", [None, 1])
def test_what_was_acknowledged_unprotected_is_counted_from_edge_to_edge(keys: int | None) -> None:
    """From the earliest instant of its mark to the latest of the one that ended it, both in it."""
    calls = done_at(19, 20, 21, 60, 61)
    calls.append(replace(calls[2], seq=9, record=9, outcome=Outcome.UNKNOWN))
    seen = evidence_of(calls, look("first", [Row(0, 2, 1, 1)], 500))
    found = window(seen, GAP, Mark(MarkName.PROTECTED, 50, 60), keys=keys)
    assert found == UnprotectedWindow(
        since_ns=20 - FAULT[1], until_ns=60 - FAULT[1], length_ns=40, acked=3, value_cents=200,
        lost=2, told="nothing arrived",
    )  # fmt: skip
    unknown = window(seen, GAP, Mark(MarkName.PROTECTED, 50, 60), known=False, keys=keys)
    assert unknown == replace(found, lost=None)


@pytest.mark.parametrize(
    ("protected", "until_ns", "length_ns"),
    [
        (((24, 30),), None, 380),  # perhaps the same instant: it says nothing of what came after
        (((25, 30),), 30, 10),
        (((5, 6), (40, 41), (70, 71)), 41, 21),  # the next one
        ((), None, 380),
    ],
)
def test_it_lasts_to_the_next_protection_or_the_end_of_the_load(
    protected: tuple[tuple[int, int], ...], until_ns: int | None, length_ns: int
) -> None:
    seen = evidence_of(done_at(30), look("first", [], 500))
    found = window(seen, GAP, *(Mark(MarkName.PROTECTED, *at) for at in protected))
    assert found is not None
    assert found.until_ns == (None if until_ns is None else until_ns - FAULT[1])
    assert found.length_ns == length_ns


def test_without_its_mark_there_is_none_and_without_an_effect_it_counts_from_the_load() -> None:
    seen = evidence_of(done_at(30), look("first", [], 500))
    assert window(seen) is None
    bare = replace(seen, timeline=Timeline((GAP,)), load_begun_ns=15)
    found = unprotected(bare, [])
    assert found is not None
    assert (found.since_ns, found.length_ns, found.acked, found.lost) == (5, 380, 0, 0)
    stopped = replace(bare, load_stopped_ns=7)
    found = unprotected(stopped, [])
    assert found is not None
    assert found.length_ns == 0, "the load had stopped: it lasted for no load at all"


def test_a_record_counts_by_the_first_call_of_it_that_was_acknowledged() -> None:
    create = replace(acked(0, 0), outcome=Outcome.UNKNOWN, sent=5, done=9)
    again = replace(create, seq=1, kind=Kind.RESYNC, outcome=Outcome.ACKED, sent=29, done=30)
    records = records_of(operations([create, again, replace(again, seq=2, done=500)]))
    assert records.acked_ns.tolist() == [30]
    assert np.array_equal(records.sent_ns, [29])
