"""Runs made by hand, one per thing that a report must be able to say."""

from __future__ import annotations

from dataclasses import replace

from report_money import FIRST, WATCH, priced, unlooked, with_money
from report_recoveries import restored, restored_badly
from report_samples import BEGIN_NS, FITNESS, Outage, mark, record

from harness.core.alerting import Detection
from harness.core.operation import Workload
from harness.core.record import RunRecord
from harness.core.scenario import experiment
from harness.core.timeline import MarkName, Timeline
from harness.core.verdict import (
    Finding,
    FitnessFinding,
    RecoveryPoint,
    Verdict,
    WorkloadJudgement,
    WriteCounts,
)

HOSTILE = "<script>alert('x')</script>|`*_[a](http://x.example)\x1b[31m\u202eevil\x00"


def met() -> RunRecord:
    return record()


def missed() -> RunRecord:
    """Three orders lost for good, the till's two came back with replay, and stock was late."""
    return record(
        {
            Workload.ORDER_CAPTURE: Outage(lost=3, lost_before=3, value_cents=14400),
            Workload.POINT_OF_SALE: Outage(lost_before=2),
            Workload.STOCK_RESERVATION: Outage(back_s=66.4),
        },
        "Not safe for Saturday: 3 acknowledged orders worth EUR 144.00 are gone, and stock "
        "reservation was away for 65.8 to 66.4 s; 60 s are allowed.",
        "order-capture: 3 of 3,437 acknowledged writes lost; none may be.",
        "stock-reservation: back after 65.8 to 66.4 s; 60 s are allowed.",
    )


def not_recovered() -> RunRecord:
    return record(
        {Workload.ORDER_CAPTURE: Outage(back_s=None), Workload.FINANCE: Outage(back_s=0)},
        "Not safe for Saturday: order-capture was not back 139 s after the fault; 60 s are "
        "allowed.",
    )


def null_run() -> RunRecord:
    """Nothing was injected: the instrument must say so, and nothing else."""
    base = record({w: Outage(back_s=0) for w in Workload})
    marks = (mark(MarkName.LOAD_BEGUN, 0), mark(MarkName.NO_EFFECT, 41.0, 1.0))
    why = "no effect of the fault was observed within 20 s"
    workloads = tuple(
        WorkloadJudgement(
            w.workload, Verdict.INVALID, None, None,
            (Finding("rto", w.workload, Verdict.INVALID, why),),
        )
        for w in base.judgement.workloads
    )  # fmt: skip
    fitness = tuple(
        replace(f, fit=False, measured="not observed") if f.name == "effect-observed" else f
        for f in FITNESS
    )
    return replace(
        base,
        judgement=replace(
            base.judgement, verdict=Verdict.INVALID, workloads=workloads, findings=(),
            fitness=fitness, notes=(), reasons=(f"This run cannot judge: {why}.",),
            not_checked=("rto", "rpo", "stores-agree"),
        ),
        timeline=Timeline(marks), origin_ns=BEGIN_NS,
        series=tuple(replace(s, begin_s=0.0) for s in base.series),
    )  # fmt: skip


def skipped() -> RunRecord:
    """The platform lacks what the scenario asks for: nothing was started."""
    base = record()
    why = "skipped: platform embedded lacks tenants"
    scenario = replace(base.plan.scenario, requires=frozenset({"nodes", "tenants"}))
    workloads = tuple(
        WorkloadJudgement(
            w.workload, Verdict.INCONCLUSIVE, None, None,
            (Finding("rto", w.workload, Verdict.INCONCLUSIVE, why),),
        )
        for w in base.judgement.workloads
    )  # fmt: skip
    return replace(
        base,
        plan=replace(base.plan, scenario=scenario),
        judgement=replace(
            base.judgement, verdict=Verdict.INCONCLUSIVE, reasons=(why,), workloads=workloads,
            findings=(), fitness=(), notes=(), not_checked=("rto", "rpo", "stores-agree"),
        ),
        timeline=Timeline(()), series=(), chaos_steps=(),
        origin_ns=0, load_begun_ns=0, load_stopped_ns=0,
    )  # fmt: skip


