"""Keys by a dictionary, what is held of each record by lists of rows, calls about records of nobody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.evidence import LedgerHealth, Part, Survivors
from harness.core.operation import Kind, Outcome, Workload
from harness.core.operations import SLOT, Operations
from harness.core.records import NEVER, Keys, Records, one_worker, records_of
from harness.core.recovery_point import by_code, classify, held_by, stale_reads, strangers_of
from harness.core.targets import Targets
from harness.core.whole_looks import Looks
from tests.core.oracle_point import Call, Row, told_of
from tests.core.test_looks_of_a_run import OF, T_F, acked, evidence_of, look, plan_of
from tests.core.test_recovery_point import ENDS, a_store, measure, operations, survivors

KEYS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=12, unique=True)
ASKED = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 11)), max_size=12)


def creates(keys: list[tuple[int, int]]) -> Operations:
    parts = []
    for worker in sorted({w for w, _ in keys}):
        mine = sorted(s for w, s in keys if w == worker)
        slots = np.zeros(len(mine), dtype=SLOT)
        slots["seq"] = slots["record"] = mine
        slots["kind"], slots["state"], slots["outcome"] = Kind.CREATE, 2, Outcome.ACKED
        parts.append(Operations.from_slots(worker, slots))
    return Operations.concatenate(parts)


def find(keys: Keys, asked: list[tuple[int, int]]) -> list[int]:
    workers = np.array([w for w, _ in asked], dtype=np.uint16)
    found = keys.find(workers, np.array([s for _, s in asked], dtype=np.uint32)).tolist()
    return [n if n >= 0 else -1 for n in found]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(KEYS, ASKED, st.sampled_from([None, 0, 1, 2, 4, 5]))
def test_a_key_is_found_as_in_a_dictionary(
    made: list[tuple[int, int]], asked: list[tuple[int, int]], only: int | None
) -> None:
    """Of one worker as of several, of workers that nobody had, and right beside a worker's last."""
    ledger = creates(made)
    number = {key: n for n, key in enumerate(sorted(made))}
    if only is not None:
        asked = [(only, seq) for _, seq in asked]
    assert find(Keys.of(ledger), asked) == [number.get(key, -1) for key in asked]


@pytest.mark.parametrize("worker", [0, 1, 2, 3, 65_535])
def test_right_beside_the_last_of_a_worker_lies_no_other_worker_s_first(worker: int) -> None:
    keys = Keys.of(creates([(0, 4), (0, 6), (1, 0), (1, 9), (2, 3)]))
    every = [(worker, seq) for seq in (*range(12), 2**31, 2**32 - 1)]
    number = {(0, 4): 0, (0, 6): 1, (1, 0): 2, (1, 9): 3, (2, 3): 4}
    wanted = [number.get(key, -1) for key in every]
    assert find(keys, every) == wanted
    for key, n in zip(every, wanted, strict=True):
        assert find(keys, [key]) == [n]
    assert find(keys, [*every, (1, 9)])[-1] == 3
    alone = Keys.of(creates([(0, 4)]))
    assert find(alone, [(worker, 4), (0, 5)]) == [0 if worker == 0 else -1, -1]


def test_one_worker_is_that_of_all_rows() -> None:
    def of(*workers: int) -> int | None:
        return one_worker(np.array(workers, dtype=np.uint16))

    assert [of(), of(3), of(3, 3, 3), of(3, 3, 4), of(4, 3, 3), of(0, 0)] == [
        None, 3, 3, None, None, 0,
    ]  # fmt: skip


CALLS_OF_NOBODY = [
    Call(0, 38, 39, kind, outcome, stage, digest=5, sent=1, done=2, value=999)
    for kind, stage in (
        (Kind.ADVANCE, 4), (Kind.ATTACH, 0), (Kind.CANCEL, 9), (Kind.RESYNC, 1),
    )
    for outcome in (Outcome.ACKED, Outcome.UNKNOWN, Outcome.NONE, Outcome.REFUSED)
]  # fmt: skip


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 2**32).map(a_store), st.sampled_from(CALLS_OF_NOBODY))
def test_a_call_about_a_record_that_nobody_made_changes_no_record(
    store: tuple[list[Call], list[Row]], call: Call
) -> None:
    """Its CREATE was torn: the ledger says so, and the call speaks of no other record."""
    calls, rows = store
    rows = [r for r in rows if (r.worker, r.seq) != (0, 39)]
    calls = [c for c in calls if (c.worker, c.record) != (0, 39) and (c.worker, c.seq) != (0, 38)]
    assert measure([*calls, call], rows) == measure(calls, rows)


