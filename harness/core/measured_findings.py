"""From a measure to a finding: met, missed or inconclusive, with the sentence that says why."""

from __future__ import annotations

from harness.core.evidence import ReadBack
from harness.core.operation import Workload
from harness.core.verdict import Finding, RecoveryPoint, RecoveryTime, Verdict, WriteCounts
from harness.core.wording import losses, recovery, seconds, whole

RTO, RPO, STORES_AGREE, RECOVERY = "rto", "rpo", "stores-agree", "recovery"


def interval_verdict(
    low_ns: int, high_ns: int | None, target_ns: int, *, passed_while_down: bool
) -> Verdict:
    """An interval against a target. `passed_while_down`: still out when the target had passed.

    >>> interval_verdict(20, 25, 60, passed_while_down=False).value
    'met'
    >>> interval_verdict(55, 65, 60, passed_while_down=False).value
    'inconclusive'
    >>> interval_verdict(10, None, 60, passed_while_down=False).value  # cut short
    'inconclusive'
    """
    if low_ns > target_ns or (high_ns is None and passed_while_down):
        return Verdict.MISSED
    if high_ns is not None and high_ns <= target_ns:
        return Verdict.MET
    return Verdict.INCONCLUSIVE


def gate_rto(workload: Workload, found: RecoveryTime, clock: str) -> Finding:
    """RTO on the fault's clock, or on the outage's where a latent fault declares it."""
    low_ns, high_ns, observed_ns = found.low_ns, found.high_ns, found.observed_until_ns
    if clock == "outage" and found.outage_low_ns is not None:
        low_ns, high_ns = found.outage_low_ns, found.outage_high_ns
        observed_ns -= found.first_bad_ns or 0
    out = not found.recovered and not found.well_at_end
    passed = out and observed_ns >= found.target_ns
    verdict = interval_verdict(low_ns, high_ns, found.target_ns, passed_while_down=passed)
    reason = f"{workload}: {recovery(found, clock)}"
    if not found.recovered and not passed and verdict is Verdict.INCONCLUSIVE:
        reason += f"; watched for only {seconds(max(0, observed_ns))} s"
    return Finding(RTO, workload, verdict, reason)


def gate_rpo(workload: Workload, found: RecoveryPoint, currency: str) -> Finding:
    """Writes lost against count and time, and every violation."""
    counts = found.gated
    reason = f"{workload}: {losses(workload, counts, currency)}"
    over = _over(counts.lost, counts.achieved_ns - counts.widened_by_ns, found)
    if over:
        return Finding(RPO, workload, Verdict.MISSED, f"{reason}; {over}")
    if counts.violations:
        return Finding(RPO, workload, Verdict.MISSED, f"{reason}; none allowed")
    if not counts.acked:
        return Finding(RPO, workload, Verdict.INCONCLUSIVE, f"{workload}: no write acknowledged")
    if counts.waiting:
        return Finding(RPO, workload, Verdict.INCONCLUSIVE, reason)
    if counts.lost:
        reason += f"; {_back(counts)}, objective {whole(found.target_ns or 0)}"
    if _over(counts.lost, counts.achieved_ns + counts.widened_by_ns, found):
        return Finding(RPO, workload, Verdict.INCONCLUSIVE, reason)
    return Finding(RPO, workload, Verdict.MET, reason)


def _back(counts: WriteCounts) -> str:
    """How far back it went, as far as the clocks can tell."""
    if not counts.widened_by_ns:
        return f"{whole(counts.achieved_ns)} back"
    low_ns = max(0, counts.achieved_ns - counts.widened_by_ns)
    return f"{seconds(low_ns)}-{seconds(counts.achieved_ns + counts.widened_by_ns, up=True)} s back"


def _over(lost: int, achieved_ns: int, found: RecoveryPoint) -> str:
    if found.lost_max is not None and lost > found.lost_max:
        return f"{found.lost_max:,} allowed"
    if found.target_ns is not None and achieved_ns > found.target_ns:
        back = seconds(achieved_ns, up=True)
        return f"{back} s back, objective {whole(found.target_ns)}"
    return ""


def doubt(workload: Workload, found: RecoveryPoint) -> str:
    """The note when LOST is within the limits and LOST + ABSENT is beyond them, else ""."""
    counts: WriteCounts = found.gated
    least_ns = counts.achieved_ns - counts.widened_by_ns
    if _over(counts.lost, least_ns, found) or not counts.absent:
        return ""
    if found.lost_max is None or counts.lost + counts.absent <= found.lost_max:
        return ""
    return (
        f"{workload}: {counts.lost:,} lost for certain; with the {counts.absent:,} of unknown "
        f"outcome that are not there, at most {counts.lost + counts.absent:,}"
    )


def gate_stores(look: ReadBack | None, *, settled: bool) -> Finding:
    """Orders, stock, ledger, documents and partners agree, at the last look.

    Partners can only be held to exactly once when queues and replay have `settled`.
    """
    if look is None or not look.complete:
        why = "never read back" if look is None else f"not read whole: {look.why_incomplete}"
        return Finding(STORES_AGREE, None, Verdict.INCONCLUSIVE, f"stores: {why}")
    if look.disagreements:
        more = f" (and {len(look.disagreements) - 1:,} more)" if len(look.disagreements) > 1 else ""
        told = f"stores disagree: {look.disagreements[0]}{more}"
        return Finding(STORES_AGREE, None, Verdict.MISSED, told)
    if not settled:
        told = "stores: queues and replay had not settled, so partners could not be asked"
        return Finding(STORES_AGREE, None, Verdict.INCONCLUSIVE, told)
    return Finding(STORES_AGREE, None, Verdict.MET, "orders, stock, ledger and partners agree")


def gate_recovery(found: list[tuple[Workload, RecoveryTime]], within_s: int) -> Finding:
    """The recovery's own limit: the last workload back, as the customers saw it."""
    if not found:
        return Finding(RECOVERY, None, Verdict.INCONCLUSIVE, "recovery: nothing was watched")
    target_ns = within_s * 1_000_000_000
    low_ns = max(r.low_ns for _, r in found)
    highs = [r.high_ns for _, r in found if r.high_ns is not None]
    high_ns = max(highs) if len(highs) == len(found) else None
    out = [r for _, r in found if not r.recovered and not r.well_at_end]
    passed = any(r.observed_until_ns >= target_ns for r in out)
    verdict = interval_verdict(low_ns, high_ns, target_ns, passed_while_down=passed)
    slowest = max(found, key=lambda f: f[1].low_ns)[0]
    until = f"{seconds(high_ns, up=True)} s" if high_ns is not None else "not at all"
    told = f"recovery: the last workload, {slowest}, back after {until}, limit {within_s} s"
    return Finding(RECOVERY, None, verdict, told.replace("back after not at all", "not back"))
