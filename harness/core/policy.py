"""Policy: what a retailer declares about many runs, beside the objectives of one.

How much a gate must prove, how long a proof stays good, when the seasons are, when nothing may be
broken, what the platform costs. Values only; the YAML is read elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.targets import Approval


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What `peakdrill gate` must be able to say of a release."""

    quantile: float = 0.80  # of drills that meet their targets; 0.80 takes 14 clean runs
    confidence: float = 0.95
    margin: float = 0.25  # a candidate may take at most 1 + margin of the baseline's recovery time


@dataclass(frozen=True, slots=True)
class Season:
    """A stretch of trade with objectives of its own. Both days belong to it (UTC)."""

    name: str
    begins: str  # ISO 8601 date
    ends: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """Nothing is broken on purpose within it. ISO 8601 in UTC; `ends_utc` is the first free one."""

    name: str
    begins_utc: str  # 2026-11-26T00:00:00Z
    ends_utc: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything of targets.yaml that is no objective."""

    gate: GatePolicy = GatePolicy()
    valid_days: int = 90  # how long a drill's verdict speaks for the platform
    seasons: tuple[Season, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    cost_per_hour_cents: int | None = None  # of the whole platform; None: not declared
    currency: str = "EUR"
    season: str = ""  # the one that the file declares as now
    tenants: tuple[str, ...] = ()  # every one that an override names
    approvals: tuple[Approval, ...] = ()

    def season_of(self, name: str) -> Season | None:
        return next((s for s in self.seasons if s.name == name), None)