def holds(told: list[Row], sent_digest: int, sent_document: int) -> tuple[object, ...]:
    lines = int(Part.LINES)
    return (
        len(told), bool(told),
        any(sent_digest in (0, r.digest) for r in told),
        any(r.parts & lines or not r.expected & lines for r in told),
        any(not r.expected & ~r.parts for r in told),
        any(r.document for r in told),
        any(r.document == sent_document for r in told),
    )  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.integers(0, 2**32).map(a_store), st.integers(0, 3))
def test_what_is_held_of_a_record_is_what_any_of_its_rows_has(
    store: tuple[list[Call], list[Row]], alike: int
) -> None:
    """Nothing of one that has no row, also where all rows of the others are alike."""
    calls, rows = store
    if alike == 1:
        rows = [replace(r, document=7, parts=3, expected=1) for r in rows]
    if alike == 2:
        rows = [replace(r, document=0, parts=0, expected=1) for r in rows]
    if alike == 3:
        calls = [replace(c, digest=0) if c.kind is Kind.CREATE else c for c in calls]
    records = records_of(operations(calls))
    held = held_by(records, survivors(rows))
    each = told_of(calls, rows)
    assert list(each) == list(zip(records.worker.tolist(), records.seq.tolist(), strict=True))
    columns = (
        held.rows, held.present, held.content_agrees, held.lines, held.whole, held.document,
        held.document_agrees,
    )  # fmt: skip
    for told, found in zip(each.values(), zip(*(c.tolist() for c in columns), strict=True), strict=True):  # fmt: skip
        sent = [c.digest for c in told.calls if c.kind is Kind.ATTACH]
        assert found == holds(told.rows, told.create.digest, sent[-1] if sent else 0)
    stages = [[r.stage for r in told.rows] for told in each.values()]
    assert held.stage.tolist() == [max(s, default=0) for s in stages]
    assert held.least_stage.tolist() == [min(s, default=255) for s in stages]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 2**32).map(a_store))
def test_what_a_ledger_knows_of_a_record_is_told_by_its_own_calls(
    store: tuple[list[Call], list[Row]],
) -> None:
    records: Records = records_of(operations(store[0]))
    for n, told in enumerate(told_of(store[0], []).values()):
        made = [c for c in told.calls if c.kind in (Kind.CREATE, Kind.RESYNC)]
        served = [c for c in told.calls if c.outcome is Outcome.ACKED]
        assert records.sent_ns[n] == min(
            (c.sent for c in made if c.outcome is Outcome.ACKED), default=NEVER
        )
        assert records.acked_ns[n] == min((c.done for c in served), default=NEVER)
        assert records.acked_stage[n] == told.stage(Outcome.ACKED)
        assert records.open_stage[n] == told.stage(Outcome.UNKNOWN, Outcome.NONE)
        assert records.refused_stage[n] == told.stage(Outcome.REFUSED)
        kinds = (records.acked[n], records.unknown[n], records.refused[n])
        assert kinds == (told.acked, told.unknown, told.refused)
        assert sum(kinds) == 1
        assert records.resent[n] == (told.create.sends > 1 and not told.create.idempotent)
        assert records.canary[n] == told.create.canary
        assert records.value_cents[n] == told.create.value
        for kind, column in ((Kind.CANCEL, records.cancel), (Kind.ATTACH, records.attach)):
            order = (Outcome.REFUSED, Outcome.UNKNOWN, Outcome.ACKED)
            of = [o for o in order if o in told.outcomes(kind)]
            assert column[n] == (of[-1] if of else Outcome.NONE)


def read(worker: int, seq: int, record: int, sent: int) -> Call:
    return Call(
        worker, seq, record, Kind.READ, Outcome.ACKED, sent=sent, done=sent + 1, found=False
    )


