"""What a recovery by runbook left to show: steps, proofs, credentials, and the cost of a restore.

Derived from a record, judged by nobody here. Texts that came from outside are texts still: each
renderer escapes them as its own language asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core import checks, wording
from harness.core.operation import Workload
from harness.core.proofs import Proof, StepRecord
from harness.core.record import RunRecord
from harness.core.timeline import MarkName
from harness.core.verdict import (
    AccessJudgement,
    RecoveryTime,
    RestorationCounts,
    Verdict,
    gravest,
)
from reports.words import NS_PER_S, count, money, seconds

PROOFS_SHOWN = 60  # of one check; those that speak against the platform come first


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a runbook; places in per cent of the time from the first to the last."""

    record: StepRecord
    begun: str  # after the fault
    seen: str
    took: str
    from_per_cent: float
    width_per_cent: float


@dataclass(frozen=True, slots=True)
class Milestone:
    """Data back, service back, protected: three marks that are easily taken for one."""

    title: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class ProofGroup:
    """The proofs of one check; `verdict` None: the scenario does not name it."""

    check: str
    title: str
    verdict: Verdict | None
    proofs: tuple[Proof, ...]
    left_out: int  # beyond those that are shown; what speaks against the platform is shown first


def steps(record: RunRecord) -> tuple[StepView, ...]:
    """Every step in the order of its begin."""
    taken = sorted(record.steps, key=lambda s: (s.begun_ns, s.ended_ns))
    if not taken:
        return ()
    begin_ns = taken[0].begun_ns
    length_ns = max(1, max(s.ended_ns for s in taken) - begin_ns)

    def place(ns: int) -> float:
        return round((ns - begin_ns) / length_ns * 100, 2)

    return tuple(
        StepView(
            record=step,
            begun=after_origin(record, step.begun_ns),
            seen=after_origin(record, step.ended_ns),
            took=seconds((step.ended_ns - step.begun_ns) / NS_PER_S),
            from_per_cent=place(step.begun_ns),
            width_per_cent=max(0.5, place(step.ended_ns) - place(step.begun_ns)),
        )
        for step in taken
    )


def after_origin(record: RunRecord, at_ns: int) -> str:
    return seconds((at_ns - record.origin_ns) / NS_PER_S)


def milestones(record: RunRecord) -> tuple[Milestone, ...]:
    """When the data, the service and the protection were back; nothing where no runbook ran."""
    timeline = record.timeline
    if timeline.first(MarkName.RECOVERY_BEGUN) is None and not record.steps:
        return ()
    found = []
    for name, title, note in (
        (MarkName.RESTORED, "Data back", "restored, and seen so; nobody is served by that yet"),
        (MarkName.PROTECTED, "Protected again", "redundant, archiving and backed up"),
    ):
        mark = timeline.last(name)
        when = after_origin(record, mark.latest_ns) if mark else "not seen"
        if mark is not None or name is MarkName.PROTECTED:
            found.append(Milestone(title, when, note))
    found.insert(
        len(found) - 1, Milestone("Service back", _service_back(record), "every workload well")
    )
    return tuple(found)


def _service_back(record: RunRecord) -> str:
    times = [w.rto for w in record.judgement.workloads if w.rto is not None]
    highs = [t.high_ns for t in times if t.high_ns is not None]
    if not times or len(highs) < len(times):
        return "not seen"
    return f"{wording.seconds(max(highs), up=True)} s"


def proof_groups(record: RunRecord) -> tuple[ProofGroup, ...]:
    """By check: those of the scenario first, in its order."""
    named = [c.name for c in record.plan.scenario.checks]
    order = dict.fromkeys([*named, *(p.check for p in record.proofs)])
    groups = []
    for check in order:
        mine = [p for p in record.proofs if p.check == check]
        if mine:
            ranked = sorted(mine, key=lambda p: (p.ok is not False, p.ok is not None))
            shown = tuple(ranked[:PROOFS_SHOWN])
            verdict = verdict_of(record, check) if check in named else None
            title = check_title(check)
            groups.append(ProofGroup(check, title, verdict, shown, len(mine) - len(shown)))
    return tuple(groups)


