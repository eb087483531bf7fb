"""Laws of RPO: it agrees with a slow oracle, and a planted defect is found, counted and named."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.evidence import LedgerHealth, Survivors
from harness.core.judge import judge
from harness.core.looks import Look
from harness.core.operation import Detail, Flag, Kind, Outcome, Workload
from harness.core.operations import SLOT, Operations
from harness.core.records import records_of
from harness.core.recovery_point import (
    PostedBefore,
    classify,
    held_by,
    replayed,
    stale_reads,
    strangers_of,
)
from harness.core.timeline import Mark, MarkName
from harness.core.verdict import Verdict, WriteCounts
from harness.core.write_counts import WriteTally
from tests.core import simulate
from tests.core.oracle_point import Call, Row, counts
from tests.core.simulate import ORDERS, Defects

ENDS = {0: 40, 1: 12}
FAULT = (90, 100)


def operations(calls: list[Call]) -> Operations:
    parts = []
    for worker in ENDS:
        mine = sorted((c for c in calls if c.worker == worker), key=lambda c: c.seq)
        slots = np.zeros(len(mine), dtype=SLOT)
        for slot, call in zip(slots, mine, strict=True):
            flags = Flag.CANARY if call.canary else Flag.NONE
            flags |= Flag.IDEMPOTENT if call.idempotent else Flag.NONE
            detail = Detail.NONE
            if call.kind is Kind.READ:
                detail = Detail.FOUND if call.found else Detail.NOT_FOUND
            for name, value in {
                "sent_ns": call.sent, "digest": call.digest, "seq": call.seq,
                "record": call.record, "value_cents": call.value, "workload": ORDERS.code,
                "kind": call.kind, "stage": call.stage, "flags": flags, "done_ns": call.done,
                "answer": call.answer, "detail": detail, "sends": call.sends,
                "outcome": call.outcome, "state": 2,
            }.items():  # fmt: skip
                slot[name] = value
        parts.append(Operations.from_slots(worker, slots))
    return Operations.concatenate(parts)


def survivors(rows: list[Row]) -> Survivors:
    def column(name: str, dtype: type) -> np.ndarray:
        return np.array([getattr(r, name) for r in rows], dtype=dtype)

    return Survivors(
        workload=np.full(len(rows), ORDERS.code, dtype=np.uint8),
        worker=column("worker", np.uint16),
        seq=column("seq", np.uint32),
        stage=column("stage", np.uint8),
        digest=column("digest", np.uint64),
        document=column("document", np.uint64),
        parts=column("parts", np.uint8),
        expected_parts=column("expected", np.uint8),
    )


def measure(
    calls: list[Call], rows: list[Row], staleness: int = 0, *, clock_error_ns: int = 0
) -> WriteCounts:
    """The counts of one look, as the judge takes them."""
    ledger, found = operations(calls), survivors(rows)
    records = records_of(ledger)
    held = held_by(records, found)
    classes = classify(records, held)
    ledgers = tuple(LedgerHealth(k, True, end, 0, 0, 0, 0) for k, end in ENDS.items())
    strangers = strangers_of(records, found, ledgers, workers=2)
    reads = stale_reads(ledger, records, classes.lost, {ORDERS: staleness})
    look = Look(classes, held, strangers, reads, replayed=np.zeros(len(records), dtype=bool))
    posted = PostedBefore(ledger, {ORDERS: staleness})
    posted.add(records, classes.lost)
    fault, tally = Mark(MarkName.FAULT_ACTIVE, *FAULT), WriteTally([ORDERS])
    tally.add(0, records, look)
    if tally.undecided(fault):
        tally.look_again(records, look, fault)
    stale = Operations.concatenate([reads, posted.short()])
    return tally.counts(
        ORDERS, strangers=strangers, stale=stale, fault=fault, clock_error_ns=clock_error_ns
    )


OUTCOMES = [Outcome.ACKED, Outcome.ACKED, Outcome.REFUSED, Outcome.UNKNOWN, Outcome.NONE]
LATER = [Kind.ADVANCE, Kind.ADVANCE, Kind.ATTACH, Kind.CANCEL, Kind.RESYNC, Kind.READ, Kind.REPORT,
         Kind.TOUCH]  # fmt: skip
STAGES = {Kind.CREATE: [1, 2], Kind.ADVANCE: [2, 3, 4], Kind.CANCEL: [9], Kind.RESYNC: [1]}


def a_chain(random: Random, worker: int, seq: int) -> list[Call]:
    """One record's calls, in an order that no client would dare."""
    canary, idempotent = random.random() < 0.3, random.random() < 0.5
    sends, at, calls = random.randint(1, 2), random.randint(1, 120), []
    for place, kind in enumerate([Kind.CREATE, *random.choices(LATER, k=random.randint(0, 4))]):
        outcome, done = random.choice(OUTCOMES), at + random.randint(0, 5)
        calls.append(
            Call(
                worker, seq + place, seq, kind, outcome, random.choice(STAGES.get(kind, [0])),
                digest=random.randint(0, 2) if kind is Kind.CREATE else 7, sent=at,
                done=done if outcome is not Outcome.NONE else 0,
                value=100 + seq if kind is Kind.CREATE else 0, canary=canary,
                idempotent=idempotent, sends=sends, found=random.random() < 0.5,
                answer=random.randint(0, 3),
            )
        )  # fmt: skip
        at = done + random.randint(0, 2)
    return calls


