"""What the customers see right now, from the ledgers as they grow.

It decides when to stop watching, and what the terminal shows. It judges nothing: the verdict is
computed from the whole evidence after the load has stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.core.arrivals import Arrivals, arrivals_of
from harness.core.operations import Operations, type_i64
from harness.core.plan import Plan
from harness.core.schedule import canary_ns, stretches_ns
from harness.core.targets import WorkloadTarget
from harness.core.windows import Bar, Counts
from harness.ledger.reader import ledger_files, read_from, worker_of
from harness.progress import LiveView, WorkloadRate

_SECOND_NS = 1_000_000_000
_KEPT_S = 30  # how far back the view reaches, beyond W
_AHEAD_NS = 60 * _SECOND_NS  # of the schedule
_LONGEST_S = 30 * 86_400.0  # longer than any load
IN_FLIGHT_NS = 1_500_000_000  # younger arrivals may still be under way
_READ_MAX = 1 << 20  # calls at one look; a worker makes some thousands a second at most
_RATE_OVER_NS = 2 * _SECOND_NS


type_clock = Callable[[Operations], Operations]


def unmoved(operations: Operations) -> Operations:
    """A worker beside the harness has the run's clock."""
    return operations


@dataclass
class Recent:
    """The last arrivals of every worker's slot file, read on from where the last look ended."""

    directory: Path
    plan: Plan
    kept_ns: int
    on_run_clock: type_clock = unmoved
    sent_ns: dict[int, int] = field(default_factory=dict)  # each worker's last sign of life
    _from_seq: dict[int, int] = field(default_factory=dict)

    def arrivals(self, now_ns: int, *, since_ns: int | None = None) -> Arrivals:
        """Those that were intended within the last `kept_ns`, or since an earlier instant."""
        kept_since_ns = now_ns - self.kept_ns
        since_ns = kept_since_ns if since_ns is None else min(since_ns, kept_since_ns)
        parts: list[Operations] = []
        for file in ledger_files(self.directory):
            worker = worker_of(file)
            operations = self.on_run_clock(
                read_from(file, self._from_seq.get(worker, 0), at_most=_READ_MAX)
            )
            if len(operations):
                self.sent_ns[worker] = int(operations.sent_ns.max())
            recent = np.flatnonzero(operations.intended_ns >= since_ns)
            if len(recent):
                self._from_seq[worker] = int(operations.seq[recent[0]])
                parts.append(operations.where(operations.intended_ns >= since_ns))
        limits_ns = {
            t.workload.code: round(t.latency_limit_s * 1e9) for t in self.plan.targets.workloads
        }
        return arrivals_of(Operations.concatenate(parts), limits_ns)


@dataclass
class LiveLedgers:
    """A moving view over the end of every worker's slot file."""

    directory: Path
    plan: Plan
    begin_ns: int
    on_run_clock: type_clock = unmoved
    _recent: Recent = field(init=False)
    _ahead: dict[int, _Ahead] = field(default_factory=dict)

    def __post_init__(self) -> None:
        limits = self.plan.limits
        kept_s = _KEPT_S + max(limits.window_s, limits.baseline_s)
        self._recent = Recent(self.directory, self.plan, round(kept_s * 1e9), self.on_run_clock)

    def view(self, now_ns: int, *, phase: str, fault_ns: int | None) -> LiveView:
        """Offered and good arrivals a second over the last two full seconds."""
        arrivals = self._recent.arrivals(now_ns)
        end_ns = now_ns - IN_FLIGHT_NS
        begin_ns = end_ns - _RATE_OVER_NS
        return LiveView(
            phase=phase,
            load_s=max(0.0, (now_ns - self.begin_ns) / 1e9),
            since_fault_s=None if fault_ns is None else (now_ns - fault_ns) / 1e9,
            rates=tuple(
                self._rate(t, arrivals, begin_ns, end_ns) for t in self.plan.targets.workloads
            ),
        )

    def all_well(self, now_ns: int, since_ns: int, window_ns: int) -> bool:
        """Whether every workload was well over a whole window that began after `since_ns`."""
        end_ns = now_ns - IN_FLIGHT_NS
        begin_ns = end_ns - window_ns
        if begin_ns < since_ns:
            return False
        arrivals = self._recent.arrivals(now_ns)
        return all(
            self._counts(t, arrivals, now_ns).well_within(self._bar(t), begin_ns, end_ns)
            for t in self.plan.targets.workloads
        )

    def _rate(
        self, target: WorkloadTarget, arrivals: Arrivals, begin_ns: int, end_ns: int
    ) -> WorkloadRate:
        counts = self._counts(target, arrivals, end_ns)
        shown = (  # the customers': canaries are left out of rates
            (arrivals.workload == target.workload.code)
            & ~arrivals.canary
            & (arrivals.intended_ns >= begin_ns)
            & (arrivals.intended_ns < end_ns)
        )
        over_s = _RATE_OVER_NS / 1e9
        return WorkloadRate(
            workload=target.workload,
            offered_per_s=int(np.count_nonzero(shown)) / over_s,
            good_per_s=int(np.count_nonzero(shown & arrivals.good)) / over_s,
            rto_target_s=target.rto_s,
            well=counts.well_within(self._bar(target), begin_ns, end_ns),
        )

    def _bar(self, target: WorkloadTarget) -> Bar:
        return Bar.degraded(target.min_capacity) if self.plan.scenario.degraded_mode else Bar()

    def _counts(self, target: WorkloadTarget, arrivals: Arrivals, now_ns: int) -> Counts:
        own = arrivals.where(arrivals.workload == target.workload.code)
        return Counts.of(own.intended_ns, own.good, self._due_ns(target, now_ns))

    def _due_ns(self, target: WorkloadTarget, now_ns: int) -> type_i64:
        """The schedule within the view and some ahead, on the run's clock."""
        code = target.workload.code
        if code not in self._ahead:
            self._ahead[code] = _Ahead.of(self.plan, target)
        load_ns = now_ns - self.begin_ns
        due_ns = self._ahead[code].within(load_ns - self._recent.kept_ns, load_ns + _AHEAD_NS)
        return due_ns + self.begin_ns


@dataclass
class _Ahead:
    """One workload's schedule as far as it is looked at, however long the load goes on."""

    _coming: Iterator[type_i64]
    _canary_per_s: float
    _code: int
    _held: type_i64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def of(cls, plan: Plan, target: WorkloadTarget) -> _Ahead:
        code = target.workload.code
        coming = stretches_ns(
            rate_per_s=target.rate_per_s * plan.peak, shape=plan.shape, until_s=_LONGEST_S,
            seed=plan.seed, workload_code=code,
        )  # fmt: skip
        return cls(coming, target.canary_per_s, code)

    def within(self, since_ns: int, until_ns: int) -> type_i64:
        """Due times since the load's beginning; asked with rising instants, it forgets the past."""
        parts = [self._held[np.searchsorted(self._held, since_ns) :]]
        while not len(parts[-1]) or parts[-1][-1] < until_ns:
            part = next(self._coming, None)
            if part is None:
                break
            parts.append(np.sort(part[part >= since_ns]))
        self._held = np.concatenate(parts)
        canaries = canary_ns(
            rate_per_s=self._canary_per_s, until_s=until_ns / 1e9, workload_code=self._code,
            since_s=since_ns / 1e9,
        )  # fmt: skip
        return np.sort(np.concatenate([self._held, canaries]))
