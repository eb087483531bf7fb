"""The calls of a simulated load, and how a platform that goes down answers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from harness.core.operation import (
    Detail,
    Flag,
    Kind,
    Outcome,
    Stage,
    Workload,
    content_digest,
    document_sha1,
    key_of,
    order_content,
)
from harness.core.operations import Operations
from harness.core.targets import WorkloadTarget

S = 1_000_000_000
MS = 1_000_000
RUN_ID = "20260101T000000Zsim"
ORDERS = Workload.ORDER_CAPTURE


@dataclass
class Call:
    chain: int
    place: int  # within its chain
    workload: Workload
    kind: Kind
    stage: Stage
    flags: Flag
    intended_ns: int
    sent_ns: int
    done_ns: int = 0
    outcome: Outcome = Outcome.NONE
    detail: Detail = Detail.NONE
    digest: int = 0
    value_cents: int = 0
    answer: int = 0
    worker: int = 0
    seq: int = 0
    record: int = 0


@dataclass
class Outage:
    """The platform's truth: down for writes in [begin_ns, end_ns)."""

    begin_ns: int
    end_ns: int
    mode: str  # "refuse": at once; "hang": until the client's time-out
    hit: frozenset[Workload]
    service_ns: int = 8 * MS
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def answer(self, call: Call, timeout_ns: int) -> None:
        """Fill in outcome, detail and done of a call that is sent at `call.sent_ns`."""
        service_ns = self.service_ns + int(self.random.integers(0, 4 * MS))
        done_ns = call.sent_ns + service_ns
        down = call.workload in self.hit and self.begin_ns < done_ns and call.sent_ns < self.end_ns
        if not down:
            call.outcome, call.done_ns = Outcome.ACKED, done_ns
        elif call.sent_ns < self.begin_ns:
            call.outcome, call.detail = Outcome.UNKNOWN, Detail.RESET
            call.done_ns = self.begin_ns + MS
        elif self.mode == "refuse":
            call.outcome, call.detail = Outcome.REFUSED, Detail.CONNECT_REFUSED
            call.done_ns = call.sent_ns + MS // 2
        elif self.end_ns + service_ns < call.sent_ns + timeout_ns:
            call.outcome, call.done_ns = Outcome.ACKED, self.end_ns + service_ns
        else:
            call.outcome, call.detail = Outcome.UNKNOWN, Detail.TIMEOUT
            call.done_ns = call.sent_ns + timeout_ns


type_steps = list[tuple[Kind, Stage]]
_STEPS: dict[Workload, type_steps] = {
    ORDERS: [
        (Kind.CREATE, Stage.CREATED),
        (Kind.ADVANCE, Stage.CONFIRMED),
        (Kind.ATTACH, Stage.NONE),
    ],
    Workload.POINT_OF_SALE: [(Kind.CREATE, Stage.CREATED)],
    Workload.STOCK_RESERVATION: [
        (Kind.CREATE, Stage.CREATED),
        (Kind.ADVANCE, Stage.CONFIRMED),
        (Kind.TOUCH, Stage.NONE),
        (Kind.ADVANCE, Stage.RESERVED),
    ],
    Workload.FULFILMENT: [
        (Kind.CREATE, Stage.CREATED),
        (Kind.ADVANCE, Stage.CONFIRMED),
        (Kind.ADVANCE, Stage.DONE),
    ],
    Workload.MARKETPLACE: [(Kind.CREATE, Stage.CONFIRMED)],
    Workload.FINANCE: [(Kind.CREATE, Stage.CREATED), (Kind.ADVANCE, Stage.CONFIRMED)],
}
_CANARY_KIND = {Workload.STOCK_RESERVATION: Kind.TOUCH, Workload.FULFILMENT: Kind.TOUCH}


def _steps(workload: Workload, n: int) -> type_steps:
    """The calls of a workload's n-th arrival."""
    if workload is ORDERS and n % 20 == 19:
        return [(Kind.READ, Stage.NONE)]
    if workload is ORDERS and n % 50 == 25:
        return [*_STEPS[ORDERS], (Kind.CANCEL, Stage.CANCELLED)]
    if workload is Workload.FINANCE and n % 5 == 4:
        return [(Kind.REPORT, Stage.NONE)]
    return _STEPS[workload]


def chain_of(target: WorkloadTarget, n: int, chain: int, due_ns: int, outage: Outage) -> list[Call]:
    calls: list[Call] = []
    sent_ns = due_ns + int(outage.random.integers(0, 2 * MS))
    steps = _steps(target.workload, n)
    for place, (kind, stage) in enumerate(steps):
        last = Flag.FINAL if place == len(steps) - 1 else Flag.NONE
        once = Flag.IDEMPOTENT if target.workload is Workload.POINT_OF_SALE else Flag.NONE
        call = Call(
            chain, place, target.workload, kind, stage, last | once, due_ns, sent_ns,
            value_cents=target.revenue_per_operation_cents if kind is Kind.CREATE else 0,
        )  # fmt: skip
        outage.answer(call, 5 * S)
        calls.append(call)
        if call.outcome is not Outcome.ACKED:
            break
        sent_ns = call.done_ns + 200_000
    return calls


