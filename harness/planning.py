"""The plan: from what a person ordered to everything that decides a run. Touches nothing."""

from __future__ import annotations

import datetime as dt
import math
import secrets
from dataclasses import dataclass

from harness.core.fitness import OPERATIONS_LEAST
from harness.core.guard import GuardRails
from harness.core.load_places import WorkersIn
from harness.core.plan import Limits, Plan, PlatformFacts, Size
from harness.core.scenario import Scenario
from harness.core.schedule import Shape
from harness.core.targets import Targets
from harness.recovery.registry import AUTOMATIC

_LOOPS_PER_WINDOW = 3
_LEAST_WINDOW_S = 10.0
_EFFECT_S, _EFFECT_RUNBOOK_S = 30.0, 180.0  # a fault can be a story of its own
_SEEN_S = 30.0  # an effect shows within, once the command that begins it has ended
_SMOKE_S, _SMOKE_RUNBOOK_S = 60.0, 150.0
_AT_THE_EDGES = 3  # arrivals and canaries that may fall beside the baseline
_HEAL_S, _HEAL_RUNBOOK_S = 90.0, 180.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How quick a platform is, where its owner says so."""

    server_timeout_s: float = 5.0
    canary_limit_s: float = 0.25
    command_s: float = 0.0  # the longest that a command of its owner's may take


def window_s(facts: PlatformFacts) -> float:
    """W = max(10 s, 3 times the slowest routing or leadership loop). Source: measurement.md, 3."""
    slowest_s = max((loop_s for _, loop_s in facts.loops_s), default=0.0)
    return max(_LEAST_WINDOW_S, _LOOPS_PER_WINDOW * slowest_s)


def limits_of(
    size: Size,
    targets: Targets,
    facts: PlatformFacts,
    *,
    runbook: bool = False,
    pace: Pace | None = None,
) -> Limits:
    """Every wait of a run. Observation ends at the longest gated target plus W, or the size's.

    A runbook takes longer than a fail-over, and so does what it leaves to be rebuilt.
    """
    pace = pace or Pace()
    window = window_s(facts)
    longest_s = max((t.rto_s for t in targets.workloads), default=0.0)
    smoke = size is Size.SMOKE
    smoke_s = _SMOKE_RUNBOOK_S if runbook else _SMOKE_S
    return Limits(
        baseline_s=max(10.0 if smoke else 45.0, _enough_s(targets)),
        effect_s=max(_EFFECT_RUNBOOK_S if runbook else _EFFECT_S, pace.command_s + _SEEN_S),
        observe_s=min(longest_s + window, smoke_s if smoke else 900.0),
        window_s=window,
        heal_s=max(_HEAL_RUNBOOK_S if runbook else _HEAL_S, pace.command_s + _HEAL_S),
        settle_s=30.0 if smoke else 120.0,
        server_timeout_s=pace.server_timeout_s,
        canary_limit_s=pace.canary_limit_s,
    )


def _enough_s(targets: Targets) -> float:
    """How long the slowest workload needs for as many operations as a baseline must hold."""
    slowest_per_s = min(
        (t.rate_per_s + t.canary_per_s for t in targets.workloads), default=math.inf
    )
    return float(math.ceil((OPERATIONS_LEAST + _AT_THE_EDGES) / slowest_per_s))


def plan_of(
    *,
    scenario: Scenario,
    targets: Targets,
    facts: PlatformFacts,
    shape: Shape,
    size: Size,
    peak: float,
    seed: int | None,
    workers: int,
    workers_in: WorkersIn = WorkersIn.HERE,
    release: str,
    guards: GuardRails,
    pace: Pace | None = None,
) -> Plan:
    """Put the plan together; the run's name and seed are drawn here and recorded."""
    now = dt.datetime.now(dt.UTC)
    return Plan(
        run_id=f"{now:%Y%m%dT%H%M%S}Z{secrets.token_hex(2)}",
        scenario=scenario,
        targets=targets,
        platform=facts,
        size=size,
        peak=peak,
        shape=shape,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        workers=workers,
        workers_in=workers_in,
        limits=limits_of(
            size, targets, facts, runbook=scenario.recovery.runbook != AUTOMATIC, pace=pace
        ),
        experiment_file="experiment.yaml",
        release=release,
        guards=guards,
    )
