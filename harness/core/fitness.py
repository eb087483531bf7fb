"""Was the instrument fit to judge this run? Each condition of measurement.md, section 5.

Unfitness voids met, never missed. Where the ledger or the read-back is itself unfit
(`voids_loss`), a loss is not proven either.
"""

from __future__ import annotations

import numpy as np

from harness.core.evidence import Evidence, ReadBack
from harness.core.in_time import LEAST_NS
from harness.core.operation import Workload
from harness.core.plan import Plan, Size
from harness.core.recovery_time import Watch
from harness.core.run_times import RunTimes
from harness.core.timeline import MarkName
from harness.core.verdict import FitnessFinding
from harness.core.windows import BIN_NS, Bar, Counts
from harness.core.wording import milliseconds, seconds, whole

BASELINE_NS = {Size.SMOKE: 10 * BIN_NS, Size.FULL: 30 * BIN_NS}
OPERATIONS_LEAST = 30
LAG_LEAST_NS = 50_000_000
WINDOW_LEAST_S = 10.0
LOOPS_PER_WINDOW = 3
EFFECT, LEDGER, READ_BACK, INTERRUPTED = "effect", "ledger", "read-back", "uninterrupted"


def fitness(
    plan: Plan, evidence: Evidence, times: RunTimes, beyond_ledger: int
) -> tuple[FitnessFinding, ...]:
    """Every condition, met or not. `beyond_ledger`: surviving keys that the ledger never wrote."""
    return (
        _uninterrupted(evidence),
        _whole_before(evidence),
        _effect(plan, evidence),
        _held(evidence),
        _healed(evidence),
        _load_after(plan, evidence),
        _baseline(plan, evidence, times),
        _operations(plan, evidence, times),
        _lag(plan, evidence),
        _dropped(plan, evidence, times),
        _workers(evidence),
        _ledger(plan, evidence, beyond_ledger),
        _ledgers_closed(evidence),
        _read_back(plan, evidence),
        _clock(plan, evidence),
    )


def baseline(evidence: Evidence) -> tuple[int, int]:
    """Begin and end of the healthy load before the fault, in ns on the run's clock."""
    timeline = evidence.timeline
    begun = timeline.first(MarkName.BASELINE_BEGUN)
    ended = timeline.first(MarkName.BASELINE_ENDED) or timeline.first(MarkName.FAULT_ACTIVE)
    begin_ns = begun.latest_ns if begun else evidence.load_begun_ns
    end_ns = ended.earliest_ns if ended else begin_ns
    return max(begin_ns, evidence.load_begun_ns), min(end_ns, evidence.load_stopped_ns)


def _uninterrupted(evidence: Evidence) -> FitnessFinding:
    why = evidence.observation.interrupted
    return FitnessFinding(INTERRUPTED, not why, why or "ran to its end", "runs to its end")


def _whole_before(evidence: Evidence) -> FitnessFinding:
    seen = evidence.observation
    told = "whole" if seen.whole_before else seen.whole_before_why or "not whole"
    return FitnessFinding("platform-whole", seen.whole_before, told, "whole before the fault")


def _effect(plan: Plan, evidence: Evidence) -> FitnessFinding:
    active = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    seen = evidence.observation.effect_observed and active is not None
    limit = f"the effect of {plan.scenario.fault.experiment} observed"
    return FitnessFinding(EFFECT, seen, "observed" if seen else "no effect was observed", limit)


def _held(evidence: Evidence) -> FitnessFinding:
    spoiled = evidence.timeline.first(MarkName.FAULT_SPOILED)
    told = f"spoiled: {spoiled.note}" if spoiled else "from its effect to its release"
    return FitnessFinding("fault-held", spoiled is None, told, "held until it was released")


def _healed(evidence: Evidence) -> FitnessFinding:
    seen = evidence.observation
    if not seen.effect_observed:
        return FitnessFinding("healed", True, "there was no fault to heal", "fault observed gone")
    told = "observed" if seen.heal_observed else "the fault was not seen to be gone"
    return FitnessFinding("healed", seen.heal_observed, told, "fault observed gone")


