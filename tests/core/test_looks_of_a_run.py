"""What the looks of a whole run tell: several workloads and workers, in portions of any size."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.evidence import Evidence, LedgerHealth, ReadBack, Survivors
from harness.core.looks import pieces, settled
from harness.core.measures import Measures
from harness.core.operation import Kind, Outcome, Workload
from harness.core.operations import Operations
from harness.core.plan import Plan
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import RecoveryPoint
from harness.core.whole_looks import Looks
from tests.core import simulate
from tests.core.judged_runs import run
from tests.core.oracle_point import Call, Row, Told, counts, told_of
from tests.core.portioned import in_portions
from tests.core.simulate import RUN_ID
from tests.core.test_recovery_point import ENDS, FAULT, a_store, operations, survivors

CLOCK_ERROR = 7
OF = (Workload.ORDER_CAPTURE, Workload.POINT_OF_SALE, Workload.FINANCE)
T_F = Mark(MarkName.FAULT_ACTIVE, *FAULT)
_, BARE = run()
type_store = tuple[list[Call], list[Row]]


def workload_of(worker: int, record: int) -> Workload:
    return OF[(worker + record) % len(OF)]


def in_workloads(calls: list[Call]) -> Operations:
    """The same ledger, each record of a workload by its key."""
    ledger = operations(calls)
    codes = [workload_of(*key).code for key in zip(ledger.worker.tolist(), ledger.record.tolist(), strict=True)]  # fmt: skip
    return replace(ledger, workload=np.array(codes, dtype=np.uint8))


def stored(rows: list[Row]) -> Survivors:
    codes = [workload_of(r.worker, r.seq).code for r in rows]
    return replace(survivors(rows), workload=np.array(codes, dtype=np.uint8))


def plan_of(*, staleness_s: float = 0.0) -> Plan:
    targets = simulate.TARGETS
    mine = [t for t in targets.workloads if t.workload in OF]
    mine = [replace(t, staleness_s=staleness_s, rpo_s=0.0) for t in mine]
    return simulate.plan_of(targets=replace(targets, workloads=tuple(mine)), workers=2)


def look(name: str, rows: list[Row], taken_ns: int, *, complete: bool = True) -> ReadBack:
    return ReadBack(name, taken_ns, complete, "", stored(rows), 0, ())


def evidence_of(calls: list[Call], *looks: ReadBack, settled_ns: int | None = 250) -> Evidence:
    named = {one.name: one for one in looks}
    return replace(
        BARE, operations=in_workloads(calls), timeline=Timeline((T_F,)), load_begun_ns=0,
        load_stopped_ns=400, first=named.get("first"), second=named.get("second"),
        restored=named.get("restored"),
        observation=replace(BARE.observation, replay_ended_ns=settled_ns, clock_error_ns=CLOCK_ERROR),
        ledgers=tuple(LedgerHealth(w, True, end, 0, 0, 0, 0) for w, end in ENDS.items()),
    )  # fmt: skip


def of_workload(store: type_store, workload: Workload) -> type_store:
    calls, rows = store
    return (
        [c for c in calls if workload_of(c.worker, c.record) is workload],
        [r for r in rows if workload_of(r.worker, r.seq) is workload],
    )


NAMED = ("lost", "ghost", "duplicate", "altered", "partial", "resurrected")


def is_of(told: Told, name: str) -> bool:
    if name == "lost":
        return bool(told.missing_calls())
    if name == "duplicate":
        retried = told.create.sends > 1 and not told.create.idempotent
        return len(told.rows) > 1 and not told.refused and not retried
    return bool(getattr(told, name)())


def named(store: type_store) -> list[str]:
    """The keys of each class by worker and seq, the gravest class first; then rows of nobody."""
    told = told_of(*store)
    keys = [(name, key) for name in NAMED for key in sorted(told) if is_of(told[key], name)]
    strangers = sorted({(r.worker, r.seq) for r in store[1]} - set(told))
    keys += [("unexpected", k) for k in strangers if k[0] not in ENDS or k[1] < ENDS[k[0]]]
    return [f"{name} pd-{RUN_ID}-{worker}-{seq}" for name, (worker, seq) in keys]


@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32).map(a_store), st.sampled_from([0, 10]), st.sampled_from([None, 1, 3, 64])
)
def test_every_workload_is_counted_apart_and_its_keys_are_named_in_order(
    store: type_store, staleness: int, keys: int | None
) -> None:
    plan = plan_of(staleness_s=staleness / 1e9)
    seen = evidence_of(store[0], look("first", store[1], 500), look("second", store[1], 600))
    whole = Looks.of(plan, seen if keys is None else in_portions(seen, keys), None, T_F)
    assert list(whole.by_name) == ["first", "second"]
    for name, found in whole.by_name.items():
        assert found.name == name
        for workload in OF:
            mine = of_workload(store, workload)
            slow = counts(*mine, ends=ENDS, fault=FAULT, stale=staleness)
            fast = found.tally.counts(
                workload,
                strangers=found.strangers,
                stale=found.stale,
                fault=T_F,
                clock_error_ns=CLOCK_ERROR,
            )
            assert {n: getattr(fast, n) for n in slow} == slow
            assert fast.widened_by_ns == off_by(mine)
            told = found.tally.examples(
                workload, strangers=found.strangers, stale=found.stale, run_id=RUN_ID
            )
            plain = [example for example in told if not example.startswith("stale")]
            assert plain == named(mine)[:20]
            assert len(told) - len(plain) >= min(fast.stale > 0, 20 - len(plain))


def off_by(store: type_store) -> int:
    """RPO in seconds: its first end by a clock's error, its last as far as it may lie after t_F."""
    acks = [c.done for t in told_of(*store).values() for c in t.missing_calls()]
    if not acks:
        return 0
    last = [max(FAULT[1], max(acks) + off) for off in (0, CLOCK_ERROR)]
    return CLOCK_ERROR + last[1] - last[0]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32).map(a_store), st.sampled_from([1, 3, 64]))
