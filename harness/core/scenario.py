"""A scenario: what is claimed, as a frozen value that a person can read aloud."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.core.checks import Check


@dataclass(frozen=True, slots=True)
class LoadShape:
    """A named peak shape of `load/shapes/`; `replay` shapes name a CSV file."""

    name: str
    csv: str = ""


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """An experiment of `experiments/` and the parameters that its action takes."""

    experiment: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RecoverySpec:
    """A runbook of `harness/recovery/` and its own limit (it gates that step alone)."""

    runbook: str
    within_s: int
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One claim about one failure. `story` is the module's docstring when left empty."""

    name: str
    owner: str
    load: LoadShape
    fault: FaultSpec
    recovery: RecoverySpec
    checks: list[Check] | tuple[Check, ...]
    requires: frozenset[str] | set[str]
    tags: frozenset[str] | set[str] = field(default_factory=frozenset)
    story: str = ""
    rto_clock: str = "fault"  # or "outage", for a latent fault
    degraded_mode: bool = False
    failback: RecoverySpec | None = None  # back to the original layout, timed on its own

    def __post_init__(self) -> None:
        object.__setattr__(self, "checks", tuple(self.checks))
        object.__setattr__(self, "requires", frozenset(self.requires))
        object.__setattr__(self, "tags", frozenset(self.tags))


def load(name: str, *, csv: str = "") -> LoadShape:
    """A peak shape by name: `load("weekend-promotion")`."""
    return LoadShape(name, csv)


def experiment(name: str, **parameters: str) -> FaultSpec:
    """An experiment by name, with its parameters: `experiment("node-loss", node="primary")`."""
    return FaultSpec(name, tuple(sorted(parameters.items())))


def automatic(*, within_s: int) -> RecoverySpec:
    """Nobody repairs anything; the drill watches."""
    return RecoverySpec("automatic", within_s)


def runbook(name: str, *, within_s: int, **parameters: str) -> RecoverySpec:
    """A runbook of `harness/recovery/`: `runbook("point-in-time", within_s=600)`."""
    return RecoverySpec(name, within_s, tuple(sorted(parameters.items())))
