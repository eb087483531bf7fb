"""The plan of a run: computed first, printed by `peakdrill plan`, then executed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from harness.core.guard import GuardRails
from harness.core.later import LATER
from harness.core.load_places import WorkersIn
from harness.core.scenario import Scenario
from harness.core.schedule import Shape
from harness.core.targets import Targets

NOT_YET = "not on this machine yet"  # of a version that is known once the platform was up


class Size(StrEnum):
    SMOKE = "smoke"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Limits:
    """Every wait of a run, in seconds."""

    baseline_s: float  # healthy load before the fault: 30, smoke 10
    effect_s: float  # the fault must be seen to act within
    observe_s: float  # after t_F at the most: 900, smoke 60
    window_s: float  # W of measurement.md, section 3
    heal_s: float  # the lost part must be back within
    settle_s: float  # queues must drain within
    server_timeout_s: float  # longest server timeout; read-back waits it out
    canary_limit_s: float = field(default=0.25, metadata=LATER)  # its time-out: see section 2


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """What a platform says of itself. Goes into evidence; holds no credential."""

    name: str  # embedded | containers | kubernetes
    kind: str  # shop | odoo
    heading: str  # e.g. "stand-in application"
    disposable: bool
    capabilities: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    loops_s: tuple[tuple[str, float], ...]  # routing and leadership loops: polling periods
    notes: tuple[str, ...]  # e.g. "process death, not power loss"
    unproven: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides a run before anything is done."""

    run_id: str
    scenario: Scenario
    targets: Targets
    platform: PlatformFacts
    size: Size
    peak: float  # 1.0, 2.0, 3.0
    shape: Shape
    seed: int
    workers: int
    limits: Limits
    experiment_file: str  # name of the experiment's file, relative to the run directory
    judge: str = "v1"
    release: str = ""
    alerts: str = field(default="", metadata=LATER)  # whose alerts are watched: host and port
    instead: str = field(default="", metadata=LATER)  # experiment ordered for the scenario's own
    guards: GuardRails = field(default=GuardRails(), metadata=LATER)  # what would end it early
    workers_in: WorkersIn = field(default=WorkersIn.HERE, metadata=LATER)  # where the load runs