def verdict_of(record: RunRecord, check: str) -> Verdict | None:
    found = [f.verdict for f in record.judgement.findings if f.check == check]
    unfit = [v for v in found if v in {Verdict.INVALID, Verdict.ERROR}]
    return unfit[0] if unfit else gravest(found) if found else None


_MORE_CHECKS = {
    "recovery": "Recovery within its own limit",
    "failback": "Back to the original layout within its own limit",
    "proven-adapter": "The platform's adapter has been run before",
}


def check_title(name: str) -> str:
    """What a check is called; an unknown one by its name."""
    return checks.ALL[name].title if name in checks.ALL else _MORE_CHECKS.get(name, name)


def access_span(low_ns: int | None, high_ns: int | None) -> str:
    """An interval after the fault, rounded outwards."""
    if low_ns is None or high_ns is None:
        return "-"
    return f"{wording.seconds(low_ns)} to {wording.seconds(high_ns, up=True)} s"


def last_accepted(found: AccessJudgement) -> str:
    if not found.accepted:
        return "never"
    return access_span(found.last_accepted_low_ns, found.last_accepted_high_ns)


def revoked(found: AccessJudgement) -> str:
    if found.revoked_low_ns is None:
        return "not said"
    return access_span(found.revoked_low_ns, found.revoked_high_ns)


def restoration_total(found: tuple[RestorationCounts, ...], currency: str) -> str:
    """One sentence over all workloads: what the restore cost, and what became of it; or ""."""
    if not found:
        return ""
    lost, value = sum(r.lost for r in found), sum(r.lost_value_cents for r in found)
    told = f"The restore cost {count(lost)} acknowledged writes ({money(value, currency)})"
    if any(r.back is None for r in found):
        return f"{told}; what came back is not known, for the stores were not read whole."
    back, gone = (sum(getattr(r, name) or 0 for r in found) for name in ("back", "gone"))
    spoiled = sum(r.spoiled or 0 for r in found)
    worth = money(sum(r.gone_value_cents or 0 for r in found), currency)
    told += f"; replay brought back {count(back)}, and {count(gone)} are lost for good ({worth})"
    if waiting := sum(r.waiting for r in found):
        told += f"; of {count(waiting)} it is not known, for the queue was not seen drained"
    return f"{told}; {count(spoiled)} came back damaged or twice." if spoiled else f"{told}."


def not_back(found: RestorationCounts) -> tuple[str, ...]:
    """Keys of what replay did not bring back as it was; the report for programs has the others."""
    return tuple(example for example in found.examples if not example.startswith("back "))


def point_text(found: RestorationCounts) -> str:
    """Where the recovery point lies, seen from the fault."""
    if found.recovery_point_ns is None:
        return "-"
    side = "before" if found.recovery_point_ns < 0 else "after"
    return f"{seconds(abs(found.recovery_point_ns) / NS_PER_S)} {side} the fault"


def failbacks(record: RunRecord) -> tuple[tuple[Workload, RecoveryTime], ...]:
    """Each workload's outage on the way back; nothing where nobody went back."""
    return tuple(
        (w.workload, w.failback) for w in record.judgement.workloads if w.failback is not None
    )


def failback_text(found: RecoveryTime) -> str:
    """How long its customers were away."""
    if found.first_bad_ns is None and found.recovered:
        return "no outage"
    return wording.outage(found.outage_low_ns or 0, found.outage_high_ns)


def recovery_lines(record: RunRecord) -> list[str]:
    """What terminal and summary say of it in words; the reasons have the verdicts already."""
    judgement = record.judgement
    found = [f"{m.title.lower()}: {m.value}" for m in milestones(record)]
    lines = [f"counted from the fault: {', '.join(found)}"] if found else []
    currency = record.plan.targets.currency
    total = restoration_total(judgement.restoration, currency)
    lines += [total] if total else []
    lines += [
        f"{r.workload}: {count(r.gone)} lost for good, {money(r.gone_value_cents or 0, currency)}"
        for r in judgement.restoration
        if r.gone
    ]
    ways = failbacks(record)
    if ways:
        away = ", ".join(f"{workload} {failback_text(rto)}" for workload, rto in ways)
        lines.append(f"on the way back to the original layout: {away}")
    return lines
