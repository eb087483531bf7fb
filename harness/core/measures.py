"""Everything that one judgement measures, each part computed once, each check on its own feet.

A check that crashes is inconclusive with its reason: so parts are computed when a check first
asks for them, and a part that cannot be had fails the checks that need it and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

from harness.core import checks
from harness.core import fitness as fit
from harness.core.access import access
from harness.core.detection import burn_rate_alert_ns
from harness.core.evidence import Evidence
from harness.core.failback import FAILBACK, failback_watch
from harness.core.looks import Piece, pieces, settled
from harness.core.measured_findings import RPO, RTO, gate_rpo, gate_rto
from harness.core.operation import Workload
from harness.core.orders import Backlog
from harness.core.plan import Plan
from harness.core.recovery_time import Watch, recovery_time
from harness.core.restoration import Restore, restore_of
from harness.core.run_times import RunTimes
from harness.core.targets import WorkloadTarget
from harness.core.timeline import Mark, MarkName
from harness.core.verdict import (
    AccessJudgement,
    Finding,
    FitnessFinding,
    RecoveryPoint,
    RecoveryTime,
    Verdict,
    WorkloadJudgement,
    WriteCounts,
    gravest,
)
from harness.core.whole_looks import LookOfRun, Looks
from harness.core.windows import Bar
from harness.core.write_counts import is_worse

T = TypeVar("T")


def guarded(check: str, workload: Workload | None, body: Callable[[], Finding]) -> Finding:
    """The finding of `body`; inconclusive with the reason where it crashes."""
    try:
        return body()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no pass and it ends no run
        who = workload or "platform"
        why = f"{who}: the check {check} crashed: {type(error).__name__}: {error}"
        return Finding(check, workload, Verdict.INCONCLUSIVE, why)


class Measures:
    """The measures of one run."""

    def __init__(self, plan: Plan, evidence: Evidence) -> None:
        self.plan = plan
        self.evidence = evidence

    # what everything starts from

    @cached_property
    def fault(self) -> Mark | None:
        """t_F: the observed effect of the experiment's own action."""
        if not self.evidence.observation.effect_observed:
            return None
        return self.evidence.timeline.first(MarkName.FAULT_ACTIVE)

    @property
    def times(self) -> RunTimes:
        """When everything was due, and how it was served."""
        return self.timed[0]

    @property
    def backlog(self) -> Backlog:
        """What was sent again, and when the last of it was acknowledged."""
        return self.timed[1]

    @cached_property
    def timed(self) -> tuple[RunTimes, Backlog]:
        """Both of the ledger's own times, of one reading."""
        backlog = Backlog()
        return RunTimes.read(self.plan, self.evidence, backlog.add), backlog

    @cached_property
    def restore(self) -> Restore | None:
        return restore_of(self.evidence)

    def pieces(self) -> Iterator[Piece]:
        """All records, put together, a stretch of keys at a time."""
        return pieces(self.plan, self.evidence, self.restore)

    @cached_property
    def watch(self) -> Watch | None:
        """How every workload was watched; None where no effect was observed.

        Until the load stops, observation is said to have ended, or the way back begins: what the
        mark says of the service nobody infers from it.
        """
        if self.fault is None:
            return None
        ends = (MarkName.OBSERVATION_ENDED, MarkName.FAILBACK_BEGUN)
        marks = [m for name in ends for m in self.evidence.timeline.all(name)]
        stopped_ns = self.evidence.load_stopped_ns
        return Watch(
            fault_earliest_ns=self.fault.earliest_ns,
            fault_latest_ns=self.fault.latest_ns,
            until_ns=min([stopped_ns, *(m.earliest_ns for m in marks)]),
            window_ns=fit.window_ns(self.plan),
            lag_ns=fit.lag_of(self.evidence),
            clock_error_ns=self.evidence.observation.clock_error_ns,
            canary_limit_ns=round(self.plan.limits.canary_limit_s * 1e9),
        )

    @cached_property
    def failback_watch(self) -> Watch | None:
        """How the way back was watched; None where nobody went back."""
        return failback_watch(self.evidence, fit.window_ns(self.plan), fit.lag_of(self.evidence))

    @cached_property
    def access(self) -> tuple[AccessJudgement, ...]:
        """Every class of leaked credentials, as the attacker's own log has it."""
        return access(self.evidence)

    @cached_property
    def looks(self) -> Looks:
        """What both read-backs found, counted up over all records."""
        return Looks.of(self.plan, self.evidence, self.restore, self.fault)

    @property
    def settled(self) -> bool:
        """Whether queues and replay were seen to end before the last look."""
        return settled(self.evidence)

    @property
    def _targets(self) -> tuple[WorkloadTarget, ...]:
        return self.plan.targets.workloads

    # the checks

    def fitness(self) -> tuple[FitnessFinding, ...]:
        """May this run judge? A question that crashes is answered with no."""
        try:
            looks = self.looks.by_name.values()
            beyond = max((int(look.strangers.beyond_ledger.sum()) for look in looks), default=0)
            return fit.fitness(self.plan, self.evidence, self.times, beyond)
        except Exception as error:  # noqa: BLE001 - see `guarded`
            why = f"crashed: {type(error).__name__}: {error}"
            return (FitnessFinding("fitness", False, why, "can be judged", voids_loss=True),)

    def workloads(self) -> tuple[WorkloadJudgement, ...]:
        return tuple(self._workload(target) for target in self._targets)

    def _workload(self, target: WorkloadTarget) -> WorkloadJudgement:
        rto, rpo = _Kept[RecoveryTime](), _Kept[RecoveryPoint]()
        findings: list[Finding] = []
        chosen = self.plan.scenario.checks
        if checks.rto in chosen:
            findings.append(guarded(RTO, target.workload, lambda: self._rto(target, rto)))
        if target.rpo_s is None:
            rpo.value = _not_applicable(target)
        elif checks.rpo in chosen:
            findings.append(guarded(RPO, target.workload, lambda: self._rpo(target, rpo)))
        failback = _Kept[RecoveryTime]()
        if self.failback_watch is not None:
            crashed = guarded(FAILBACK, target.workload, lambda: self._failback(target, failback))
            findings += [crashed] if crashed.verdict is not Verdict.MET else []
        verdict = gravest([f.verdict for f in findings])
        return WorkloadJudgement(
            target.workload, verdict, rto.value, rpo.value, tuple(findings), failback.value
        )

    def _failback(self, target: WorkloadTarget, kept: _Kept[RecoveryTime]) -> Finding:
        """Measured only: the limit on the way back is the platform's, not a workload's."""
        if self.failback_watch is not None:
            found = self.recovery_time(target, self.failback_watch)
            limit = self.plan.scenario.failback
            target_ns = limit.within_s * 1_000_000_000 if limit else found.target_ns
            kept.value = replace(found, target_ns=target_ns, backlog_drained_ns=None)
        return Finding(FAILBACK, target.workload, Verdict.MET, "")

    def _rto(self, target: WorkloadTarget, kept: _Kept[RecoveryTime]) -> Finding:
        workload = target.workload
        if self.watch is None:
            why = f"{workload}: no effect was observed, so nothing was timed"
            return Finding(RTO, workload, Verdict.INCONCLUSIVE, why)
        found = self.recovery_time(target, self.watch)
        kept.value = found
        if not len(self.times.arrivals(workload)):
            why = f"{workload}: no operation was sent"
            return Finding(RTO, workload, Verdict.INCONCLUSIVE, why)
        return gate_rto(workload, found, self.plan.scenario.rto_clock)

    def recovery_time(self, target: WorkloadTarget, watch: Watch) -> RecoveryTime:
        """The RTO of one workload, with what else is told about its return."""
        mine = self.times.arrivals(target.workload)
        found = recovery_time(
            mine,
            self.times.due(target.workload),
            watch,
            target_ns=round(target.rto_s * 1e9),
            bar=Bar.degraded(target.min_capacity) if self.plan.scenario.degraded_mode else None,
        )
        alert_ns = burn_rate_alert_ns(mine, watch.fault_earliest_ns, watch.until_ns)
        drained_ns = self.backlog.drained_ns(target.workload)
        return replace(
            found,
            burn_rate_alert_ns=_since(watch, alert_ns),
            backlog_drained_ns=_since(watch, drained_ns),
        )

    def _rpo(self, target: WorkloadTarget, kept: _Kept[RecoveryPoint]) -> Finding:
        first = self.looks.by_name.get("first")
        if first is None:
            taken = self.evidence.first
            why = "never read back" if taken is None else f"not whole: {taken.why_incomplete}"
            told = f"{target.workload}: the stores were {why}"
            return Finding(RPO, target.workload, Verdict.INCONCLUSIVE, told)
        kept.value = self.recovery_point(target, first)
        return gate_rpo(target.workload, kept.value, self.plan.targets.currency)

    def recovery_point(self, target: WorkloadTarget, first: LookOfRun) -> RecoveryPoint:
        """RPO before and after replay; the one after is gated if replay ended within the RTO.

        A look that came too late to speak for the platform may still speak against it: what it
        shows beyond the first one is gated all the same.
        """
        before = self._counts(target.workload, first)
        gated, look, second = before, first, self.looks.by_name.get("second")
        if second is not None:
            after = self._counts(target.workload, second)
            no_rto_runs = self.fault is None and self.settled and after.replayed > 0
            if self._replayed_in_time(target) or no_rto_runs or is_worse(after, before):
                gated, look = after, second
            else:
                gated = replace(before, replayed=after.replayed)
        return RecoveryPoint(
            target_ns=round((target.rpo_s or 0) * 1e9),
            lost_max=target.lost_max,
            gated=gated,
            before_replay=before,
            gated_read_back=look.name,
            examples=look.tally.examples(
                target.workload, strangers=look.strangers, stale=look.stale, run_id=self.plan.run_id
            ),
        )

    def _counts(self, workload: Workload, look: LookOfRun) -> WriteCounts:
        return look.tally.counts(
            workload, strangers=look.strangers, stale=look.stale, fault=self.fault,
            clock_error_ns=self.evidence.observation.clock_error_ns,
        )  # fmt: skip

    def _replayed_in_time(self, target: WorkloadTarget) -> bool:
        ended_ns = self.evidence.observation.replay_ended_ns
        if ended_ns is None or self.fault is None:
            return False
        return ended_ns - self.fault.latest_ns <= round(target.rto_s * 1e9)

    def gate_strangers(self) -> Finding:
        """Rows of this run that belong to no workload of the plan, as a violation."""
        known = np.array([t.workload.code for t in self._targets], dtype=np.uint8)
        counted = 0
        for name, look in self.looks.by_name.items():
            taken = self.evidence.looks[name]
            stray = ~np.isin(look.strangers.workload, known) & ~look.strangers.beyond_ledger
            counted = max(counted, taken.foreign + int(np.count_nonzero(stray)))
        if not counted:
            return Finding(RPO, None, Verdict.MET, "every stored row was sent by a worker")
        told = f"stored under this run's stamp, and sent by no worker: {counted:,}"
        return Finding(RPO, None, Verdict.MISSED, told)


@dataclass
class _Kept(Generic[T]):
    """Where a check leaves its measure, so that it survives a crash of the gate after it."""

    value: T | None = None


def _not_applicable(target: WorkloadTarget) -> RecoveryPoint:
    nothing = WriteCounts()
    reason = target.rpo_not_applicable_reason
    return RecoveryPoint(None, None, nothing, nothing, "", (), reason)


def _since(watch: Watch, at_ns: int | None) -> int | None:
    return None if at_ns is None else max(0, at_ns - watch.fault_latest_ns)
