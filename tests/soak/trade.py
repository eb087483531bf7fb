"""Hours of load with a fault again and again: the drill's own parts, held for longer."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from harness.core.operation import Outcome
from harness.core.plan import Plan, Size
from harness.core.selftest import BUSY, clean, unjudged
from harness.drill import conclude, guarded, until_whole
from harness.evidence import layout
from harness.evidence.rundir import Head, RunDirectory
from harness.faults.experiment import find_experiment, resolved_experiment
from harness.faults.injection import Bounds, injection
from harness.ledger.reader import read_ledgers
from harness.platforms.capabilities import Platform
from harness.progress import Progress
from harness.readback.read import read_back
from harness.session import Order, plan_only
from harness.sightings import Sightings
from harness.trading import Trading, trading
from harness.watching.guarding import Watchdog
from tests.soak.flat import Fault, Soaked, levels
from tests.soak.sampling import sampling

_NODES = ("primary", "standby")  # in turn
_EFFECT_S, _MORE_S, _PULSE_S = 30.0, 600.0, 0.5
_NO_DRILL = frozenset({"effect", "healed"})  # each fault has marks of its own; the run has none
_HEAD = Head("peakdrill/head/v1", "1970-01-01T00:00:00Z", "soak", "soak")


@dataclass(frozen=True, slots=True)
class Soak:
    """How long, how often, where."""

    platform: Platform
    out: Path
    length_s: float
    every_s: float
    progress: Progress

    def plan(self) -> Plan:
        """A drill's plan, whose load may go on for as long as the soak lasts, and longer.

        How long a recovery takes is a drill's matter; here it has a third of the time to the next.
        """
        plan = plan_only(Order("node-loss", size=Size.SMOKE, out=self.out))
        limits = replace(plan.limits, effect_s=self.length_s + _MORE_S, observe_s=self.every_s / 3)
        return replace(plan, limits=limits, platform=self.platform.facts(), instead="null")


def soak(asked: Soak) -> Soaked:
    """Trade, break, mend, and go on; then count what was lost. The platform is whole before."""
    plan = asked.plan()
    run = RunDirectory.create(asked.out, plan.run_id)
    run.save_plan(plan, "", _HEAD)
    seen = Sightings()
    seen.before = until_whole(asked.platform, plan.limits.heal_s, asked.progress)
    faults: list[Fault] = []
    with (
        trading(plan, asked.platform, run, asked.progress) as load,
        guarded(plan, asked.platform, run, load, None) as guard,
        sampling(run.path, load.begin_ns) as samples,
    ):
        load.hold_baseline()
        for number in range(1, int(asked.length_s / asked.every_s) + 1):
            at_ns = load.begin_ns + (number - 0.5) * asked.every_s * 1e9
            _trade_until(load, at_ns, f"trading until fault {number}")
            faults.append(_fault(asked, plan, load, guard, number))
            asked.progress.say(f"fault {number}: {faults[-1]}")
        _trade_until(load, load.begin_ns + asked.length_s * 1e9, "trading until the end")
        traded_s = (time.monotonic_ns() - load.begin_ns) / 1e9
        kept = [one for one in samples if one.at_s <= traded_s]
    seen.workers_lost = load.workers_lost
    seen.after = asked.platform.whole()
    read_back(plan, asked.platform, run, asked.progress)
    judgement = conclude(run, seen)
    found = (*unjudged(judgement), *clean(judgement, _NO_DRILL | BUSY))
    operations, _ = read_ledgers(run / layout.LEDGER)
    acknowledged = int(np.count_nonzero(operations.outcome == Outcome.ACKED))
    return Soaked(
        traded_s, len(operations), acknowledged, tuple(faults),
        tuple(levels(kept, traded_s)), found,
    )  # fmt: skip


def _fault(asked: Soak, plan: Plan, load: Trading, guard: Watchdog, number: int) -> Fault:
    """A node is lost and comes back, with marks and a journal of its own."""
    node = _NODES[(number - 1) % len(_NODES)]
    file = find_experiment("node-loss")
    text = resolved_experiment(file.read_text(encoding="utf-8"), {"node": node}, file=file)
    place = RunDirectory.create(load.run / f"fault-{number}", plan.run_id)
    place.save_plan(plan, text, _HEAD)
    begun_ns = time.monotonic_ns()
    bounds = Bounds(hold_max_s=600, heal_s=int(plan.limits.heal_s))
    with injection(
        place / layout.EXPERIMENT, {}, asked.platform, place.path, bounds=bounds
    ) as fault:
        guard.watch_over(fault)
        fault.inject()
        effect = fault.await_effect(_EFFECT_S)
        load.fault_ns = time.monotonic_ns()
        well_s = _since_s(begun_ns) if load.await_well() else None
        fault.release()
        healed = fault.await_healed(plan.limits.heal_s)
    whole = until_whole(asked.platform, plan.limits.heal_s, asked.progress, load.pulse).whole
    at_s = (begun_ns - load.begin_ns) / 1e9
    whole_s = _since_s(begun_ns) if whole and healed else None
    return Fault(number, f"{node} lost", at_s, effect, well_s, whole_s)


def _since_s(begun_ns: int) -> float:
    return (time.monotonic_ns() - begun_ns) / 1e9


def _trade_until(load: Trading, until_ns: float, phase: str) -> None:
    load.progress.phase(phase, max(0.0, (until_ns - time.monotonic_ns()) / 1e9))
    while time.monotonic_ns() < until_ns:
        load.pulse()
        time.sleep(_PULSE_S)