def a_store(seed: int) -> tuple[list[Call], list[Row]]:
    """A ledger and what some store holds of it: every class is common in it."""
    random, calls = Random(seed), []
    for worker, end in ENDS.items():
        seq = 0
        while seq + 5 <= end and random.random() < 0.9:
            chain = a_chain(random, worker, seq)
            calls += chain
            seq += len(chain) + random.randint(0, 1)
    keys = [(c.worker, c.seq) for c in calls if c.kind is Kind.CREATE]
    rows = []
    for _ in range(random.randint(0, 14)):
        known = keys and random.random() < 0.8
        key = random.choice(keys) if known else (random.randint(0, 2), random.randint(0, 60))
        rows.append(
            Row(
                *key, stage=random.choice([1, 2, 3, 4, 9]), digest=random.randint(0, 2),
                document=random.choice([0, 7, 8]), parts=random.randint(0, 3),
                expected=random.choice([0, 1, 3]),
            )
        )  # fmt: skip
    return calls, rows


stores = st.integers(0, 2**32).map(a_store)
laws = settings(max_examples=300, deadline=None, derandomize=True)


@laws
@given(stores, st.sampled_from([0, 10]))
def test_it_agrees_with_the_slow_oracle(case: tuple[list[Call], list[Row]], staleness: int) -> None:
    calls, rows = case
    fast = measure(calls, rows, staleness)
    slow = counts(calls, rows, ends=ENDS, fault=FAULT, stale=staleness)
    assert {name: getattr(fast, name) for name in slow} == slow


@laws
@given(stores)
def test_what_was_acknowledged_is_there_or_lost_and_what_is_unknown_is_either(
    case: tuple[list[Call], list[Row]],
) -> None:
    found = measure(*case)
    assert found.lost <= found.acked
    assert found.absent + found.recovered == found.unknown
    assert found.acked + found.unknown + found.refused == len(
        [c for c in case[0] if c.kind is Kind.CREATE]
    )
    assert (found.achieved_ns > 0) == (found.lost > 0)


@laws
@given(stores)
def test_an_empty_store_has_lost_every_acknowledged_record(
    case: tuple[list[Call], list[Row]],
) -> None:
    found = measure(case[0], [])
    assert found.lost == found.acked
    assert found.violations == found.stale
    assert found.recovered == 0


def one(outcome: Outcome, *, kind: Kind = Kind.CREATE, stage: int = 1, at: int = 50) -> Call:
    return Call(0, 0, 0, kind, outcome, stage, digest=1, sent=at, done=at + 1, value=4800)


@pytest.mark.parametrize(
    ("outcome", "there", "name"),
    [
        (Outcome.ACKED, False, "lost"),
        (Outcome.UNKNOWN, False, "absent"),
        (Outcome.UNKNOWN, True, "recovered"),
        (Outcome.NONE, True, "recovered"),
        (Outcome.REFUSED, True, "ghost"),
    ],
)
def test_the_table_of_the_definitions(outcome: Outcome, there: bool, name: str) -> None:
    rows = [Row(0, 0, 1, 1)] if there else []
    assert getattr(measure([one(outcome)], rows), name) == 1


def test_the_recovery_point_is_the_instant_before_the_earliest_loss() -> None:
    calls = [replace(one(Outcome.ACKED, at=at), seq=at, record=at) for at in (10, 20, 30)]
    found = measure(calls, [Row(0, 10, 1, 1)])
    assert found.recovery_point_ns == 21 - 1 - FAULT[1]
    assert found.achieved_ns == FAULT[1] - 20  # nothing was acknowledged after the fault
    late = replace(one(Outcome.ACKED, at=200), seq=35, record=35)
    assert measure([*calls, late], [Row(0, 10, 1, 1)]).achieved_ns == 201 - 20


def test_loss_in_the_middle_is_no_suffix() -> None:
    calls = [replace(one(Outcome.ACKED, at=at), seq=at, record=at) for at in (10, 20, 30)]
    assert measure(calls, [Row(0, 10, 1, 1)]).lost_is_suffix
    assert not measure(calls, [Row(0, 10, 1, 1), Row(0, 30, 1, 1)]).lost_is_suffix
    after = replace(one(Outcome.ACKED, at=200), seq=35, record=35)
    rows = [Row(0, 10, 1, 1), Row(0, 35, 1, 1)]  # written after the fault, by the new primary
    assert measure([*calls, after], rows).lost_is_suffix


