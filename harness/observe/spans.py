"""The phases of a run as spans: what happened when, on everybody's clock.

    peakdrill run
      baseline
      fault armed, fault active, fault healed
      outage of each workload, from the fault to its return
      each step of a runbook
      way back, read-back, judge

A phase that was not seen to begin and to end has no span. Pure: nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.core.record import RunRecord, WallClock
from harness.core.timeline import MarkName
from harness.core.verdict import Verdict, WorkloadJudgement

_NS_PER_S = 1_000_000_000
ROOT = "peakdrill run"
type_value = str | bool | int | float


@dataclass(frozen=True, slots=True)
class Phase:
    """One span. The first one is the root, and every other one is its child."""

    name: str
    begin_unix_ns: int
    end_unix_ns: int
    attributes: dict[str, type_value] = field(default_factory=dict)
    failed: str = ""  # why it did not do what it was for


def phases(record: RunRecord) -> tuple[Phase, ...]:
    """The root first, then its children by their begin; () where nobody knows the wall clock."""
    wall, marks = record.wall, record.timeline.marks
    if wall is None or not marks:
        return ()
    children = sorted(_children(record, wall), key=lambda p: (p.begin_unix_ns, p.end_unix_ns))
    begin_ns = min(m.earliest_ns for m in marks) + wall.offset_ns
    end_ns = max(m.latest_ns for m in marks) + wall.offset_ns
    ends_ns = [end_ns, *(c.end_unix_ns for c in children)]
    verdict = record.judgement.verdict
    why = record.judgement.reasons[0] if record.judgement.reasons else ""
    root = Phase(
        ROOT, begin_ns, max(ends_ns), _of_run(record, wall),
        failed="" if verdict is Verdict.MET else f"{verdict}: {why}",
    )  # fmt: skip
    return (root, *children)


def _of_run(record: RunRecord, wall: WallClock) -> dict[str, type_value]:
    """Verdict and key figures. What was not measured is not there."""
    plan, judgement = record.plan, record.judgement
    points = [w.rpo.gated for w in judgement.workloads if w.rpo and w.rpo.target_ns is not None]
    told: dict[str, type_value] = {
        "peakdrill.run_id": judgement.run_id,
        "peakdrill.scenario": judgement.scenario,
        "peakdrill.verdict": judgement.verdict.value,
        "peakdrill.judge": judgement.judge,
        "peakdrill.size": plan.size.value,
        "peakdrill.seed": plan.seed,
        "peakdrill.peak": plan.peak,
        "peakdrill.release": plan.release,
        "peakdrill.season": plan.targets.season,
        "peakdrill.platform": plan.platform.name,
        "peakdrill.evidence.sha256": record.evidence_digest,
        "peakdrill.evidence.directory": record.directory,
        "peakdrill.clock": wall.source,
    }
    if points:
        told["peakdrill.lost_writes"] = sum(p.lost for p in points)
        told["peakdrill.violations"] = sum(p.violations for p in points)
    risk = record.money.risk if record.money is not None else None
    if record.money is not None and risk is not None:
        told["peakdrill.currency"] = record.money.currency
        told["peakdrill.revenue_at_risk.low_cents"] = risk.low.cents
        if risk.high is not None:
            told["peakdrill.revenue_at_risk.high_cents"] = risk.high.cents
    first = record.detection.first if record.detection is not None else None
    if first is not None:
        told["peakdrill.detection.alert"] = first.name
        told["peakdrill.detection.low_s"] = first.low_ns / _NS_PER_S
        told["peakdrill.detection.high_s"] = first.high_ns / _NS_PER_S
    return told


def _children(record: RunRecord, wall: WallClock) -> Iterator[Phase]:
    def between(name: str, begin: MarkName, *ends: MarkName, **told: type_value) -> Iterator[Phase]:
        """From the one mark to the first of `ends` that is there and not before it."""
        since = record.timeline.first(begin)
        if since is None:
            return
        for end in ends:
            until = record.timeline.last(end)
            if until is not None and until.latest_ns >= since.earliest_ns:
                yield Phase(
                    name, since.earliest_ns + wall.offset_ns, until.latest_ns + wall.offset_ns,
                    told | ({"peakdrill.note": until.note} if until.note else {}),
                )  # fmt: skip
                return

    fault = record.plan.scenario.fault.experiment
    stop = MarkName.LOAD_STOPPED
    yield from between("baseline", MarkName.BASELINE_BEGUN, MarkName.BASELINE_ENDED)
    armed = (MarkName.FAULT_ACTIVE, MarkName.NO_EFFECT)
    yield from between("fault armed", MarkName.FAULT_ARMED, *armed)
    yield from between(
        "fault active", MarkName.FAULT_ACTIVE, MarkName.FAULT_RELEASED, stop,
        **{"peakdrill.fault": fault},
    )  # fmt: skip
    yield from between("heal", MarkName.FAULT_RELEASED, MarkName.FAULT_HEALED)
    yield from _outages(record, wall)
    yield from _steps(record, wall)
    yield from between("way back", MarkName.FAILBACK_BEGUN, MarkName.FAILBACK_ENDED)
    yield from between("read-back", stop, MarkName.READ_BACK_SECOND, MarkName.READ_BACK_FIRST)
    last_ns = max(m.latest_ns for m in record.timeline.marks) + wall.offset_ns
    verdict = record.judgement.verdict.value
    yield Phase("judge", last_ns, last_ns, {"peakdrill.verdict": verdict})


def _outages(record: RunRecord, wall: WallClock) -> Iterator[Phase]:
    """What the customers saw: from the fault to the return of each workload."""
    fault = record.timeline.first(MarkName.FAULT_ACTIVE)
    for judged in record.judgement.workloads:
        if fault is None or judged.rto is None:
            continue
        begin_ns = fault.latest_ns + wall.offset_ns
        until_ns = (
            judged.rto.observed_until_ns if judged.rto.high_ns is None else judged.rto.high_ns
        )
        yield Phase(
            f"outage {judged.workload.value}", begin_ns, begin_ns + max(0, until_ns),
            _of_outage(judged),
            failed="" if judged.verdict is Verdict.MET else judged.verdict.value,
        )  # fmt: skip


def _of_outage(judged: WorkloadJudgement) -> dict[str, type_value]:
    told: dict[str, type_value] = {
        "peakdrill.workload": judged.workload.value,
        "peakdrill.verdict": judged.verdict.value,
    }
    if (rto := judged.rto) is not None:
        told["peakdrill.rto.low_s"] = rto.low_ns / _NS_PER_S
        told["peakdrill.rto.target_s"] = rto.target_ns / _NS_PER_S
        told["peakdrill.rto.recovered"] = rto.recovered
        if rto.high_ns is not None:
            told["peakdrill.rto.high_s"] = rto.high_ns / _NS_PER_S
    return told


def _steps(record: RunRecord, wall: WallClock) -> Iterator[Phase]:
    for step in record.steps:
        yield Phase(
            f"step {step.runbook}: {step.name}",
            step.begun_ns + wall.offset_ns,
            step.ended_ns + wall.offset_ns,
            {
                "peakdrill.step.title": step.title,
                "peakdrill.step.decision": step.decision,
                "peakdrill.step.role": step.role,
                "peakdrill.step.told": step.told,
                "peakdrill.step.done": step.done,
            },
            failed="" if step.done else f"not seen: {step.told}",
        )