def test_what_was_answered_stale_is_told_in_the_order_of_keys_reads_first(
    store: type_store, keys: int
) -> None:
    seen = evidence_of(store[0], look("first", store[1], 500))
    whole, parts = (
        Looks.of(plan_of(), one, None, T_F).by_name["first"]
        for one in (seen, in_portions(seen, keys))
    )
    for f in fields(Operations):
        assert getattr(whole.stale, f.name).tolist() == getattr(parts.stale, f.name).tolist()
    is_read = (whole.stale.kind == Kind.READ).tolist()
    assert is_read == sorted(is_read, reverse=True)
    reads = whole.stale.where(whole.stale.kind == Kind.READ)
    told = list(zip(reads.worker.tolist(), reads.seq.tolist(), strict=True))
    assert told == sorted(told)


def acked(worker: int, seq: int) -> Call:
    return Call(worker, seq, seq, Kind.CREATE, Outcome.ACKED, 1, digest=1, sent=10, done=11)


def test_no_more_than_twenty_keys_are_named_and_the_gravest_take_their_places() -> None:
    """Thirty of one workload are lost or ghosts: seven ghosts and thirteen losses cannot all be told."""
    mine = [(0, seq) for seq in range(0, 39, 3)] + [(1, seq) for seq in range(2, 12, 3)]
    refused = [(1, seq) for seq in range(14, 40, 3)]
    calls = [acked(*key) for key in mine]
    calls += [replace(acked(*key), outcome=Outcome.REFUSED) for key in refused]
    assert {workload_of(*key) for key in [*mine, *refused]} == {OF[0]}
    seen = evidence_of(calls, look("first", [Row(*key, 1, 1) for key in refused], 500))
    for one in (seen, in_portions(seen, 4), in_portions(seen, 1)):
        found = Looks.of(plan_of(), one, None, T_F).by_name["first"]
        told = found.tally.examples(
            OF[0], strangers=found.strangers, stale=found.stale, run_id=RUN_ID
        )
        every = [("lost", key) for key in mine] + [("ghost", key) for key in refused]
        assert list(told) == [f"{name} pd-{RUN_ID}-{w}-{s}" for name, (w, s) in every][:20]


@pytest.mark.parametrize("keys", [None, 1, 5])
def test_rows_of_nobody_are_gathered_from_every_portion(keys: int | None) -> None:
    calls = [acked(0, 0), acked(1, 3)]
    rows = [Row(0, 0, 1, 1), Row(1, 3, 1, 1), Row(1, 5, 1, 1), Row(0, 9, 1, 1), Row(1, 50, 1, 1)]
    seen = evidence_of(calls, look("first", rows, 500))
    found = Looks.of(
        plan_of(), seen if keys is None else in_portions(seen, keys), None, T_F
    ).by_name["first"]  # fmt: skip
    strangers = found.strangers
    told = zip(
        strangers.worker.tolist(), strangers.seq.tolist(), strangers.workload.tolist(),
        strangers.beyond_ledger.tolist(), strict=True,
    )  # fmt: skip
    assert list(told) == [
        (0, 9, workload_of(0, 9).code, False), (1, 5, workload_of(1, 5).code, False),
        (1, 50, workload_of(1, 50).code, True),
    ]  # fmt: skip
    assert [dict(zip(("of", "n"), (w, n), strict=True)) for w, n in unexpected(found)] == [
        {"of": OF[0], "n": 2}, {"of": OF[1], "n": 0}, {"of": OF[2], "n": 0},
    ]  # fmt: skip


def unexpected(found) -> list[tuple[Workload, int]]:
    return [
        (w, found.tally.counts(w, strangers=found.strangers, stale=found.stale, fault=T_F).unexpected)
        for w in OF
    ]  # fmt: skip