def window_ns(plan: Plan) -> int:
    """W in whole bins: the plan's, at least 10 s and 3 times the slowest loop of the platform."""
    slowest_s = max((loop_s for _, loop_s in plan.platform.loops_s), default=0.0)
    window_s = max(plan.limits.window_s, WINDOW_LEAST_S, LOOPS_PER_WINDOW * slowest_s)
    return Watch.bins_of(window_s)


def _load_after(plan: Plan, evidence: Evidence) -> FitnessFinding:
    """A part that comes back can bring the service down once more: load goes on for W.

    The repair may be the fault's own undo, or a runbook's, or the way back after it: the last of
    them counts.
    """
    ends = (MarkName.FAULT_HEALED, MarkName.RECOVERY_ENDED, MarkName.FAILBACK_ENDED)
    repaired = [m.latest_ns for name in ends for m in evidence.timeline.all(name)]
    need_ns = window_ns(plan)
    limit = f"{whole(need_ns)} of load after the repair"
    if not repaired or not evidence.observation.effect_observed:
        return FitnessFinding("load-after", True, "nothing was repaired", limit)
    after_ns = max(0, evidence.load_stopped_ns - max(repaired))
    return FitnessFinding("load-after", after_ns >= need_ns, f"{seconds(after_ns)} s", limit)


def _baseline(plan: Plan, evidence: Evidence, times: RunTimes) -> FitnessFinding:
    need_ns = BASELINE_NS[plan.size]
    begin_ns, end_ns = baseline(evidence)
    limit = f"healthy for {whole(need_ns)}"
    if end_ns - begin_ns < need_ns:
        told = f"{seconds(max(0, end_ns - begin_ns))} s of baseline"
        return FitnessFinding("baseline", False, told, limit)
    sick, since_ns = [], end_ns - need_ns
    for target in plan.targets.workloads:
        mine = times.arrivals(target.workload).within(since_ns, end_ns)
        due = times.due(target.workload).within(since_ns, end_ns)
        counts = Counts.of(mine.intended_ns, mine.good, due)
        if not counts.well_within(Bar(), end_ns - need_ns, end_ns):
            counted = (
                int(n[0]) for n in counts.between(np.array([end_ns - need_ns]), np.array([end_ns]))
            )
            good, total, wanted = counted
            sick.append(f"{target.workload}: {good:,} good of {total:,} ({wanted:,} due)")
    told = "; ".join(sick) or f"{seconds(end_ns - begin_ns)} s, every workload well"
    return FitnessFinding("baseline", not sick, told, limit)


def _operations(plan: Plan, evidence: Evidence, times: RunTimes) -> FitnessFinding:
    begin_ns, end_ns = baseline(evidence)
    found = [
        (times.arrivals(t.workload).count(begin_ns, end_ns), t.workload)
        for t in plan.targets.workloads
    ]
    least, workload = min(found, default=(0, Workload.ORDER_CAPTURE))
    return FitnessFinding(
        "operations",
        least >= OPERATIONS_LEAST,
        f"{least:,} in {workload}, the fewest",
        f"{OPERATIONS_LEAST} per workload in the baseline",
    )


