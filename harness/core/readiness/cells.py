"""One cell of the readiness matrix: the runs behind it, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.core.asked import JUDGE, another, method_of
from harness.core.instants import days_after, is_before
from harness.core.outcome import Outcome
from harness.core.readiness.standing import Said, State, said_of_platform, said_of_workload
from harness.core.scenario import Scenario
from harness.core.statistics import clean_runs_claim
from harness.core.targets import Targets, WorkloadTarget
from harness.core.verdict import Verdict, gravest

PLATFORM = "platform-wide"  # the column of what belongs to no single workload

GRAVITY: Mapping[tuple[State, Verdict | None], int] = {
    (State.MISSED, None): 0,
    (State.EXPIRED, Verdict.MISSED): 1,
    (State.NEVER, None): 2,
    (State.INCONCLUSIVE, None): 3,
    (State.EXPIRED, Verdict.INCONCLUSIVE): 4,
    (State.EXPIRED, Verdict.MET): 5,
    (State.SMOKE, None): 6,
    (State.MET, None): 7,
}
"""The weakest first. What was missed when last tried is weaker than what was never tried."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A scenario and the season's targets for it.

    `declared`: what the same file declares for other seasons in which runs were made.
    """

    scenario: Scenario
    targets: Targets
    declared: tuple[Targets, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to go into the season. `runs`: of that release, in this matrix."""

    release: str
    configuration: str
    platform: str
    kind: str
    heading: str
    runs: int


@dataclass(frozen=True, slots=True)
class Cell:
    """`was`: what an expired cell had shown. `run_id`: the run on which the state rests."""

    scenario: str
    column: str
    tier: str
    owner: str
    state: State
    was: Verdict | None
    reason: str
    run_id: str
    run_utc: str
    size: str
    expires_utc: str  # of the proof; "" where none is needed any more
    runs: int  # that carry the state
    quantile: float | None  # that so many clean runs claim; None where nothing is claimed
    rto_target_ns: int | None
    rpo_target_ns: int | None
    lapses: str = ""  # "before it begins", "before it ends"
    proven_loss: bool = False  # a missed cell in which acknowledged records were lost or damaged

    @property
    def name(self) -> str:
        return f"{self.scenario} / {self.column}"


@dataclass(frozen=True, slots=True)
class View:
    """From where a cell is looked at."""

    subject: Subject
    first_runs: Mapping[str, str]
    now_utc: str
    valid_days: int
    confidence: float

    def another(self, run: Outcome) -> str:
        """Another release, by the time of its first run, or another configuration; or ""."""
        asked = self.subject.release
        if run.release != asked:
            begun, first = self.first_runs[run.release], self.first_runs.get(asked)
            older = first is None or begun < first
            return f"{'older' if older else 'another'} release {run.release or '(unnamed)'}"
        return "" if run.configuration == self.subject.configuration else "another configuration"

    def expires(self, run: Outcome) -> str:
        return days_after(run.begun_utc, self.valid_days)

    def aged(self, run: Outcome) -> str:
        """Why a run that met does not count now, by the clock alone; or ""."""
        if is_before(self.now_utc, run.begun_utc):
            return "begins after now"
        if is_before(self.now_utc, self.expires(run)):
            return ""
        return f"older than {self.valid_days} days"


@dataclass(frozen=True, slots=True)
class _Word:
    run: Outcome
    said: Said
    outdated: str
    aged: str


def phrase(cell: Cell) -> str:
    """The state as a predicate: "was never tested", "has expired"."""
    if cell.state is State.NEVER:
        return "was never tested"
    if cell.state is State.EXPIRED:
        ended = {Verdict.MISSED: " and was missed", Verdict.INCONCLUSIVE: " and was inconclusive"}
        return f"has expired{ended.get(cell.was or Verdict.MET, '')}"
    if cell.state is State.MISSED:
        return f"was missed ({cell.reason})"
    return f"is {cell.state}"


def lapsing(cell: Cell, when: str) -> Cell:
    return replace(cell, lapses=when)


def of_claim(claim: Claim, runs: Sequence[Outcome], view: View) -> Iterator[Cell]:
    """A cell for each workload that the targets declare, then one for the platform."""
    own = [o for o in runs if o.scenario == claim.scenario.name]
    for target in claim.targets.workloads:
        yield _cell(claim, target, own, view, lambda o, t=target: _of_workload(claim, o, t))  # type: ignore[misc]
    yield _cell(claim, None, own, view, lambda o: said_of_platform(o, claim.scenario))


