"""The money of a run as values: sums of orders, what was at risk, what the platform costs.

Integers in cents only. A sum is of orders that are counted once; how an order comes into which
class, `money` says.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.operation import Workload

_HOUR_NS = 3_600 * 1_000_000_000
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Sum:
    """So many orders, worth so much."""

    count: int = 0
    cents: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.count + other.count, self.cents + other.cents)


@dataclass(frozen=True, slots=True)
class Risk:
    """The orders of one workload that the fault, its repair or the way back may have cost."""

    lost: Sum = Sum()
    refused: Sum = Sum()
    absent: Sum = Sum()
    unanswered: Sum = Sum()
    delayed: Sum = Sum()
    gone: Sum | None = None  # of `lost`: taken by a restore, for good; None: none was looked at
    read_whole: bool = True  # False: `lost` and `absent` are not known

    @property
    def low(self) -> Sum:
        """Provably not served, or lost."""
        return self.lost + self.refused + self.absent

    @property
    def high(self) -> Sum | None:
        """And what may have been; None where nobody could look for what was lost."""
        return self.low + self.unanswered + self.delayed if self.read_whole else None

    def __add__(self, other: Risk) -> Risk:
        gone = [g for g in (self.gone, other.gone) if g is not None]
        return Risk(
            lost=self.lost + other.lost,
            refused=self.refused + other.refused,
            absent=self.absent + other.absent,
            unanswered=self.unanswered + other.unanswered,
            delayed=self.delayed + other.delayed,
            gone=sum(gone, Sum()) if gone else None,
            read_whole=self.read_whole and other.read_whole,
        )


@dataclass(frozen=True, slots=True)
class WorkloadMoney:
    """What one workload earns, as declared, and what of it was at risk."""

    workload: Workload
    per_order_cents: int
    per_minute_cents: int  # the declared rate at the run's peak, before the shape
    risk: Risk | None  # None: no effect was observed, so nothing was at risk by it


@dataclass(frozen=True, slots=True)
class Cost:
    """What the platform costs, per answer that was good while nothing was broken."""

    per_hour_cents: int
    stretch_ns: int  # of the baseline
    good: int  # arrivals in it, canaries left out

    @property
    def per_million_cents(self) -> int | None:
        """Of a million good arrivals, rounded to the cent; None where there was none."""
        if not self.good or self.stretch_ns <= 0:
            return None
        whole = self.per_hour_cents * self.stretch_ns * _MILLION
        return (2 * whole + _HOUR_NS * self.good) // (2 * _HOUR_NS * self.good)


@dataclass(frozen=True, slots=True)
class Money:
    """The money of one run."""

    currency: str
    workloads: tuple[WorkloadMoney, ...]
    bad_s: int = 0  # seconds in which an order that carries revenue was not served well
    cost: Cost | None = None  # None: not declared, or there was no baseline

    @property
    def risk(self) -> Risk | None:
        """Of all workloads that carry revenue: an invoice that was refused is no order."""
        risks = [w.risk for w in self.workloads if w.risk is not None]
        if not risks:
            return None
        return sum((w.risk for w in self.workloads if w.risk and w.per_order_cents), Risk())

    @property
    def has_revenue(self) -> bool:
        return any(w.per_order_cents for w in self.workloads)

    def per_bad_minute(self, cents: int) -> int | None:
        """So much for each minute that was not served well; None where there was none."""
        return (2 * cents * 60 + self.bad_s) // (2 * self.bad_s) if self.bad_s else None
