"""From classes to counts: every workload's writes at one look, with seconds and money.

    tally = WriteTally(workloads)
    for piece in ...: tally.add(piece.number, piece.records, piece.first)
    counts = tally.counts(workload, ...)

Only whether a loss is a suffix can ask for some of the pieces once more: see `Suffix`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from harness.core.looks import Look
from harness.core.operation import Kind, Workload, key_of
from harness.core.operations import Operations, type_bool, type_i64
from harness.core.records import NEVER, Records
from harness.core.recovery_point import Strangers
from harness.core.timeline import Mark
from harness.core.verdict import EXAMPLES_MAX, WriteCounts

_NAMED = ("lost", "ghost", "duplicate", "altered", "partial", "resurrected", "waiting")


@dataclass(frozen=True, slots=True)
class _Span:
    """Of the survivors in one piece: between what they were sent, and acknowledged."""

    number: int
    sent_ns: tuple[int, int]
    acked_ns: tuple[int, int]


@dataclass(slots=True)
class Suffix:
    """Whether nothing that came after the first loss survived.

    A survivor speaks against it only when the order is beyond doubt: it was sent after the first
    loss was acknowledged, and it was acknowledged before the fault or before a later loss was sent.
    One whose creation was not acknowledged, but a later call, may have been there all along.
    When the first loss and the last are known, a piece's span nearly always says whether it holds
    such a one; where it does not, the piece is looked at again.
    """

    first_ns: int | None = None  # the first acknowledgement of a record that is lost
    last_ns: int | None = None  # when the last of them was sent
    spans: list[_Span] = field(default_factory=list)
    survivor: bool = False

    def add(self, number: int, records: Records, acked: type_bool, lost: type_bool) -> None:
        if lost.any():
            sent_ns = records.sent_ns[lost]
            self.first_ns = least(self.first_ns, records.acked_ns[lost])
            self.last_ns = most(self.last_ns, sent_ns[sent_ns < NEVER])
        kept = np.flatnonzero(acked & ~lost & (records.sent_ns < NEVER))
        if len(kept):
            sent_ns, acked_ns = records.sent_ns[kept], records.acked_ns[kept]
            sent = int(sent_ns.min()), int(sent_ns.max())
            self.spans.append(_Span(number, sent, (int(acked_ns.min()), int(acked_ns.max()))))

    def undecided(self, fault: Mark | None) -> list[int]:
        """The pieces that must be looked at again; none where a span has decided already."""
        if self.first_ns is None:
            return []
        last_ns, unsure = self._last_ns(fault), []
        for span in self.spans:
            if span.sent_ns[1] <= self.first_ns or span.acked_ns[0] >= last_ns:
                continue
            if span.sent_ns[0] > self.first_ns or span.acked_ns[1] < last_ns:
                self.survivor = True
                return []
            unsure.append(span.number)
        return unsure

    def look_again(
        self, records: Records, acked: type_bool, lost: type_bool, fault: Mark | None
    ) -> None:
        if self.first_ns is not None:
            sent = (records.sent_ns > self.first_ns) & (records.sent_ns < NEVER)
            between = sent & (records.acked_ns < self._last_ns(fault))
            self.survivor |= bool((acked & ~lost & between).any())

    def _last_ns(self, fault: Mark | None) -> int:
        since_ns = fault.earliest_ns if fault else 0
        return since_ns if self.last_ns is None else max(self.last_ns, since_ns)


def least(before: int | None, values: type_i64) -> int | None:
    """The least of all so far; None where there was none."""
    if not len(values):
        return before
    return int(values.min()) if before is None else min(before, int(values.min()))


def most(before: int | None, values: type_i64) -> int | None:
    """The greatest of all so far; None where there was none."""
    if not len(values):
        return before
    return int(values.max()) if before is None else max(before, int(values.max()))


@dataclass(slots=True)
class _Of:
    """One workload, counted up."""

    counted: dict[str, int] = field(default_factory=dict)
    lost_value_cents: int = 0
    first_ns: int | None = None  # of the acknowledgements of calls that are lost
    last_ns: int | None = None
    named: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    suffix: Suffix = field(default_factory=Suffix)

    def count(self, name: str, hits: int) -> None:
        self.counted[name] = self.counted.get(name, 0) + hits


class WriteTally:
    """Every class of every workload at one look. Canaries count, but stand for no money."""

    def __init__(self, workloads: Iterable[Workload]) -> None:
        self._of = {workload: _Of() for workload in workloads}

    def add(self, number: int, records: Records, look: Look) -> None:
        """One more piece."""
        classes = look.classes
        masks = {name: getattr(classes, name) for name in classes.names()}
        masks = {n: mask for n, mask in {**masks, "replayed": look.replayed}.items() if mask.any()}
        for workload, of in self._of.items():
            mine = records.workload == workload.code
            if not mine.any():
                continue
            for name, mask in masks.items():
                of.count(name, int(np.count_nonzero(mask & mine)))
            for name in _NAMED:
                if name in masks:
                    self._name(of, name, records, masks[name] & mine)
            lost = classes.lost & mine
            of.suffix.add(number, records, classes.acked & mine, lost)
            if "lost" in masks:
                earning = lost & ~records.canary
                of.lost_value_cents += int(records.value_cents[earning].sum(dtype=np.int64))
            calls = np.flatnonzero(classes.call_lost)
            acks_ns = records.calls.done_ns[calls[mine[records.call_record[calls]]]]
            of.first_ns, of.last_ns = least(of.first_ns, acks_ns), most(of.last_ns, acks_ns)

    @staticmethod
    def _name(of: _Of, name: str, records: Records, mask: type_bool) -> None:
        named = of.named.setdefault(name, [])
        if len(named) < EXAMPLES_MAX:
            hits = np.flatnonzero(mask)[: EXAMPLES_MAX - len(named)]
            named += [(int(records.worker[i]), int(records.seq[i])) for i in hits]

    def undecided(self, fault: Mark | None) -> list[int]:
        """The pieces that must be looked at again, before anything is asked."""
        return sorted({n for of in self._of.values() for n in of.suffix.undecided(fault)})

    def look_again(self, records: Records, look: Look, fault: Mark | None) -> None:
        for workload, of in self._of.items():
            if of.suffix.first_ns is not None:
                mine = records.workload == workload.code
                acked, lost = look.classes.acked & mine, look.classes.lost & mine
                of.suffix.look_again(records, acked, lost, fault)

    def counts(
        self,
        workload: Workload,
        *,
        strangers: Strangers,
        stale: Operations,
        fault: Mark | None,
        clock_error_ns: int = 0,
    ) -> WriteCounts:
        """The counts. What a worker's clock has told is off by that clock's error; t_F is not."""
        of = self._of[workload]
        point_ns, achieved_ns, wide_ns = _recovery_point(of, fault, clock_error_ns)
        unexpected = (strangers.workload == workload.code) & ~strangers.beyond_ledger
        counted = {name: of.counted.get(name, 0) for name in _COUNTED}
        return WriteCounts(
            **counted,
            unexpected=int(np.count_nonzero(unexpected)),
            stale=_stale_count(stale, workload),
            lost_value_cents=of.lost_value_cents,
            achieved_ns=achieved_ns,
            recovery_point_ns=point_ns,
            lost_is_suffix=not of.suffix.survivor,
            widened_by_ns=wide_ns,
        )

    def examples(
        self, workload: Workload, *, strangers: Strangers, stale: Operations, run_id: str
    ) -> tuple[str, ...]:
        """Keys to look at, such as "lost pd-r1-0-17": at most 20, the gravest classes first."""
        of = self._of[workload]
        keys = [(name, *key) for name in _NAMED for key in of.named.get(name, [])]
        unexpected = (strangers.workload == workload.code) & ~strangers.beyond_ledger
        for name, rows, worker, seq in (
            ("unexpected", unexpected, strangers.worker, strangers.seq),
            ("stale", stale.workload == workload.code, stale.worker, stale.record),
        ):
            hits = np.flatnonzero(rows)[:EXAMPLES_MAX]
            keys += [(name, int(worker[i]), int(seq[i])) for i in hits]
        named = (f"{name} {key_of(run_id, worker, seq)}" for name, worker, seq in keys)
        return tuple(named)[:EXAMPLES_MAX]


_COUNTED = (
    "acked", "unknown", "refused", "lost", "replayed", "absent", "recovered", "ghost", "duplicate",
    "altered", "partial", "resurrected", "duplicate_by_retry", "waiting",
)  # fmt: skip
_HARMS = (
    "lost", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected", "stale",
)  # fmt: skip


def is_worse(after: WriteCounts, before: WriteCounts) -> bool:
    """Whether a later look shows more of any harm than the one before."""
    return any(getattr(after, harm) > getattr(before, harm) for harm in _HARMS)


def _recovery_point(
    of: _Of, fault: Mark | None, clock_error_ns: int
) -> tuple[int | None, int, int]:
    """The instant before the earliest acknowledgement among LOST, after t_F, and RPO in ns.

    The last is what RPO may be off by, for the clocks of workers. t_F is told by the run's own, so
    it is one clock's error; and where the last loss came after t_F it is two: if perhaps, in part.
    """
    if of.first_ns is None or of.last_ns is None:
        return None, 0, 0
    point_ns, last_ns = of.first_ns - 1, of.last_ns
    if fault is None:
        return None, last_ns - point_ns, 2 * clock_error_ns
    beyond_ns = last_ns + clock_error_ns - fault.latest_ns  # by so much after t_F, at most
    wide_ns = clock_error_ns + min(max(0, beyond_ns), clock_error_ns)
    return point_ns - fault.latest_ns, max(fault.latest_ns, last_ns) - point_ns, wide_ns


def _stale_count(stale: Operations, workload: Workload) -> int:
    """Records that were read stale, and reports that were too old."""
    mine = stale.workload == workload.code
    reads = mine & (stale.kind == Kind.READ)
    key = stale.worker[reads].astype(np.int64) << 32 | stale.record[reads].astype(np.int64)
    return len(np.unique(key)) + int(np.count_nonzero(mine & ~reads))