def test_the_same_number_of_two_workers_is_two_keys_and_one_key_read_twice_is_one() -> None:
    calls = [acked(0, 3), acked(1, 3), acked(1, 0), read(0, 8, 3, 20), read(1, 8, 3, 20)]
    calls += [read(1, 9, 3, 30), read(1, 10, 0, 11)]  # sent as it was acknowledged: not stale
    there = [Row(0, 3, 1, 1), Row(1, 3, 1, 1), Row(1, 0, 1, 1)]
    both = [Row(0, 7, 1, 1), Row(1, 7, 1, 1), Row(1, 7, 1, 1)]
    assert measure(calls, there).stale == 2
    found = measure(calls, [*there, *both])
    assert (found.stale, found.unexpected) == (2, 2)


def test_a_worker_whom_the_run_never_had_wrote_no_ledger_and_stored_what_nobody_sent() -> None:
    records = records_of(operations([acked(0, 0)]))
    rows = [Row(w, s, 1, 1) for w, s in ((0, 5), (0, 6), (1, 0), (2, 9), (65_535, 2**32 - 1))]
    ledgers = (LedgerHealth(0, True, 6, 0, 0, 0, 0),)
    found = strangers_of(records, survivors(rows), ledgers, workers=2)
    told = zip(found.worker.tolist(), found.seq.tolist(), found.beyond_ledger.tolist(), strict=True)
    assert list(told) == [
        (0, 5, False), (0, 6, True), (1, 0, True), (2, 9, False), (65_535, 2**32 - 1, False),
    ]  # fmt: skip


def test_how_old_an_answer_may_be_is_declared_in_seconds_by_workload() -> None:
    (first, *_) = plan_of().targets.workloads
    fine = Targets(
        (replace(first, staleness_s=0.000000050), replace(first, workload=OF[2], staleness_s=60))
    )
    assert fine.staleness_ns() == {OF[0]: 50, OF[2]: 60_000_000_000}
    assert fine.limits_ns() == {OF[0].code: 2_000_000_000, OF[2].code: 2_000_000_000}


@pytest.mark.parametrize(("sent_ns", "stale"), [(61, False), (62, True)])
def test_an_answer_may_be_as_old_as_was_declared(sent_ns: int, stale: bool) -> None:
    """Acknowledged at 11, and 50 ns are allowed."""
    ledger = operations([acked(0, 0), read(0, 1, 0, sent_ns)])
    records = records_of(ledger)
    nothing = np.zeros(1, dtype=np.bool_)
    allowed = {Workload.ORDER_CAPTURE: 50, Workload.FINANCE: 0}
    assert len(stale_reads(ledger, records, nothing, allowed)) == stale
    assert len(stale_reads(ledger, records, ~nothing, allowed)) == 0
    assert by_code(allowed)[[1, 6, 2]].tolist() == [50, 0, 0]


@pytest.mark.parametrize(
    ("outcomes", "sends", "idempotent", "duplicate", "by_retry"),
    [
        (1, 1, False, 1, 0), (1, 2, False, 0, 1), (1, 2, True, 1, 0), (1, 1, True, 1, 0),
    ],
)  # fmt: skip
def test_twice_by_a_retry_is_told_apart_where_the_call_may_not_be_repeated(
    outcomes: int, sends: int, idempotent: bool, duplicate: int, by_retry: int
) -> None:
    call = replace(acked(0, 0), sends=sends, idempotent=idempotent)
    found = measure([call], [Row(0, 0, 1, 1)] * (1 + outcomes))
    assert (found.duplicate, found.duplicate_by_retry) == (duplicate, by_retry)


def test_an_empty_look_and_an_empty_ledger_have_nothing() -> None:
    records = records_of(Operations.concatenate([]))
    none = survivors([])
    assert isinstance(none, Survivors)
    assert len(records) == len(held_by(records, none).rows) == 0
    assert not any(classify(records, held_by(records, none)).lost)
    found = Looks.of(plan_of(), evidence_of([], look("first", [], 500)), None, T_F).by_name["first"]
    for workload in OF:
        counts = found.tally.counts(
            workload, strangers=found.strangers, stale=found.stale, fault=T_F, clock_error_ns=5
        )
        assert (counts.acked, counts.lost, counts.achieved_ns, counts.widened_by_ns) == (0, 0, 0, 0)
        assert counts.recovery_point_ns is None
    assert set(ENDS) == {0, 1}
