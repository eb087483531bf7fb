"""What a gate is asked, and what it answers. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from harness.core.gate.comparable import Excluded, Terms
from harness.core.gate.noninferiority import Compared
from harness.core.operation import Workload
from harness.core.policy import GatePolicy
from harness.core.verdict import Verdict

REFUSED_EXIT = 2


@dataclass(frozen=True, slots=True)
class Question:
    """May this release go live? One `Terms` a scenario."""

    release: str
    terms: tuple[Terms, ...]
    policy: GatePolicy = field(default_factory=GatePolicy)
    baseline: str = ""  # "": compared with nothing
    sequential: bool = False  # somebody looks after every run
    runs: int | None = None  # at most so many are made now; no claim hangs on it


@dataclass(frozen=True, slots=True)
class Loss:
    """A proven loss or violation. No run that comes later takes it back."""

    run_id: str
    scenario: str
    size: str
    verdict: Verdict  # of the run: also one that was not fit to judge
    workloads: tuple[Workload, ...]  # where; none: across the stores
    reason: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One workload in one scenario, or what concerns the whole platform (`workload` None)."""

    scenario: str
    workload: Workload | None
    verdict: Verdict
    reason: str
    runs: int  # drills that count
    missed: int
    undecided: int  # neither met nor missed: these do not pass either
    supported: float  # share of drills that meet their targets, at the declared confidence
    more: int | None  # clean runs that the claim lacks; None: no number helps
    stronger: tuple[tuple[float, int | None], ...]  # quantile, clean runs that it lacks
    slowest_ns: int | None = None  # the longest recovery, high end; None: none, or not recovered
    target_ns: int | None = None
    evidence: float | None = None  # of the sequential test, for the claim; it passes at 1/error

    @property
    def clean(self) -> int:
        return self.runs - self.missed - self.undecided


@dataclass(frozen=True, slots=True)
class Comparison:
    """A workload's recovery time in one scenario, against the baseline's."""

    scenario: str
    workload: Workload
    verdict: Verdict
    reason: str
    runs: int  # of the candidate
    baseline_runs: int
    quantiles: tuple[Compared, ...]  # of the look that decided, else of the last one
    more: int = 0  # runs that the next look lacks, of the candidate
    baseline_more: int = 0
    about: int | None = None  # an estimate: runs of each at the look that would pass


Part: TypeAlias = Cell | Comparison


@dataclass(frozen=True, slots=True)
class ScenarioGate:
    """One scenario: its runs, its cells, its comparisons."""

    scenario: str
    fit: int
    unfit: tuple[str, ...]  # run ids
    given_up: int  # drills that stayed unfit after two repeats
    to_repeat: int  # attempts that the last unfit one has left
    run_ids: tuple[str, ...]  # that were fit, oldest first
    begun_utc: tuple[str, ...]
    excluded: tuple[Excluded, ...]
    configuration: str | None
    baseline_configuration: str | None
    cells: tuple[Cell, ...]
    comparisons: tuple[Comparison, ...]
    refused: str  # why nothing is compared, "" where it is
    unproven: bool
    lost: int = 0  # acknowledged writes that the fit runs lost within their limits

    @property
    def has_workloads(self) -> bool:
        return any(cell.workload is not None for cell in self.cells)

    @property
    def counted(self) -> int:
        return self.fit + self.given_up

    @property
    def parts(self) -> tuple[Part, ...]:
        return (*self.cells, *self.comparisons)

    @property
    def lacking(self) -> int | None:
        """Runs of the release that would do if all of them are clean; None: no number does."""
        numbers = [cell.more for cell in self.cells]
        if not numbers or None in numbers:
            return None
        return max([*(n for n in numbers if n is not None), *(c.more for c in self.comparisons)])


@dataclass(frozen=True, slots=True)
class GateDecision:
    """The answer. `reasons` begins with the one sentence that a release manager reads."""

    question: Question
    planned: int  # clean runs a scenario, by the policy
    verdict: Verdict
    reasons: tuple[str, ...]
    scenarios: tuple[ScenarioGate, ...]
    losses: tuple[Loss, ...]
    weakest: Cell | None
    notes: tuple[str, ...] = field(default=())

    @property
    def refused(self) -> str:
        return next((s.refused for s in self.scenarios if s.refused), "")

    @property
    def exit_code(self) -> int:
        """As for a run; 2 where a comparison was refused and nothing worse was found."""
        if self.refused and self.verdict is Verdict.INCONCLUSIVE:
            return REFUSED_EXIT
        return self.verdict.exit_code

    @property
    def smoke(self) -> bool:
        return any(terms.size == "smoke" for terms in self.question.terms)
