"""Targets: what the retailer declared, per workload. Values only; the YAML is read elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.core.later import LATER
from harness.core.operation import Workload


@dataclass(frozen=True, slots=True)
class WorkloadTarget:
    """The declared objectives of one workload, after overrides were applied.

    `rpo_s` is None where the workload declares `not_applicable`, with its reason.
    `lost_max` is 0 where `rpo_s` is 0 and nothing else was declared; None means no count limit.
    """

    workload: Workload
    tier: str
    owner: str
    rto_s: float
    rpo_s: float | None
    lost_max: int | None
    latency_limit_s: float
    rate_per_s: float  # 1x, absolute
    canary_per_s: float = 10.0
    staleness_s: float = 0.0
    min_capacity: float = 1.0
    revenue_per_operation_cents: int = 0
    rpo_not_applicable_reason: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who may approve an action, e.g. `drill-in-production`."""

    action: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Targets:
    """All workloads that are drilled, in the order of the reports."""

    workloads: tuple[WorkloadTarget, ...]
    source: str = "targets.yaml"
    season: str = ""
    currency: str = "EUR"
    approvals: tuple[Approval, ...] = ()
    tenant: str = field(default="", metadata=LATER)
    # of the whole platform; None: not declared
    cost_per_hour_cents: int | None = field(default=None, metadata=LATER)

    def of(self, workload: Workload) -> WorkloadTarget | None:
        return next((t for t in self.workloads if t.workload is workload), None)

    def limits_ns(self) -> dict[int, int]:
        """Each workload's latency limit, by its code."""
        return {t.workload.code: round(t.latency_limit_s * 1e9) for t in self.workloads}

    def staleness_ns(self) -> dict[Workload, int]:
        """How old an answer may be, by workload."""
        return {t.workload: round(t.staleness_s * 1e9) for t in self.workloads}