def _of_workload(claim: Claim, run: Outcome, target: WorkloadTarget) -> Said | None:
    found = run.of(target.workload)
    if found is None:
        return None
    then = next((t for t in claim.declared if t.season == run.season), None)
    before = then.of(target.workload) if then else None
    return said_of_workload(run, found, claim.scenario, target, before)


def _cell(
    claim: Claim,
    target: WorkloadTarget | None,
    runs: Sequence[Outcome],
    view: View,
    ask: Callable[[Outcome], Said | None],
) -> Cell:
    answers = [(run, ask(run)) for run in runs]
    words = [
        _Word(run, said, view.another(run) or _outdated(claim, run, said), view.aged(run))
        for run, said in answers
        if said is not None
    ]
    blank = Cell(
        scenario=claim.scenario.name,
        column=str(target.workload) if target else PLATFORM,
        tier=target.tier if target else "critical",
        owner=target.owner if target else claim.scenario.owner,
        state=State.NEVER,
        was=None,
        reason=_never(len(answers)),
        run_id="",
        run_utc="",
        size="",
        expires_utc="",
        runs=0,
        quantile=None,
        rto_target_ns=round(target.rto_s * 1_000_000_000) if target else None,
        rpo_target_ns=_ns(target.rpo_s) if target else None,
    )
    return _decided(blank, words, view)


def _outdated(claim: Claim, run: Outcome, said: Said) -> str:
    """A miss stands, however it was proved; what met another scenario of that name is of before."""
    if said.verdict is Verdict.MISSED:
        return said.outdated
    judged = "" if run.judge == JUDGE else f"judged by {run.judge}, not by {JUDGE}"
    return said.outdated or judged or another(run.method, method_of(claim.scenario))


def _ns(value_s: float | None) -> int | None:
    return None if value_s is None else round(value_s * 1_000_000_000)


def _never(runs: int) -> str:
    if not runs:
        return "no run"
    return f"{runs} {'run' if runs == 1 else 'runs'}, none of which proves anything here"


def _decided(blank: Cell, words: Sequence[_Word], view: View) -> Cell:
    current = [w for w in words if not w.outdated]
    missed = [w for w in current if w.said.verdict is Verdict.MISSED]
    if missed:
        return _resting(blank, State.MISSED, missed)
    for size, state in (("full", State.MET), ("smoke", State.SMOKE)):
        sized = [w for w in current if (w.run.size == "full") is (size == "full")]
        doubtful = [w for w in sized if w.said.verdict is Verdict.INCONCLUSIVE]
        fresh = [w for w in sized if w.said.verdict is Verdict.MET and not w.aged]
        if doubtful:
            return _resting(blank, State.INCONCLUSIVE, doubtful)
        if fresh:
            cell = _resting(blank, state, fresh)
            claimed = clean_runs_claim(len(fresh), view.confidence)
            return replace(cell, expires_utc=view.expires(fresh[-1].run), quantile=claimed)
    return _expired(blank, words) if words else blank


def _resting(blank: Cell, state: State, words: Sequence[_Word]) -> Cell:
    """On the newest of the runs that carry it; of misses, on a proven loss first."""
    losses = [w for w in words if w.said.loss]
    word = (losses or words)[-1]
    return replace(
        blank, state=state, reason=word.said.why, run_id=word.run.run_id,
        run_utc=word.run.begun_utc, size=word.run.size, runs=len(words),
        proven_loss=state is State.MISSED and word.said.loss,
    )  # fmt: skip


def _expired(blank: Cell, words: Sequence[_Word]) -> Cell:
    """What the release that was tried last had shown, the gravest of its runs."""
    last = words[-1]
    group = [
        w
        for w in words
        if (w.run.release, w.run.configuration) == (last.run.release, last.run.configuration)
    ]
    was = gravest([w.said.verdict for w in group])
    grave = [w for w in group if w.said.verdict is was]
    cell = _resting(blank, State.EXPIRED, grave)
    word = next(w for w in grave if w.run.run_id == cell.run_id)
    return replace(cell, was=was, reason=f"{word.outdated or word.aged}; {was}: {word.said.why}")
