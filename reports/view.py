"""The figures that several renderers show: derived from a record, judged by nobody here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.core.operation import Workload
from harness.core.record import RunRecord, Series
from harness.core.targets import WorkloadTarget
from harness.core.timeline import MarkName
from harness.core.verdict import (
    Finding,
    RecoveryPoint,
    RecoveryTime,
    Verdict,
    WorkloadJudgement,
    WriteCounts,
)
from reports.words import NS_PER_S, count, money, recovery_span, seconds


@dataclass(frozen=True, slots=True)
class WriteClass:
    """One row of the loss table. `kind` says how to read it: outcome, loss, allowed, violation."""

    field: str
    title: str
    meaning: str
    kind: str


WRITE_CLASSES = (
    WriteClass("acked", "Acknowledged", "answered with a result", "outcome"),
    WriteClass("unknown", "Unknown", "sent, no certain answer", "outcome"),
    WriteClass("refused", "Refused", "provably without effect", "outcome"),
    WriteClass("lost", "Lost", "acknowledged, not in the store", "loss"),
    WriteClass("waiting", "Waiting", "acknowledged by a queue that was not seen drained", "loss"),
    WriteClass("replayed", "Replayed", "lost at first, back by itself", "allowed"),
    WriteClass("absent", "Absent", "unknown, not in the store", "allowed"),
    WriteClass("recovered", "Recovered", "unknown, in the store", "allowed"),
    WriteClass("duplicate_by_retry", "Duplicate by retry", "the client sent it twice", "allowed"),
    WriteClass("ghost", "Ghost", "refused, yet in the store", "violation"),
    WriteClass("unexpected", "Unexpected", "nobody sent it", "violation"),
    WriteClass("duplicate", "Duplicate", "one write, more than one record", "violation"),
    WriteClass("altered", "Altered", "content differs from what was acknowledged", "violation"),
    WriteClass("partial", "Partial", "lines, moves or documents missing", "violation"),
    WriteClass("resurrected", "Resurrected", "cancelled, and back", "violation"),
    WriteClass("stale", "Stale", "read without an earlier acknowledged write", "violation"),
)


def counted(counts: WriteCounts, field: str) -> int:
    return int(getattr(counts, field))


@dataclass(frozen=True, slots=True)
class WorkloadView:
    """One workload as every report shows it."""

    judged: WorkloadJudgement
    target: WorkloadTarget | None
    series: Series | None
    offered_share: float | None  # of the schedule, during the outage; None where there was none
    clock: str  # what the gated recovery time counts from: "fault", or "outage" (a latent fault)

    @property
    def workload(self) -> Workload:
        return self.judged.workload

    @property
    def name(self) -> str:
        return self.judged.workload.value

    @property
    def verdict(self) -> Verdict:
        return self.judged.verdict

    @property
    def rto(self) -> RecoveryTime | None:
        return self.judged.rto

    @property
    def rpo(self) -> RecoveryPoint | None:
        return self.judged.rpo

    def verdict_of(self, check: str) -> Verdict:
        """Of one check alone; of the workload, where that check was not judged."""
        found = [f.verdict for f in self.judged.findings if f.check == check]
        return found[0] if found else self.judged.verdict

    @property
    def rto_text(self) -> str:
        if self.rto is None:
            return "not measured"
        return recovery_span(self.low_ns, self.high_ns, well_at_end=self.rto.well_at_end)

    @property
    def low_ns(self) -> int:
        """Low end of what is gated."""
        if self.rto is None:
            return 0
        late = self.clock == "outage" and self.rto.outage_low_ns is not None
        return self.rto.outage_low_ns or 0 if late else self.rto.low_ns

    @property
    def high_ns(self) -> int | None:
        """High end of what is gated; None where nothing recovered."""
        if self.rto is None:
            return None
        late = self.clock == "outage" and self.rto.outage_low_ns is not None
        return self.rto.outage_high_ns if late else self.rto.high_ns

    @property
    def rto_target_text(self) -> str:
        if self.rto is not None:
            return seconds(self.rto.target_ns / NS_PER_S)
        return seconds(self.target.rto_s) if self.target else "-"

    @property
    def lost_text(self) -> str:
        """`3 of 1,240` after replay; what it was before, where that differs."""
        if self.rpo is None:
            return "not measured"
        if self.rpo.target_ns is None:
            return "not applicable"
        gated, before = self.rpo.gated, self.rpo.before_replay
        text = f"{count(gated.lost)} of {count(gated.acked)}"
        if before.lost != gated.lost:
            text += f" ({count(before.lost)} before replay)"
        if gated.waiting:
            text += f", {count(gated.waiting)} not known"
        return text

    @property
    def rpo_target_text(self) -> str:
        if self.rpo is not None and self.rpo.target_ns is None:
            return "not applicable"
        rpo_s = self.target.rpo_s if self.target else None
        if self.rpo is not None and self.rpo.target_ns is not None:
            rpo_s = self.rpo.target_ns / NS_PER_S
        lost_max = self.rpo.lost_max if self.rpo else self.target.lost_max if self.target else None
        if rpo_s == 0 and lost_max == 0:
            return "none"
        parts = [seconds(rpo_s) if rpo_s is not None else "-"]
        if lost_max is not None:
            parts.append(f"at most {count(lost_max)} lost")
        return ", ".join(parts)

    @property
    def violations(self) -> int | None:
        return None if self.rpo is None else self.rpo.gated.violations

    def lost_value_text(self, currency: str) -> str:
        return "-" if self.rpo is None else money(self.rpo.gated.lost_value_cents, currency)


def _outage_s(record: RunRecord, rto: RecoveryTime) -> tuple[float, float]:
    """From t_F to recovery, or to the end of the load, in seconds from the origin."""
    end_ns = rto.high_ns
    if end_ns is None:
        end_ns = record.load_stopped_ns - record.origin_ns
    return 0.0, end_ns / NS_PER_S


def offered_share(
    record: RunRecord, rto: RecoveryTime | None, series: Series | None
) -> float | None:
    """How much of the schedule was sent while the platform was away: the load may not sag."""
    if rto is None or series is None or rto.high_ns == 0:
        return None
    begin_s, end_s = _outage_s(record, rto)
    at_s = series.begin_s + np.arange(len(series.scheduled))
    during = (at_s + 1 > begin_s) & (at_s < end_s)
    scheduled = int(series.scheduled[during].sum())
    return float(series.offered[during].sum()) / scheduled if scheduled else None


def workloads(record: RunRecord) -> tuple[WorkloadView, ...]:
    """In the order of the judgement."""
    drawn = {series.workload: series for series in record.series}
    return tuple(
        WorkloadView(
            judged=judged,
            target=record.plan.targets.of(judged.workload),
            series=drawn.get(judged.workload),
            offered_share=offered_share(record, judged.rto, drawn.get(judged.workload)),
            clock=record.plan.scenario.rto_clock,
        )
        for judged in record.judgement.workloads
    )


def findings(record: RunRecord) -> tuple[Finding, ...]:
    """Every judged check: of the platform first, then workload by workload."""
    of_workloads = (f for judged in record.judgement.workloads for f in judged.findings)
    return (*record.judgement.findings, *of_workloads)


def lacking(record: RunRecord) -> tuple[str, ...]:
    """Capabilities that the scenario asks for and the platform does not have."""
    return tuple(sorted(record.plan.scenario.requires - set(record.plan.platform.capabilities)))


def has_fault(record: RunRecord) -> bool:
    """Whether the origin of the times is t_F, or only the begin of the load."""
    return record.timeline.first(MarkName.FAULT_ACTIVE) is not None


def slowest(views: tuple[WorkloadView, ...]) -> WorkloadView | None:
    """The workload that was away longest; one that never came back is slower than any."""
    measured = [v for v in views if v.rto is not None]
    return max(measured, key=_away_ns, default=None)


def _away_ns(view: WorkloadView) -> float:
    return float("inf") if view.high_ns is None else float(view.high_ns)


@dataclass(frozen=True, slots=True)
class Total:
    """Writes of all workloads together, at the gated read-back."""

    acked: int
    lost: int
    lost_before_replay: int
    violations: int
    lost_value_cents: int
    duplicates_by_retry: int


def total(views: tuple[WorkloadView, ...]) -> Total | None:
    """None where nothing was read back."""
    points = [v.rpo for v in views if v.rpo is not None]
    if not points:
        return None
    return Total(
        acked=sum(p.gated.acked for p in points),
        lost=sum(p.gated.lost for p in points),
        lost_before_replay=sum(p.before_replay.lost for p in points),
        violations=sum(p.gated.violations for p in points),
        lost_value_cents=sum(p.gated.lost_value_cents for p in points),
        duplicates_by_retry=sum(p.gated.duplicate_by_retry for p in points),
    )
