"""Guard rails: how much harm a drill may do before its fault is undone at once.

Decisions only: what was counted, heard and seen is handed in as `Readings`. A rail that nobody
could watch has tripped: silence is no proof that all is well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.core import wording
from harness.core.operation import Workload

ORDERS = frozenset(Workload) - {Workload.FINANCE}
"""Workloads whose arrivals are a customer's orders; an invoice refused is nobody refused."""
ALERTS_UNREAD_MAX_S = 30.0
REFUSED, MONEY, ALERT, HEARTBEAT, UNDO = (
    "refused-per-minute", "money", "alert", "heartbeat", "undo-path",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GuardRails:
    """What ends a drill early. None and () are rails that were not put up."""

    refused_per_minute_max: int | None = None  # orders refused or unanswered, over one minute
    money_max_cents: int | None = None  # arrivals not served times what each is worth
    alerts: tuple[str, ...] = ()  # names of the platform's own alerts
    heartbeat_s: float = 15.0  # the prober may be silent for so long


@dataclass(frozen=True, slots=True)
class Harm:
    """Arrivals that were not served well, canaries left out."""

    refused_last_minute: int = 0  # orders
    orders: int = 0  # since the load began
    money_cents: int = 0  # since the load began; over all workloads


@dataclass(frozen=True, slots=True)
class Readings:
    """What the watchdog saw at its last look."""

    harm: Harm = Harm()
    silent_s: float = 0.0  # age of the prober's last sign of life
    firing: tuple[str, ...] = ()  # every alert that fires
    alerts_unread_s: float = 0.0  # since they were last read
    undo_lost: str = ""  # why the undo could no longer be relied on


@dataclass(frozen=True, slots=True)
class Trip:
    """One rail was run into. `why` holds the figure and the limit."""

    rail: str
    why: str


@dataclass(frozen=True, slots=True)
class Gauge:
    """One rail as it stands, for people. `used` is 1 at the limit."""

    rail: str
    told: str
    limit: str
    used: float


def tripped(rails: GuardRails, seen: Readings, currency: str) -> Trip | None:
    """The first rail that was run into: the undo's own path before all else.

    >>> tripped(GuardRails(refused_per_minute_max=100), Readings(Harm(101)), "EUR").why
    '101 orders refused or unanswered within a minute, at most 100 are allowed'
    >>> tripped(GuardRails(refused_per_minute_max=100), Readings(Harm(100)), "EUR") is None
    True
    """
    for trip in (
        Trip(UNDO, seen.undo_lost) if seen.undo_lost else None,
        _silent(rails, seen),
        _refused(rails, seen),
        _money(rails, seen, currency),
        _alert(rails, seen),
    ):
        if trip is not None:
            return trip
    return None


def gauges(rails: GuardRails, seen: Readings, currency: str) -> tuple[Gauge, ...]:
    """Every rail that was put up, with its value now."""
    told = [Gauge(HEARTBEAT, f"{seen.silent_s:.0f} s silent", f"{rails.heartbeat_s:g} s",
                  _share(seen.silent_s, rails.heartbeat_s))]  # fmt: skip
    if (most := rails.refused_per_minute_max) is not None:
        now = seen.harm.refused_last_minute
        told.append(Gauge(REFUSED, f"{now:,} a minute", f"{most:,}", _share(now, most)))
    if (worth := rails.money_max_cents) is not None:
        now = seen.harm.money_cents
        limit = wording.money(worth, currency)
        told.append(Gauge(MONEY, wording.money(now, currency), limit, _share(now, worth)))
    if rails.alerts:
        named = [name for name in rails.alerts if name in seen.firing]
        stale = seen.alerts_unread_s > ALERTS_UNREAD_MAX_S / 2
        now_told = ", ".join(named) or ("cannot be read" if stale else "quiet")
        used = 1.0 if named else _share(seen.alerts_unread_s, ALERTS_UNREAD_MAX_S)
        told.append(Gauge(ALERT, now_told, ", ".join(rails.alerts), used))
    lost = seen.undo_lost
    told.append(Gauge(UNDO, lost or "on disk", "", 1.0 if lost else 0.0))
    return tuple(told)


def rails_told(rails: GuardRails, currency: str) -> tuple[str, ...]:
    """What would end the drill early, one sentence each.

    >>> rails_told(GuardRails(), "EUR")
    ('the prober is silent for 15 s', 'the way to undo the fault is lost')
    """
    told = []
    if (most := rails.refused_per_minute_max) is not None:
        told.append(f"more than {most:,} orders refused or unanswered within a minute")
    if (worth := rails.money_max_cents) is not None:
        told.append(f"more than {wording.money(worth, currency)} at risk")
    told += [f"the alert {name} fires" for name in rails.alerts]
    told.append(f"the prober is silent for {rails.heartbeat_s:g} s")
    return (*told, "the way to undo the fault is lost")


def _silent(rails: GuardRails, seen: Readings) -> Trip | None:
    if seen.silent_s <= rails.heartbeat_s:
        return None
    told = f"the prober has been silent for {seen.silent_s:.1f} s"
    return Trip(HEARTBEAT, f"{told}, at most {rails.heartbeat_s:g} s are allowed")


def _refused(rails: GuardRails, seen: Readings) -> Trip | None:
    most, now = rails.refused_per_minute_max, seen.harm.refused_last_minute
    if most is None or now <= most:
        return None
    told = f"{now:,} orders refused or unanswered within a minute"
    return Trip(REFUSED, f"{told}, at most {most:,} are allowed")


def _money(rails: GuardRails, seen: Readings, currency: str) -> Trip | None:
    most, now = rails.money_max_cents, seen.harm.money_cents
    if most is None or now <= most:
        return None
    told = f"{wording.money(now, currency)} at risk"
    return Trip(MONEY, f"{told}, at most {wording.money(most, currency)} are allowed")


def _alert(rails: GuardRails, seen: Readings) -> Trip | None:
    if not rails.alerts:
        return None
    named = [name for name in rails.alerts if name in seen.firing]
    if named:
        return Trip(ALERT, f"the alert {', '.join(named)} fires")
    if seen.alerts_unread_s > ALERTS_UNREAD_MAX_S:
        told = f"the alerts could not be read for {seen.alerts_unread_s:.0f} s"
        return Trip(ALERT, f"{told}, so nobody watches {', '.join(rails.alerts)}")
    return None


def _share(now: float, most: float) -> float:
    """Of a limit; a limit of nothing is used up by anything."""
    if most <= 0:
        return 1.0 if now > 0 else 0.0
    return 0.0 if math.isnan(now) else min(1.0, now / most)