def _lag(plan: Plan, evidence: Evidence) -> FitnessFinding:
    limit_ns = max(LAG_LEAST_NS, _shortest_target_ns(plan) // 100)
    lag_ns = lag_of(evidence)
    return FitnessFinding(
        "generator-lag",
        lag_ns <= limit_ns,
        f"p99.9 {milliseconds(lag_ns)}",
        f"p99.9 within {milliseconds(limit_ns)}",
    )


def lag_of(evidence: Evidence) -> int:
    """The generator's lag, p99.9, of its worst worker, in ns. It widens every interval."""
    return max((ledger.lag_p999_ns for ledger in evidence.ledgers), default=0)


def _dropped(plan: Plan, evidence: Evidence, times: RunTimes) -> FitnessFinding:
    """What the generator says that it dropped, and what of the schedule the ledger never saw."""
    dropped = sum(ledger.dropped for ledger in evidence.ledgers)
    cut_ns = evidence.load_stopped_ns - BIN_NS  # the last second may end between two arrivals
    missing = 0
    for target in plan.targets.workloads:
        due = times.due(target.workload).count(LEAST_NS, cut_ns)
        sent = times.arrivals(target.workload).count(LEAST_NS, cut_ns)
        missing += max(0, due - sent)
    gone = max(dropped, missing)
    return FitnessFinding("schedule", gone == 0, f"{gone:,} arrivals dropped", "none dropped")


def _workers(evidence: Evidence) -> FitnessFinding:
    lost = evidence.observation.workers_lost
    return FitnessFinding("load-workers", not lost, "; ".join(lost) or "all there", "none lost")


def _ledger(plan: Plan, evidence: Evidence, beyond_ledger: int) -> FitnessFinding:
    there = {ledger.worker for ledger in evidence.ledgers}
    wrong = [f"worker {k}: no ledger" for k in range(plan.workers) if k not in there]
    wrong += [f"worker {g.worker}: {g.torn:,} torn" for g in evidence.ledgers if g.torn]
    if beyond_ledger:
        wrong.append(f"{beyond_ledger:,} stored keys lie beyond the ledger's end: it lost its tail")
    told = "; ".join(wrong) or "checksums whole"
    return FitnessFinding(LEDGER, not wrong, told, "checksums whole, no tail lost", voids_loss=True)


def _ledgers_closed(evidence: Evidence) -> FitnessFinding:
    """A worker that could not close its ledger says so: what came last may be missing from it."""
    left = [f"worker {ledger.worker}" for ledger in evidence.ledgers if not ledger.closed]
    told = f"left open by {', '.join(left)}" if left else "closed"
    return FitnessFinding("ledger-closed", not left, told, "closed by every worker")


def _read_back(plan: Plan, evidence: Evidence) -> FitnessFinding:
    limit = "complete, after the longest server timeout"
    if evidence.first is None:
        return FitnessFinding(READ_BACK, False, "never taken", limit, voids_loss=True)
    looks: list[ReadBack] = [r for r in (evidence.first, evidence.second) if r is not None]
    wrong = [f"{r.name}: {r.why_incomplete or 'incomplete'}" for r in looks if not r.complete]
    waited_ns = evidence.first.taken_ns - evidence.load_stopped_ns
    if waited_ns < round(plan.limits.server_timeout_s * 1e9):
        wrong.append(f"first: taken {seconds(max(0, waited_ns))} s after the load stopped")
    told = "; ".join(wrong) or f"{len(looks)} complete"
    return FitnessFinding(READ_BACK, not wrong, told, limit, voids_loss=True)


def _clock(plan: Plan, evidence: Evidence) -> FitnessFinding:
    """Workers elsewhere have clocks of their own: each is bounded, or the run is not fit."""
    limit_ns = _shortest_target_ns(plan) // 20
    error_ns = evidence.observation.clock_error_ns
    wrong = [f"worker {clock.worker}: {clock.why}" for clock in evidence.clocks if clock.why]
    wide = [c.worker for c in evidence.clocks if c.error_ns > limit_ns]
    of = f" in {', '.join(f'worker {k}' for k in wide)}" if wide else ""
    return FitnessFinding(
        "clock",
        not wrong and error_ns <= limit_ns,
        "; ".join([*wrong, f"error {milliseconds(error_ns)}{of}"]),
        f"within {milliseconds(limit_ns)}, 5% of the shortest target",
    )


def _shortest_target_ns(plan: Plan) -> int:
    return min((round(t.rto_s * 1e9) for t in plan.targets.workloads), default=0)