def test_a_till_s_second_sync_makes_the_sale_acknowledged() -> None:
    first = replace(one(Outcome.UNKNOWN), idempotent=True)
    again = replace(one(Outcome.ACKED, kind=Kind.RESYNC, at=70), seq=1)
    found = measure([first, again], [])
    assert (found.acked, found.unknown, found.lost) == (1, 0, 1)
    assert found.recovery_point_ns == 70 - FAULT[1]


def test_a_second_execution_after_a_retry_is_told_apart() -> None:
    rows = [Row(0, 0, 1, 1), Row(0, 0, 1, 1)]
    retried = measure([replace(one(Outcome.ACKED), sends=2)], rows)
    assert (retried.duplicate, retried.duplicate_by_retry, retried.violations) == (0, 1, 0)
    assert measure([replace(one(Outcome.ACKED), sends=1)], rows).duplicate == 1


def test_reserved_by_itself_is_no_ghost() -> None:
    refused = replace(one(Outcome.REFUSED, kind=Kind.ADVANCE, stage=3), seq=1)
    assert measure([one(Outcome.ACKED), refused], [Row(0, 0, 3, 1)]).ghost == 0
    refused = replace(refused, stage=4)
    assert measure([one(Outcome.ACKED), refused], [Row(0, 0, 4, 1)]).ghost == 1


def test_a_replayed_record_is_whole_and_there_once() -> None:
    records = records_of(operations([one(Outcome.ACKED)]))
    gone = classify(records, held_by(records, survivors([])))
    for rows, back in (
        ([Row(0, 0, 1, 1)], 1),
        ([Row(0, 0, 1, 2)], 0),
        ([Row(0, 0, 1, 1)] * 2, 0),
        ([], 0),
    ):
        held = held_by(records, survivors(rows))
        assert replayed(records, gone, classify(records, held), held).sum() == back


def counted(defects: Defects, **more: object) -> tuple[Verdict, WriteCounts]:
    judged = judge(*simulate.evidence(defects=defects, after_s=15.0, **more))
    found = next(w.rpo for w in judged.workloads if w.workload is defects.workload)
    assert found is not None
    return judged.verdict, found.gated


@pytest.mark.parametrize(
    ("planted", "name", "number"),
    [
        ({"lost": 3}, "lost", 3),
        ({"lost_early": 2}, "lost", 2),
        ({"unconfirmed": 2}, "lost", 2),
        ({"ghost": 4}, "ghost", 4),
        ({"duplicate": 5}, "duplicate", 5),
        ({"altered": 3}, "altered", 3),
        ({"altered_document": 2}, "altered", 2),
        ({"partial": 2}, "partial", 2),
        ({"partial_document": 2}, "partial", 2),
        ({"resurrected": 1}, "resurrected", 1),
        ({"stale": 2}, "stale", 2),
        ({"unexpected": 2}, "unexpected", 2),
    ],
)
def test_a_planted_defect_is_found_and_nothing_else(
    planted: dict[str, int], name: str, number: int
) -> None:
    verdict, found = counted(Defects(**planted))
    assert verdict is Verdict.MISSED
    seen = {k: getattr(found, k) for k in (
        "lost", "ghost", "duplicate", "altered", "partial", "resurrected", "stale", "unexpected",
    )}  # fmt: skip
    assert seen == dict.fromkeys(seen, 0) | {name: number}
    assert found.lost_value_cents == 4800 * found.lost


def test_an_honest_run_has_none() -> None:
    for mode in ("refuse", "hang"):
        verdict, found = counted(Defects(), mode=mode)
        assert verdict is Verdict.MET
        assert (found.lost, found.violations, found.lost_value_cents) == (0, 0, 0)
        assert found.acked > 100


@pytest.mark.parametrize("workload", [Workload.POINT_OF_SALE, Workload.FINANCE])
def test_other_workloads_are_counted_apart(workload: Workload) -> None:
    verdict, found = counted(Defects(workload=workload, lost=2, duplicate=1))
    assert (found.lost, found.duplicate) == (2, 1)
    assert verdict is Verdict.MISSED


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.integers(0, 12),
    st.lists(st.tuples(st.integers(70, 115), st.integers(-12, 12)), min_size=1, max_size=4),
)
def test_whatever_a_clock_was_off_by_within_its_error_the_true_loss_is_in_the_interval(
    error_ns: int, losses: list[tuple[int, int]]
) -> None:
    """Of calls that were all lost: each done, by the worker's clock, and what that was off by."""
    true_ns = [done + max(-error_ns, min(error_ns, off)) for done, off in losses]
    calls = [
        Call(0, seq, seq, Kind.CREATE, Outcome.ACKED, 1, digest=1, sent=0, done=done)
        for seq, (done, _) in enumerate(losses)
    ]
    found = measure(calls, [], clock_error_ns=error_ns)
    truth = max(FAULT[1], *true_ns) - (min(true_ns) - 1)
    assert abs(truth - found.achieved_ns) <= found.widened_by_ns
