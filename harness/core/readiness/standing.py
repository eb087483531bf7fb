"""What one run says of one cell of the readiness matrix, held against the season's own targets.

A run was judged by the targets of its day. The season may ask for more, so the stored verdict is
not trusted: the run's own interval and counts are compared again. Where the outcome does not hold
what would be needed, the run is outdated and says nothing for the season; what it proved against
the platform stands all the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from harness.core.asked import bars_of
from harness.core.measured_findings import RPO, RTO, interval_verdict
from harness.core.outcome import Outcome, WorkloadOutcome
from harness.core.scenario import Scenario
from harness.core.targets import WorkloadTarget
from harness.core.verdict import Verdict, gravest
from harness.core.wording import seconds, whole

_NS_PER_S = 1_000_000_000
_VOID = (Verdict.INVALID, Verdict.ERROR)


class State(StrEnum):
    """Of a cell. `SMOKE`: met, but by shortened runs alone: a sign, and no proof."""

    MISSED = "missed"
    NEVER = "never tested"
    INCONCLUSIVE = "inconclusive"
    EXPIRED = "expired"
    SMOKE = "met (smoke)"
    MET = "met"


@dataclass(frozen=True, slots=True)
class Said:
    """Met, missed or inconclusive; `outdated`: why it does not speak for the season."""

    verdict: Verdict
    why: str
    outdated: str = ""
    loss: bool = False


def said_of_workload(
    run: Outcome,
    found: WorkloadOutcome,
    scenario: Scenario,
    target: WorkloadTarget,
    then: WorkloadTarget | None,
) -> Said | None:
    """None: this run proves nothing here. `then`: what is declared for the season of the run.

    What the run itself says of that goes first: the file may have been changed since.
    """
    if (run.verdict in _VOID or found.verdict in _VOID) and not found.proven_loss:
        return None
    named = {check.name for check in scenario.checks}
    wanted = [RTO] * (RTO in named) + [RPO] * (RPO in named and target.rpo_s is not None)
    stored = {name: verdict for name, verdict in found.checks if verdict not in _VOID}
    parts = []
    if RTO in stored:
        parts.append(_recovery(found, stored[RTO], target, scenario.rto_clock))
    if RPO in stored or found.proven_loss:
        parts.append(_losses(found, stored.get(RPO, Verdict.MISSED), target))
    others = [verdict for name, verdict in stored.items() if name not in {RTO, RPO}]
    verdict = gravest([*(v for v, _ in parts), *others])
    if verdict is Verdict.MET and run.unproven:
        verdict = Verdict.INCONCLUSIVE
        parts.insert(0, (verdict, "on a platform adapter that nobody has proven"))
    why = "; ".join(text for v, text in parts if v is verdict) or "a further check"
    lacking = [name for name in wanted if name not in stored]
    outdated = f"it did not check {', '.join(lacking)}" if lacking else ""
    return Said(
        verdict,
        why if wanted or parts else "nothing was checked",
        "" if verdict is Verdict.MISSED else outdated or _easier(found, target, then),
        found.proven_loss,
    )


def said_of_platform(run: Outcome, scenario: Scenario) -> Said | None:
    """The checks that belong to no single workload: stores, runbook, backups, protection."""
    verdicts = dict(run.checks)
    void = run.verdict in _VOID or any(v in _VOID for v in verdicts.values())
    if void and Verdict.MISSED not in verdicts.values():
        return None
    verdict = gravest([v for v in verdicts.values() if v not in _VOID])
    if verdict is Verdict.MET and run.unproven:
        return Said(Verdict.INCONCLUSIVE, "on a platform adapter that nobody has proven")
    if verdict is Verdict.MET and _is_unexplained(run):
        return Said(Verdict.INCONCLUSIVE, f"the run was {run.verdict}, and no part of it says why")
    same = [name for name, v in run.checks if v is verdict]
    wanted = {check.name for check in scenario.checks} - {RTO, RPO}
    lacking = sorted(wanted - set(verdicts))
    told = ", ".join(same) if same else "nothing was checked"
    if verdict is Verdict.MISSED:
        stores = verdicts.get("stores-agree") is Verdict.MISSED
        return Said(verdict, f"{told} missed", loss=stores)
    why = f"all {len(same)} checks held" if verdict is Verdict.MET else f"{told}: could not be said"
    return Said(verdict, why, f"it did not check {', '.join(lacking)}" if lacking else "")


def _is_unexplained(run: Outcome) -> bool:
    """Not met as a whole, although every workload was: whatever it was is the platform's."""
    whole = run.verdict is Verdict.MET
    return not whole and all(w.verdict is Verdict.MET for w in run.workloads)


