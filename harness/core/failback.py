"""The way back to the original layout: an outage of its own, measured as any other is.

It is counted from FAILBACK_BEGUN to the end of the load, by the same definitions as RTO, and never
mixed with it: the observation of the recovery ends before. Reported for every workload; gated is
only the scenario's own limit, and only where it declares one.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.evidence import Evidence
from harness.core.measured_findings import interval_verdict
from harness.core.operation import Workload
from harness.core.recovery_time import Watch
from harness.core.scenario import RecoverySpec
from harness.core.timeline import MarkName
from harness.core.verdict import Finding, RecoveryTime, Verdict
from harness.core.wording import outage, seconds

FAILBACK = "failback"


def failback_watch(evidence: Evidence, window_ns: int, lag_ns: int) -> Watch | None:
    """How the workloads were watched on the way back; None where nobody went back."""
    begun = evidence.timeline.first(MarkName.FAILBACK_BEGUN)
    if begun is None:
        return None
    return Watch(
        fault_earliest_ns=begun.earliest_ns,
        fault_latest_ns=begun.latest_ns,
        until_ns=max(evidence.load_stopped_ns, begun.latest_ns),
        window_ns=window_ns,
        lag_ns=lag_ns,
        clock_error_ns=evidence.observation.clock_error_ns,
    )


def gate_failback(
    spec: RecoverySpec, evidence: Evidence, found: Sequence[tuple[Workload, RecoveryTime]]
) -> Finding:
    """The limit on the way back: the last workload well again, and the last step seen."""
    begun = evidence.timeline.first(MarkName.FAILBACK_BEGUN)
    if begun is None or not found:
        return Finding(FAILBACK, None, Verdict.INCONCLUSIVE, "failback: it was never begun")
    ended = evidence.timeline.last(MarkName.FAILBACK_ENDED)
    lows_ns = [r.low_ns for _, r in found]
    highs_ns = [r.high_ns for _, r in found if r.high_ns is not None]
    all_back = ended is not None and len(highs_ns) == len(found)
    if ended is not None:
        lows_ns.append(max(0, ended.earliest_ns - begun.latest_ns))
        highs_ns.append(ended.latest_ns - begun.earliest_ns)
    target_ns, watched_ns = spec.within_s * 1_000_000_000, found[0][1].observed_until_ns
    out = ended is None or any(not r.recovered and not r.well_at_end for _, r in found)
    verdict = interval_verdict(
        max(lows_ns),
        max(highs_ns) if all_back else None,
        target_ns,
        passed_while_down=out and watched_ns >= target_ns,
    )
    done = f"done after {seconds(max(highs_ns), up=True)} s" if all_back else "not seen to end"
    told = f"failback: {done}, limit {spec.within_s} s; {_longest(found)}"
    return Finding(FAILBACK, None, verdict, told)


def _longest(found: Sequence[tuple[Workload, RecoveryTime]]) -> str:
    """The longest outage on the way, as its customers saw it."""
    if all(r.recovered and r.first_bad_ns is None for _, r in found):
        return "no workload was away"

    def length(entry: tuple[Workload, RecoveryTime]) -> tuple[bool, int]:
        return entry[1].outage_high_ns is None, entry[1].outage_high_ns or 0

    workload, longest = max(found, key=length)
    return (
        f"longest outage, {workload}: {outage(longest.outage_low_ns or 0, longest.outage_high_ns)}"
    )
