"""How figures are put into sentences. Integers only, so that every Python writes the same."""

from __future__ import annotations

from harness.core.operation import Workload
from harness.core.verdict import RecoveryTime, UnprotectedWindow, WriteCounts

_NS_IN_TENTH = 100_000_000
_NOUN = {
    Workload.ORDER_CAPTURE: "orders",
    Workload.POINT_OF_SALE: "sales",
    Workload.STOCK_RESERVATION: "orders",
    Workload.FULFILMENT: "orders",
    Workload.MARKETPLACE: "orders",
    Workload.FINANCE: "invoices",
}


def seconds(ns: int, *, up: bool = False) -> str:
    """Seconds with one decimal, rounded down, or up for an upper end.

    >>> seconds(24_190_000_000), seconds(24_510_000_000, up=True), seconds(60_000_000_000)
    ('24.1', '24.6', '60.0')
    """
    tenths = -(-ns // _NS_IN_TENTH) if up else ns // _NS_IN_TENTH
    return f"{tenths // 10}.{tenths % 10}"


def whole(ns: int) -> str:
    """A declared time: without decimals where it has none.

    >>> whole(60_000_000_000), whole(1_500_000_000)
    ('60 s', '1.5 s')
    """
    text = seconds(ns)
    return f"{text.removesuffix('.0')} s"


def milliseconds(ns: int) -> str:
    """Milliseconds, rounded up.

    >>> milliseconds(2_100_000)
    '3 ms'
    """
    return f"{-(-ns // 1_000_000):,} ms"


def money(cents: int, currency: str) -> str:
    """An amount.

    >>> money(5760000, "EUR")
    'EUR 57,600.00'
    """
    return f"{currency} {cents // 100:,}.{cents % 100:02d}"


def outage(low_ns: int, high_ns: int | None) -> str:
    """How long it was down, as an interval.

    >>> outage(24_190_000_000, 24_510_000_000)
    'down for 24.1-24.6 s'
    >>> outage(0, 350_000_000)
    'down for at most 0.4 s'
    >>> outage(58_200_000_000, None)
    'not back, down for at least 58.2 s'
    """
    if high_ns is None:
        return f"not back, down for at least {seconds(low_ns)} s"
    if low_ns == 0:
        return f"down for at most {seconds(high_ns, up=True)} s"
    return f"down for {seconds(low_ns)}-{seconds(high_ns, up=True)} s"


def recovery(found: RecoveryTime, clock: str) -> str:
    """An RTO against its objective."""
    low_ns, high_ns = found.low_ns, found.high_ns
    if clock == "outage" and found.outage_low_ns is not None:
        low_ns, high_ns = found.outage_low_ns, found.outage_high_ns
    text = outage(low_ns, high_ns)
    if high_ns is None and found.well_at_end:
        text = f"back too late to be sure, down for at least {seconds(low_ns)} s"
    return f"{text}, objective {whole(found.target_ns)}"


def losses(workload: Workload, counts: WriteCounts, currency: str) -> str:
    """What was lost of what was acknowledged, and every violation by name.

    >>> losses(Workload.ORDER_CAPTURE, WriteCounts(acked=3412), "EUR")
    '0 of 3,412 acknowledged orders lost'
    >>> bad = WriteCounts(acked=3412, lost=3, lost_value_cents=14400, duplicate=2)
    >>> losses(Workload.ORDER_CAPTURE, bad, "EUR")
    '3 of 3,412 acknowledged orders lost (EUR 144.00); 2 duplicate'
    """
    text = f"{counts.lost:,} of {counts.acked:,} acknowledged {_NOUN[workload]} lost"
    if counts.lost_value_cents:
        text += f" ({money(counts.lost_value_cents, currency)})"
    for name in (
        "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected", "stale",
    ):  # fmt: skip
        if number := getattr(counts, name):
            text += f"; {number:,} {name}"
    if counts.waiting:
        text += f"; {counts.waiting:,} not stored, and the queue was not seen drained"
    return text


def gap(found: UnprotectedWindow, currency: str) -> str:
    """Since when nothing was protected, for how long, and what was written meanwhile.

    >>> found = UnprotectedWindow(-20_000_000_000, None, 61_250_000_000, 612, 120000, 3, "")
    >>> since, meanwhile = gap(found, "EUR").split(": ")
    >>> since
    'Nothing was protected for 61.3 s, from 20.0 s before the fault until the load stopped'
    >>> meanwhile
    '612 writes acknowledged meanwhile (EUR 1,200.00), 3 of them lost'
    """
    ends = "until the load stopped" if found.until_ns is None else f"until {_at(found.until_ns)}"
    told = (
        f"Nothing was protected for {seconds(found.length_ns, up=True)} s, "
        f"from {_at(found.since_ns)} {ends}: {found.acked:,} writes acknowledged meanwhile"
    )
    told += f" ({money(found.value_cents, currency)})" if found.value_cents else ""
    told += f", {found.lost:,} of them lost" if found.lost else ""
    return f"{told}; {found.told}" if found.told else told


def _at(after_fault_ns: int) -> str:
    side = "before" if after_fault_ns < 0 else "after"
    return f"{seconds(abs(after_fault_ns))} s {side} the fault"


def noun(workload: Workload) -> str:
    """What one write of the workload is called, in the plural."""
    return _NOUN[workload]
