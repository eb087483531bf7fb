"""targets.yaml as it is written. The published JSON Schema is generated from these models.

None stands for "not written"; a key that is written without a value is refused (problems.py).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from harness.inputs.problems import Strict

WorkloadName = Literal[
    "order-capture",
    "point-of-sale",
    "stock-reservation",
    "fulfilment",
    "marketplace-integration",
    "finance-reporting",
]
NOT_APPLICABLE: Literal["not_applicable"] = "not_applicable"
_MONTH_S = 31 * 24 * 3600

Word = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
Name = Annotated[str, StringConstraints(max_length=80, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]

Day = Annotated[
    str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$"), Field(description="2026-11-27, UTC.")
]
Moment = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"),
    Field(description="2026-11-26T00:00:00Z, UTC."),
]

Tier = Annotated[
    Literal["critical", "high", "medium", "low"],
    Field(description="How much the retailer depends on it."),
]
Owner = Annotated[Word, Field(description="The team that answers for this workload.")]
Rto = Annotated[float, Field(gt=0, le=_MONTH_S, description="Recovery time objective, in seconds.")]
Rpo = Annotated[
    Annotated[float, Field(ge=0, le=_MONTH_S)] | Literal["not_applicable"],
    Field(
        description="Recovery point objective, in seconds; not_applicable, with a reason, for a "
        "workload without writes."
    ),
]
Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$"),
    Field(description="Why rpo_s is not_applicable."),
]
LostMax = Annotated[
    int,
    Field(
        ge=0,
        le=10**9,
        description="The most acknowledged records that may be lost. 0 where rpo_s is 0 and "
        "nothing else is declared.",
    ),
]
LatencyLimit = Annotated[
    float,
    Field(
        gt=0,
        le=3600,
        description="An operation answered later than this after its intended time is not good.",
    ),
]
Rate = Annotated[float, Field(gt=0, le=10_000, description="Operations a second at 1x; absolute.")]
CanaryRate = Annotated[
    float,
    Field(gt=0, le=100, description="Canaries a second, on a fixed grid. 10 by default."),
]
Staleness = Annotated[
    float,
    Field(
        ge=0,
        le=_MONTH_S,
        description="How long an answer may lag behind an acknowledgement, in seconds. 60 for "
        "finance-reporting and 0 for the others by default.",
    ),
]
Capacity = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        description="The share of the rate that a declared degraded mode must serve. 1 by default.",
    ),
]
Revenue = Annotated[
    float,
    Field(ge=0, le=1e7, description="In the file's currency, with at most two decimals."),
]


class WorkloadEntry(Strict):
    """The declared objectives of one workload."""

    tier: Tier
    owner: Owner
    rto_s: Rto
    rpo_s: Rpo
    reason: Reason | None = None
    lost_max: LostMax | None = None
    latency_limit_s: LatencyLimit
    rate_per_s: Rate
    canary_per_s: CanaryRate | None = None
    staleness_s: Staleness | None = None
    min_capacity: Capacity | None = None
    revenue_per_operation: Revenue | None = None


class PartialWorkload(Strict):
    """What an override changes of a workload; what it leaves out stays."""

    tier: Tier | None = None
    owner: Owner | None = None
    rto_s: Rto | None = None
    rpo_s: Rpo | None = None
    reason: Reason | None = None
    lost_max: LostMax | None = None
    latency_limit_s: LatencyLimit | None = None
    rate_per_s: Rate | None = None
    canary_per_s: CanaryRate | None = None
    staleness_s: Staleness | None = None
    min_capacity: Capacity | None = None
    revenue_per_operation: Revenue | None = None


class When(Strict):
    """An override applies where all of these hold. At least one is written."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    scenario: Name | None = None
    season: Name | None = None
    tenant: Name | None = None


class Override(Strict):
    """More keys in `when` win over fewer; two equally specific ones may not set the same key."""

    when: When
    order_capture: PartialWorkload | None = Field(None, alias="order-capture")
    point_of_sale: PartialWorkload | None = Field(None, alias="point-of-sale")
    stock_reservation: PartialWorkload | None = Field(None, alias="stock-reservation")
    fulfilment: PartialWorkload | None = Field(None, alias="fulfilment")
    marketplace_integration: PartialWorkload | None = Field(None, alias="marketplace-integration")
    finance_reporting: PartialWorkload | None = Field(None, alias="finance-reporting")


class ApprovalEntry(Strict):
    """Who may approve what."""

    action: Annotated[Name, Field(description="For example: drill-in-production.")]
    roles: Annotated[list[Word], Field(min_length=1, max_length=50)]


class GateEntry(Strict):
    """What `peakdrill gate` must be able to say of a release."""

    quantile: Annotated[
        float,
        Field(ge=0.5, lt=1, description="Share of drills that must meet their targets. 0.8."),
    ] = 0.80
    confidence: Annotated[float, Field(ge=0.5, lt=1, description="0.95 by default.")] = 0.95
    margin: Annotated[
        float,
        Field(ge=0, le=1, description="How much longer a candidate may take to recover. 0.25."),
    ] = 0.25


class ReadinessEntry(Strict):
    """How long what a drill showed stays good."""

    valid_days: Annotated[int, Field(ge=1, le=3660, description="90 by default.")] = 90


class CostEntry(Strict):
    """What the platform costs, to set against the revenue at risk."""

    per_hour: Annotated[
        float, Field(ge=0, le=1e7, description="Of the whole platform, in the file's currency.")
    ]


class SeasonEntry(Strict):
    """A stretch of trade with objectives of its own; both days belong to it."""

    name: Name
    begins: Day
    ends: Day


class FreezeEntry(Strict):
    """Nothing is broken on purpose within it."""

    name: Name
    begins: Moment
    ends: Annotated[Moment, Field(description="The first instant that is free again.")]


class TargetsModel(Strict):
    """What a retailer declares: objectives per workload, and where they differ."""

    currency: Annotated[
        str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217.")
    ] = "EUR"
    season: Annotated[
        Name | None, Field(description="The season that it is now, for overrides.")
    ] = None
    workloads: Annotated[dict[WorkloadName, WorkloadEntry], Field(min_length=1)]
    overrides: list[Override] = Field(default_factory=list)
    approvals: list[ApprovalEntry] = Field(default_factory=list)
    gate: GateEntry = Field(default_factory=GateEntry)
    readiness: ReadinessEntry = Field(default_factory=ReadinessEntry)
    cost: CostEntry | None = None
    seasons: list[SeasonEntry] = Field(default_factory=list)
    freezes: list[FreezeEntry] = Field(default_factory=list)