def without_writes() -> RunRecord:
    """Finance declares that RPO does not apply to it."""
    base = record()
    reason = "reports only; the invoices are another system's"
    workloads = tuple(
        replace(
            w,
            rpo=RecoveryPoint(None, None, WriteCounts(), WriteCounts(), "second", (), reason),
            findings=w.findings[:1],
        )
        if w.workload is Workload.FINANCE
        else w
        for w in base.judgement.workloads
    )
    return replace(
        base,
        judgement=replace(
            base.judgement, workloads=workloads,
            not_checked=(f"finance-reporting: rpo, not applicable: {reason}",),
        ),
    )  # fmt: skip


def hostile() -> RunRecord:
    """Every text that can come from a file of somebody else's is an attack."""
    base, left = missed(), restored_badly()
    j = base.judgement
    facts = replace(
        base.plan.platform, name=HOSTILE, heading=HOSTILE, notes=(HOSTILE,),
        versions=((HOSTILE, HOSTILE),), unproven=(HOSTILE,), loops_s=((HOSTILE, 1.0),),
        capabilities=(*base.plan.platform.capabilities, HOSTILE),
    )  # fmt: skip
    fault = experiment(HOSTILE, node=HOSTILE)
    scenario = replace(base.plan.scenario, name=HOSTILE, owner=HOSTILE, story=HOSTILE, fault=fault)
    workloads = tuple(
        replace(w, findings=tuple(replace(f, check=HOSTILE, reason=HOSTILE) for f in w.findings))
        for w in j.workloads
    )
    return replace(
        base,
        plan=replace(
            base.plan, scenario=scenario, platform=facts, release=HOSTILE, run_id=HOSTILE,
            experiment_file=HOSTILE, shape=replace(base.plan.shape, name=HOSTILE),
            targets=replace(base.plan.targets, currency=HOSTILE, source=HOSTILE, season=HOSTILE),
        ),
        judgement=replace(
            j, run_id=HOSTILE, scenario=HOSTILE, reasons=(HOSTILE, HOSTILE), workloads=workloads,
            notes=(HOSTILE,), not_checked=(HOSTILE,),
            findings=(Finding(HOSTILE, None, Verdict.MISSED, HOSTILE),),
            fitness=(FitnessFinding(HOSTILE, False, HOSTILE, HOSTILE),),
            access=tuple(
                replace(a, credential=HOSTILE, reason=HOSTILE) for a in left.judgement.access
            ),
            restoration=tuple(
                replace(r, examples=(HOSTILE,)) for r in left.judgement.restoration
            ),
            unprotected=replace(left.judgement.unprotected, told=HOSTILE),
        ),
        steps=tuple(
            replace(
                s, runbook=HOSTILE, name=HOSTILE, title=HOSTILE, decision=HOSTILE, role=HOSTILE,
                told=HOSTILE,
            )
            for s in left.steps
        ),
        proofs=tuple(
            replace(p, check=HOSTILE, kind=HOSTILE, subject=HOSTILE, told=HOSTILE)
            for p in left.proofs
        ),
        timeline=Timeline((*base.timeline.marks, mark(MarkName.STEP, 3, note=HOSTILE))),
        directory=HOSTILE, evidence_digest=HOSTILE, begun_utc=HOSTILE,
        chaos_steps=((HOSTILE, HOSTILE),),
        money=replace(with_money(base).money, currency=HOSTILE),
        detection=Detection(
            HOSTILE, replace(WATCH, trouble=HOSTILE), (replace(FIRST, name=HOSTILE),), (HOSTILE,)
        ),
    )  # fmt: skip


def very_long() -> RunRecord:
    """Six hours of load, one second a bin."""
    return record(end_s=6 * 3600)


def crowded() -> RunRecord:
    """Ten workloads' worth of rows."""
    base = missed()
    more = (*base.judgement.workloads, *base.judgement.workloads)[:10]
    return replace(
        base,
        judgement=replace(base.judgement, workloads=more),
        series=(*base.series, *base.series)[:10],
    )


ALL = {
    maker.__name__: maker
    for maker in (
        met, missed, not_recovered, null_run, skipped, without_writes, hostile, very_long, crowded,
        restored, restored_badly, priced, unlooked,
    )
}  # fmt: skip