@pytest.mark.parametrize("first", [True, False, None])
@pytest.mark.parametrize("second", [True, False, None])
def test_only_looks_that_were_taken_whole_are_told_of(
    first: bool | None, second: bool | None
) -> None:
    taken = [("first", first), ("second", second), ("restored", True)]
    looks = [look(n, [], 500, complete=c) for n, c in taken if c is not None]
    seen = evidence_of([acked(0, 0)], *looks)
    found = Looks.of(plan_of(), seen, None, T_F)
    assert list(found.by_name) == [n for n, c in taken[:2] if c]
    (piece,) = pieces(plan_of(), seen, None)
    assert list(piece.looks) == list(found.by_name)
    last = first if second is None else second
    assert (piece.end is not None) is bool(last), "what became of it the last look tells, or nobody"


def test_pieces_are_those_that_are_asked_for_in_their_order() -> None:
    calls = [acked(0, seq) for seq in range(9)]
    seen = in_portions(evidence_of(calls, look("first", [], 500)), 2)
    assert [p.number for p in pieces(plan_of(), seen, None)] == list(range(5))
    assert [p.number for p in pieces(plan_of(), seen, None, [3, 1])] == [3, 1]
    assert list(pieces(plan_of(), seen, None, [])) == []
    every = list(chain.from_iterable(p.records.seq.tolist() for p in pieces(plan_of(), seen, None)))
    assert every == list(range(9))


@pytest.mark.parametrize(
    ("second", "settled_ns", "is_settled"),
    [(True, 250, True), (True, None, False), (False, 250, False), (False, None, False)],
)
def test_queues_were_seen_to_drain_only_by_a_second_look_and_an_end_of_replay(
    second: bool, settled_ns: int | None, is_settled: bool
) -> None:
    looks = [look("first", [], 500), *([look("second", [], 600)] if second else [])]
    seen = evidence_of([acked(0, 0)], *looks, settled_ns=settled_ns)
    assert settled(seen) is is_settled
    assert Measures(plan_of(), seen).settled is is_settled


QUEUE = Workload.MARKETPLACE


def queued(*looks: tuple[str, int, int, bool]) -> dict[str, tuple[int, int]]:
    """Three orders that a queue took, and how many of them each look finds: lost, and waiting."""
    calls = [acked(0, seq) for seq in (0, 1, 2)]
    taken = []
    for name, there, taken_ns, complete in looks:
        of = look(name, [Row(0, seq, 1, 1) for seq in range(there)], taken_ns, complete=complete)
        codes = np.full(there, QUEUE.code, dtype=np.uint8)
        taken.append(replace(of, survivors=replace(of.survivors, workload=codes)))
    seen = evidence_of(calls, *taken, settled_ns=None)
    codes = np.full(3, QUEUE.code, dtype=np.uint8)
    seen = replace(seen, operations=replace(seen.operations, workload=codes))
    (market,) = [t for t in simulate.TARGETS.workloads if t.workload is QUEUE]
    plan = replace(plan_of(), targets=replace(simulate.TARGETS, workloads=(market,)))
    found = {}
    for name, one in Looks.of(plan, seen, None, T_F).by_name.items():
        told = one.tally.counts(QUEUE, strangers=one.strangers, stale=one.stale, fault=T_F)
        found[name] = (told.lost, told.waiting)
    return found


@pytest.mark.parametrize(
    ("looks", "found"),
    [
        ([("first", 1, 500, True)], {"first": (0, 2)}),
        ([("first", 2, 500, True), ("second", 0, 600, True)], {"first": (0, 1), "second": (2, 1)}),
        # no earlier look: taken at the same instant, or later, or not whole
        ([("first", 2, 600, True), ("second", 0, 600, True)], {"first": (0, 1), "second": (0, 3)}),
        ([("first", 2, 500, False), ("second", 0, 600, True)], {"second": (0, 3)}),
        # a look after a restore is one of them
        ([("restored", 3, 80, True), ("first", 1, 500, True)], {"first": (2, 0)}),
        ([("restored", 1, 80, True), ("first", 0, 500, True)], {"first": (1, 2)}),
        ([("restored", 3, 80, False), ("first", 1, 500, True)], {"first": (0, 2)}),
        ([("restored", 3, 500, True), ("first", 1, 500, True)], {"first": (0, 2)}),
        (
            [("restored", 1, 80, True), ("first", 2, 500, True), ("second", 0, 600, True)],
            {"first": (0, 1), "second": (2, 1)},
        ),
    ],
)
def test_what_any_earlier_look_has_found_can_wait_in_no_queue(
    looks: list[tuple[str, int, int, bool]], found: dict[str, tuple[int, int]]
) -> None:
    assert queued(*looks) == found


def test_a_recovery_point_names_its_keys_by_the_look_that_is_gated() -> None:
    calls = [acked(0, 0), acked(0, 3)]
    both, one = [Row(0, 0, 1, 1), Row(0, 3, 1, 1)], [Row(0, 0, 1, 1)]
    seen = evidence_of(calls, look("first", both, 500), look("second", one, 600), settled_ns=None)
    (judged, *_) = Measures(plan_of(), seen).workloads()
    assert isinstance(judged.rpo, RecoveryPoint)
    assert judged.rpo.examples == (f"lost pd-{RUN_ID}-0-3",)
    assert (judged.rpo.before_replay.lost, judged.rpo.gated.lost) == (0, 1)
