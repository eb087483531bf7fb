"""The outcome of a run: what many runs are compared by, and no more.

Made from a judged run; kept by the history; read by the gate, readiness and game days. A verdict
stands in it as it was judged. Nothing here is averaged.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.core.asked import Bars, Method
from harness.core.later import LATER
from harness.core.operation import Workload
from harness.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class WorkloadOutcome:
    """One workload in one run. Times in ns after t_F; None where there is no interval."""

    workload: Workload
    verdict: Verdict
    checks: tuple[tuple[str, Verdict], ...]  # in the order of the judgement
    rate_per_s: float  # absolute: the declared 1x times the peak
    rto_target_ns: int
    rto_low_ns: int | None  # None: no RTO was computed
    rto_high_ns: int | None  # None, with a low end: not recovered
    rto_observed_until_ns: int | None
    rpo_target_ns: int | None  # None: not applicable
    rpo_achieved_ns: int
    acked: int
    lost: int
    violations: int
    lost_value_cents: int
    proven_loss: (
        bool  # LOST over its limit, or any violation, by a ledger and a read-back that hold
    )
    bars: Bars = field(default=(), metadata=LATER)  # (): recorded before they were kept
    rpo_widened_by_ns: int = field(default=0, metadata=LATER)  # by the clocks, either way
    waiting: int = field(default=0, metadata=LATER)  # in a queue, perhaps: neither LOST nor stored


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run."""

    run_id: str
    begun_utc: str  # ISO 8601, seconds
    scenario: str
    fault: str  # the experiment's name
    release: str
    season: str
    tenant: str
    size: str  # smoke | full
    seed: int
    peak: float
    platform: str  # embedded | containers | kubernetes
    kind: str  # shop | odoo
    heading: str  # "stand-in application"
    configuration: str  # SHA-256 of the platform's facts, hex: another platform, another digest
    unproven: bool  # an adapter that nobody has run: never a pass
    judge: str
    verdict: Verdict
    reason: str  # the first one
    proven_loss: bool  # in any workload or across the stores
    workloads: tuple[WorkloadOutcome, ...]
    checks: tuple[tuple[str, Verdict], ...]  # platform-wide
    not_checked: tuple[str, ...]
    capabilities: tuple[str, ...]  # that the scenario asked for
    evidence_digest: str  # SHA-256 of the seal, hex; "" when it was never sealed
    method: Method = field(default=(), metadata=LATER)  # likewise

    def of(self, workload: Workload) -> WorkloadOutcome | None:
        return next((w for w in self.workloads if w.workload is workload), None)