def canary_of(workload: Workload, chain: int, due_ns: int, outage: Outage) -> Call:
    kind = _CANARY_KIND.get(workload, Kind.CREATE)
    stage = Stage.NONE if kind is Kind.TOUCH else _STEPS[workload][0][1]
    sent_ns = due_ns + int(outage.random.integers(0, MS))
    call = Call(
        chain, 0, workload, kind, stage, Flag.CANARY | Flag.FINAL, due_ns, sent_ns
    )  # fmt: skip
    outage.answer(call, 250 * MS)
    return call


def resyncs_of(calls: list[Call], outage: Outage) -> list[Call]:
    """The till keeps what was not acknowledged and sends it again every second."""
    again: list[Call] = []
    for call in calls:
        if call.workload is not Workload.POINT_OF_SALE or call.outcome is Outcome.ACKED:
            continue
        if Flag.CANARY in call.flags:
            continue
        last, place = call, 0
        while last.outcome is not Outcome.ACKED:
            place += 1
            sent_ns = last.done_ns + S
            last = replace(
                call, place=place, kind=Kind.RESYNC, flags=Flag.IDEMPOTENT, intended_ns=sent_ns,
                sent_ns=sent_ns, outcome=Outcome.NONE, detail=Detail.NONE, value_cents=0,
            )  # fmt: skip
            outage.answer(last, 5 * S)
            again.append(last)
    return again


def number(calls: list[Call], workers: int) -> list[int]:
    """Give every call its worker and its dense seq, in the order of sending."""
    calls.sort(key=lambda c: (c.sent_ns, c.chain, c.place))
    ends, first = [0] * workers, {}
    for call in calls:
        call.worker = call.chain % workers
        call.seq = ends[call.worker]
        ends[call.worker] += 1
        call.record = first.setdefault(call.chain, call.seq)
    return ends


def fill(calls: list[Call]) -> None:
    """Contents, documents, and what reads ask for and find."""
    acked = [c for c in calls if c.workload is ORDERS and c.kind is Kind.CREATE]
    acked = [c for c in acked if c.outcome is Outcome.ACKED and Flag.CANARY not in c.flags]
    posted = [c for c in calls if c.workload is Workload.FINANCE and c.kind is Kind.ADVANCE]
    for call in calls:
        if call.kind in (Kind.CREATE, Kind.RESYNC):
            call.digest = digest_of(call.record)
        elif call.kind is Kind.ATTACH:
            call.digest = document_of(call.worker, call.record)
        elif call.kind is Kind.READ:
            own = [c for c in acked if c.worker == call.worker and c.done_ns < call.sent_ns]
            if own:
                call.record = own[-1].seq
                call.detail = Detail.FOUND if call.outcome is Outcome.ACKED else call.detail
        elif call.kind is Kind.REPORT and call.outcome is Outcome.ACKED:
            call.answer = sum(
                c.outcome is Outcome.ACKED and c.done_ns < call.sent_ns for c in posted
            )


def digest_of(record: int) -> int:
    """The content digest of the order with this record number."""
    return content_digest(order_content(7, [(1 + record % 9, 1 + record % 4, 999 + record)]))


def document_of(worker: int, record: int) -> int:
    """The document digest of the record, as the ledger has it."""
    return int(document_sha1(key_of(RUN_ID, worker, record))[:16], 16)


def operations(calls: Iterable[Call]) -> Operations:
    """The calls as columns, by worker and seq."""
    rows = sorted(calls, key=lambda c: (c.worker, c.seq))

    def column(take: Callable[[Call], int], dtype: npt.DTypeLike) -> npt.NDArray[np.generic]:
        return np.array([take(c) for c in rows], dtype=dtype)

    return Operations(
        worker=column(lambda c: c.worker, np.uint16),
        seq=column(lambda c: c.seq, np.uint32),
        record=column(lambda c: c.record, np.uint32),
        workload=column(lambda c: c.workload.code, np.uint8),
        kind=column(lambda c: c.kind, np.uint8),
        stage=column(lambda c: c.stage, np.uint8),
        flags=column(lambda c: c.flags, np.uint8),
        detail=column(lambda c: c.detail, np.uint8),
        sends=column(lambda c: 1, np.uint8),
        outcome=column(lambda c: c.outcome, np.uint8),
        answer=column(lambda c: c.answer, np.uint32),
        value_cents=column(lambda c: c.value_cents, np.uint32),
        digest=column(lambda c: c.digest, np.uint64),
        intended_ns=column(lambda c: c.intended_ns, np.int64),
        sent_ns=column(lambda c: c.sent_ns, np.int64),
        done_ns=column(lambda c: c.done_ns, np.int64),
    )  # type: ignore[arg-type]
