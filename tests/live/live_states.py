"""Live states as a drill would tell them, made by hand."""

from __future__ import annotations

import os
import time
from dataclasses import replace

from harness.core.guard import GuardRails, Harm, Readings, gauges
from harness.platforms.embedded.process import identify
from harness.watching.live_state import SCHEMA, LiveMark, LiveRate, LiveSaid, LiveState

NAMES = (
    "order-capture", "point-of-sale", "stock-reservation", "fulfilment",
    "marketplace-integration", "finance-reporting",
)  # fmt: skip
TARGETS = (60.0, 60.0, 60.0, 120.0, 120.0, 900.0)
HOSTILE = '<img src=x onerror=alert(1)>\u202e"><script>alert(2)</script>'


def state(run_id: str = "20261127T200000Zab12", **changes: object) -> LiveState:
    """A drill of this very process that has just begun to trade."""
    me = identify(os.getpid())
    assert me is not None
    now_ns = time.monotonic_ns()
    begun = LiveState(
        schema=SCHEMA,
        run_id=run_id,
        scenario="node-loss",
        platform="embedded",
        heading="stand-in application",
        size="smoke",
        peak=1.0,
        release="2026.11",
        season="black-friday",
        currency="EUR",
        directory="runs/x",
        process=me,
        begun_utc="2026-11-27T20:00:00Z",
        begun_ns=now_ns,
        number=1,
        told_ns=now_ns,
        phase="baseline",
        phase_begun_ns=now_ns,
        phase_limit_s=12.0,
        load_s=5.0,
        rates=rates(hurt=0),
        rates_ns=now_ns,
        harm=Harm(),
        rails=gauges(GuardRails(400, 5_000_000), Readings(), "EUR"),
        marks=(LiveMark("load-begun", 6.0, ""), LiveMark("baseline-begun", 8.2, "")),
    )
    return replace(begun, **changes)


def rates(
    *, hurt: int, until_s: float | None = None, names: tuple[str, ...] = NAMES
) -> tuple[LiveRate, ...]:
    """The first `hurt` of them get nothing; the others were away until `until_s`, or never."""
    return tuple(
        LiveRate(
            workload=name,
            offered_per_s=12.5 - n,
            good_per_s=0.0 if n < hurt else 12.5 - n,
            rto_target_s=TARGETS[n % len(TARGETS)],
            well=n >= hurt,
            unwell_until_s=until_s,
        )
        for n, name in enumerate(names)
    )


def outage(**changes: object) -> LiveState:
    """Seventeen seconds after the fault."""
    seen = Readings(Harm(212, 212, 978_450), 0.1)
    return state(
        number=40,
        phase="watching it come back",
        phase_limit_s=70.0,
        load_s=33.0,
        since_fault_s=17.0,
        rates=rates(hurt=5, until_s=17.0),
        harm=seen.harm,
        rails=gauges(GuardRails(400, 5_000_000), seen, "EUR"),
        marks=(
            LiveMark("load-begun", 6.0, ""),
            LiveMark("baseline-begun", 8.2, ""),
            LiveMark("baseline-ended", 18.2, ""),
            LiveMark("fault-armed", 22.0, "undo on disk: node a, selector primary"),
            LiveMark("fault-active", 22.1, "node a (primary): every process of it was seen dead"),
        ),
        said=(LiveSaid(2.0, "the platform is whole"),),
        **changes,
    )  # type: ignore[arg-type]