def _recovery(
    found: WorkloadOutcome, stored: Verdict, target: WorkloadTarget, clock: str
) -> tuple[Verdict, str]:
    """The run's interval against the season's RTO; never better than judged, where not looser."""
    wanted_ns = round(target.rto_s * _NS_PER_S)
    low_ns, high_ns = found.rto_low_ns, found.rto_high_ns
    if low_ns is None:
        return gravest([stored, Verdict.INCONCLUSIVE]), "no recovery time was found"
    out = stored is Verdict.MISSED and high_ns is None
    passed = out and (found.rto_observed_until_ns or 0) >= wanted_ns
    again = interval_verdict(low_ns, high_ns, wanted_ns, passed_while_down=passed)
    if clock != "fault" and again is Verdict.MISSED:  # the interval counts from the fault
        again = stored if wanted_ns == found.rto_target_ns else Verdict.INCONCLUSIVE
    verdict = again if wanted_ns > found.rto_target_ns else gravest([stored, again])
    end = f"back within {seconds(high_ns, up=True)} s" if high_ns is not None else "not back"
    if verdict is not Verdict.MET and high_ns is not None:
        end = f"back after {seconds(low_ns)} to {seconds(high_ns, up=True)} s"
    return verdict, f"{end}, target {whole(wanted_ns)}"


def _losses(found: WorkloadOutcome, stored: Verdict, target: WorkloadTarget) -> tuple[Verdict, str]:
    """The run's counts against the season's RPO. A violation is never allowed."""
    told = f"{found.lost:,} of {found.acked:,} acknowledged records lost"
    if target.rpo_s is None:
        return (Verdict.MISSED if found.violations else Verdict.MET), told
    if found.violations:
        return Verdict.MISSED, f"{told}, {found.violations:,} damaged"
    wanted_ns = round(target.rpo_s * _NS_PER_S)
    if target.lost_max is not None and found.lost > target.lost_max:
        return Verdict.MISSED, f"{told}, {target.lost_max:,} allowed"
    if found.rpo_achieved_ns - found.rpo_widened_by_ns > wanted_ns:
        back = seconds(found.rpo_achieved_ns, up=True)
        return Verdict.MISSED, f"{told}, {back} s back, target {whole(wanted_ns)}"
    sure = found.rpo_achieved_ns + found.rpo_widened_by_ns <= wanted_ns
    known = sure and not found.waiting  # what waits may be lost, also by a looser target
    within = Verdict.MET if found.acked and known else Verdict.INCONCLUSIVE
    looser = found.rpo_target_ns is not None and wanted_ns > found.rpo_target_ns
    if stored is Verdict.MISSED and looser:
        return within, told
    return gravest([stored, within]), told


def _easier(found: WorkloadOutcome, target: WorkloadTarget, then: WorkloadTarget | None) -> str:
    """What the drill asked less of than the season does, beyond what its figures can answer."""
    if not found.rate_per_s >= target.rate_per_s * (1 - 1e-9):  # so that NaN is less, too
        return f"drilled at {found.rate_per_s:g}/s, the season has {target.rate_per_s:g}/s"
    if found.rpo_target_ns is None and target.rpo_s is not None:
        return "its records were not counted, and the season has an RPO"
    bars = dict(found.bars or (bars_of(then) if then else ()))
    if bars.get("latency_limit_s", 0.0) > target.latency_limit_s:
        was_s = bars["latency_limit_s"]
        return f"judged at {was_s:g} s an answer, not {target.latency_limit_s:g} s"
    if bars.get("staleness_s", 0.0) > target.staleness_s:
        return f"judged at {bars['staleness_s']:g} s of staleness, not {target.staleness_s:g} s"
    if bars.get("min_capacity", math.inf) < target.min_capacity:
        was = bars["min_capacity"]
        return f"judged at a capacity of {was:g}, not {target.min_capacity:g}"
    return ""
