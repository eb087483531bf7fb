"""The state machine of a game day: what its records amount to, and which step is next.

Any prefix of a day's records is a day that was killed there, and goes on from it. A function of
the records alone: a resumed day and one that was never interrupted cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.core.gameday import records as said
from harness.core.gameday.findings import Finding
from harness.core.gameday.plan import GameDay

BY_SIGNAL = "stopped by SIG"  # how an interruption by Ctrl-C or SIGTERM is worded


class Phase(StrEnum):
    PLANNED = "planned"
    GOING = "going"
    STOPPED = "stopped"
    FINISHED = "finished"
    CLOSED = "closed"


class Do(StrEnum):
    """What comes next."""

    NOTHING = "nothing"
    START = "start"  # go/no-go
    SETTLE = "settle"  # a scenario began and has not ended: its process is gone
    LOOK = "look"  # is the platform whole?
    RUN = "run"
    STOP = "stop"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Next:
    do: Do
    step: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class StepState:
    """One scenario of the day, as far as it came."""

    step: str
    attempts: int = 0
    begun: said.ScenarioBegun | None = None  # and not ended
    ended: said.ScenarioEnded | None = None
    lost: tuple[said.ScenarioLost, ...] = ()
    looked: said.Looked | None = None  # after its last attempt

    @property
    def is_over(self) -> bool:
        gave_up = bool(self.lost) and not self.lost[-1].again
        return self.begun is None and (self.ended is not None or gave_up)


@dataclass(frozen=True, slots=True)
class DayState:
    """A day as its records have it."""

    phase: Phase = Phase.PLANNED
    steps: tuple[StepState, ...] = ()  # those that were begun, in that order
    approvals: tuple[said.Approved, ...] = ()
    answers: tuple[said.Answered, ...] = ()  # the latest to each question
    measured: tuple[said.Measured, ...] = ()  # the latest of each check
    aborts: tuple[said.AbortAsked, ...] = ()
    findings: tuple[Finding, ...] = ()
    started: said.Started | None = None
    stopped_why: str = ""
    own_platform: bool = False  # one is up that the day has to end

    def step(self, name: str) -> StepState:
        return next((s for s in self.steps if s.step == name), StepState(name))

    def answer(self, to: str) -> said.Answered | None:
        return next((a for a in self.answers if a.to == to), None)

    def finding(self, named: str) -> Finding | None:
        """By its name; with its day before it (`day:name`) where two days found the same."""
        return next((f for f in self.findings if named in {f.name, f"{f.origin}:{f.name}"}), None)


def state_of(entries: Sequence[said.Entry]) -> DayState:
    """What these records amount to."""
    state = DayState()
    for entry in entries:
        state = _after(state, entry)
    return state


def next_of(day: GameDay, state: DayState) -> Next:
    """The one thing that may happen next."""
    if state.phase is Phase.PLANNED:
        return Next(Do.STOP, why=_aborted(state)) if state.aborts else Next(Do.START)
    if state.phase is not Phase.GOING:
        return Next(Do.NOTHING, why=f"the day is {state.phase.value}")
    last = state.steps[-1] if state.steps else None
    if last is not None and last.begun is not None:
        return Next(Do.SETTLE, last.step)
    if last is not None and last.looked is None:
        return Next(Do.LOOK, last.step)
    why = _why_stop(day, state, last)
    if why:
        return Next(Do.STOP, last.step if last else "", why)
    for planned in day.scenarios:
        if not state.step(planned.step).is_over:
            return Next(Do.RUN, planned.step)
    return Next(Do.FINISH)


def _why_stop(day: GameDay, state: DayState, last: StepState | None) -> str:
    if state.aborts:
        return _aborted(state)
    if last is None or last.looked is None:
        return ""
    if not last.looked.whole:
        return f"the platform is not whole after {last.step}: {'; '.join(last.looked.missing)}"
    gave_up = last.ended is None and last.lost and not last.lost[-1].again
    cut = last.ended.interrupted if last.ended else last.lost[-1].why if gave_up else ""
    if BY_SIGNAL in cut:
        return f"{last.step} was ended by hand: {cut}"
    if cut and day.abort.then == "stop":
        return f"{last.step} was cut short, and the day's rule is to stop then: {cut}"
    return ""


def _aborted(state: DayState) -> str:
    asked = state.aborts[-1]
    return f"aborted by {asked.who}: {asked.why}"


def _after(state: DayState, entry: said.Entry) -> DayState:
    told = entry.said
    if isinstance(told, said.ScenarioBegun | said.ScenarioEnded | said.ScenarioLost | said.Looked):
        return _with_step(state, _step_after(state.step(told.step), told))
    if isinstance(
        told, said.FindingOpened | said.FindingAgain | said.FindingAssigned | said.FindingClosed
    ):
        return replace(state, findings=_findings_after(state.findings, told, entry.at_utc))
    return _day_after(state, told)


def _day_after(state: DayState, told: said.Said) -> DayState:
    if isinstance(told, said.Approved):
        return replace(state, approvals=(*state.approvals, told))
    if isinstance(told, said.Answered):
        others = tuple(a for a in state.answers if a.to != told.to)
        return replace(state, answers=(*others, told))
    if isinstance(told, said.Measured):
        rest = tuple(m for m in state.measured if m.check != told.check)
        return replace(state, measured=(*rest, told))
    if isinstance(told, said.AbortAsked):
        return replace(state, aborts=(*state.aborts, told))
    if isinstance(told, said.Started):
        return replace(state, phase=Phase.GOING, started=told)
    if isinstance(told, said.PlatformUp):
        return replace(state, own_platform=told.own)
    if isinstance(told, said.PlatformDown):
        return replace(state, own_platform=False)
    if isinstance(told, said.Stopped):
        return replace(state, phase=Phase.STOPPED, stopped_why=told.why)
    if isinstance(told, said.Finished):
        return replace(state, phase=Phase.FINISHED)
    if isinstance(told, said.Closed):
        return replace(state, phase=Phase.CLOSED)
    return state


def _step_after(
    step: StepState,
    told: said.ScenarioBegun | said.ScenarioEnded | said.ScenarioLost | said.Looked,
) -> StepState:
    if isinstance(told, said.ScenarioBegun):
        return replace(step, attempts=told.attempt, begun=told, looked=None)
    if isinstance(told, said.ScenarioEnded):
        return replace(step, begun=None, ended=told)
    if isinstance(told, said.ScenarioLost):
        return replace(step, begun=None, lost=(*step.lost, told))
    return replace(step, looked=told)


def _with_step(state: DayState, step: StepState) -> DayState:
    """The one that was touched last stands last."""
    others = tuple(s for s in state.steps if s.step != step.step)
    return replace(state, steps=(*others, step))


def _findings_after(
    findings: tuple[Finding, ...],
    told: said.FindingOpened | said.FindingAgain | said.FindingAssigned | said.FindingClosed,
    at_utc: str,
) -> tuple[Finding, ...]:
    if isinstance(told, said.FindingOpened):
        others = tuple(f for f in findings if f.key != told.finding.key)
        return (*others, told.finding)
    key = (told.origin, told.name)
    return tuple(_changed(f, told, at_utc) if f.key == key else f for f in findings)


def _changed(
    finding: Finding,
    told: said.FindingAgain | said.FindingAssigned | said.FindingClosed,
    at_utc: str,
) -> Finding:
    if isinstance(told, said.FindingAgain):
        return replace(finding, seen_again=(*finding.seen_again, told.run_id))
    if isinstance(told, said.FindingAssigned):
        return replace(finding, owner=told.owner or finding.owner, due=told.due or finding.due)
    return replace(finding, closed_utc=at_utc, closed_by=told.who, proof=told.proof)
