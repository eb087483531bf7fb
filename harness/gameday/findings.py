"""Findings over all days of a folder: made by a run, given to somebody, carried, closed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from harness.core.gameday import records as said
from harness.core.gameday.findings import VERDICT, Finding, Reach, found_in, is_met_by, still_open
from harness.core.gameday.plan import GameDay, PlannedScenario, Timing, written
from harness.core.gameday.rules import told_key, unanswered, untold
from harness.core.gameday.state import DayState
from harness.errors import Refused, UsageError
from harness.gameday.records import Book, books
from harness.inputs.words import shown

_US = "peakdrill"


def carry_over(book: Book, now: dt.datetime) -> None:
    """What earlier days left open stands in this day's records too, with owner and date."""
    others = [b.state().findings for b in books(book.folder.parent) if b.folder != book.folder]
    known = {f.key for f in book.state().findings}
    for finding in still_open(others):
        if finding.key not in known:
            book.add(said.FindingOpened(finding), now)


def after_run(book: Book, ended: said.ScenarioEnded, now: dt.datetime) -> None:
    """A met check closes what it found before, with the run as proof; the rest is found."""
    for finding in book.state().findings:
        met = finding.is_open and is_met_by(
            finding,
            scenario=ended.scenario,
            verdict=ended.verdict,
            results=ended.results,
            reach=ended.reach,
        )
        if met and finding.run_id != ended.run_id:
            proof = f"run {ended.run_id} met it"
            book.add(said.FindingClosed(finding.origin, finding.name, _US, proof), now)
    for found in found_in(
        day=book.day,
        scenario=ended.scenario,
        run_id=ended.run_id,
        verdict=ended.verdict,
        reason=ended.reason,
        results=ended.results,
        reach=ended.reach,
        at_utc=written(now),
    ):
        _keep(book, found, now)


def at_the_end(book: Book, day: GameDay, now: dt.datetime) -> None:
    """What was left out: questions without an answer, people not told, scenarios not drilled."""
    state = book.state()
    left = [(f"question/{text.split(' ')[0]}", text) for text in unanswered(day, state)]
    left += [
        (f"told/{key}", f"{key}: nobody has confirmed that {whom} were told")
        for key, whom in _untold(day, state)
    ]
    for name, what in left:
        _keep(book, Finding(name, book.day, what, found_utc=written(now)), now)
    for planned in day.scenarios:
        if state.step(planned.step).ended is None:
            _keep(book, _not_drilled(day, planned, state, now), now)


def _not_drilled(
    day: GameDay, planned: PlannedScenario, state: DayState, now: dt.datetime
) -> Finding:
    """Closed by a later drill of the scenario, like any finding of a drill."""
    lost = state.step(planned.step).lost
    why = lost[-1].why if lost else state.stopped_why or "the day ended before it"
    return Finding(
        name=f"{planned.step}/not-drilled",
        origin=day.name,
        what=f"{planned.step} was not drilled: {why}",
        scenario=planned.step.partition("-")[2],
        check=VERDICT,
        found_utc=written(now),
        reach=Reach(day.on, day.size, planned.peak),
    )


def _untold(day: GameDay, state: DayState) -> list[tuple[str, str]]:
    found = [
        (c, "") for when in (Timing.BEFORE_DAY, Timing.AFTER_DAY) for c in untold(day, state, when)
    ]
    for step in state.steps:
        found += [(c, step.step) for c in untold(day, state, Timing.AFTER_SCENARIO, step.step)]
    return [(told_key(c, step), c.whom) for c, step in found]


def add(book: Book, what: str, now: dt.datetime, *, owner: str = "", due: str = "") -> Finding:
    """By a person, closed by a person."""
    number = sum(f.name.startswith("noted-") for f in book.state().findings) + 1
    finding = Finding(
        f"noted-{number}", book.day, what, found_utc=written(now), owner=owner, due=checked(due)
    )
    book.add(said.FindingOpened(finding), now)
    return finding


def assign(book: Book, named: str, who: str, now: dt.datetime, *, owner: str, due: str) -> None:
    """Whose it is, and until when. Raises UsageError."""
    finding = _named(book, named)
    told = said.FindingAssigned(finding.origin, finding.name, owner, checked(due), who)
    book.add(told, now)


def close(book: Book, named: str, who: str, proof: str, now: dt.datetime) -> None:
    """By a person's word, which is kept as the proof. Raises UsageError and Refused."""
    finding = _named(book, named)
    if not finding.is_open:
        raise Refused(f"{finding.name} was closed at {finding.closed_utc} by {finding.closed_by}")
    book.add(said.FindingClosed(finding.origin, finding.name, who, proof), now)


def checked(due: str) -> str:
    """A date that exists. Raises UsageError."""
    try:
        return dt.date.fromisoformat(due).isoformat() if due else ""
    except ValueError as error:
        raise UsageError(f"{shown(due)} is no date", next_step="--due 2026-12-18") from error


def _named(book: Book, named: str) -> Finding:
    state = book.state()
    finding = state.finding(named)
    if finding is None:
        there = ", ".join(f.name for f in state.findings if f.is_open)
        raise UsageError(
            f"{book.day} has no finding {shown(named)}", next_step=f"there are: {there or 'none'}"
        )
    return finding


def _keep(book: Book, found: Finding, now: dt.datetime) -> None:
    """New, or the same that is open already, seen again."""
    state = book.state()
    same = [
        f for f in state.findings
        if f.is_open and (f.scenario, f.check, f.workload, f.name)
        == (found.scenario, found.check, found.workload, found.name)
    ]  # fmt: skip
    if same and same[0].run_id != found.run_id:
        book.add(said.FindingAgain(same[0].origin, same[0].name, found.run_id), now)
    elif not same and not any(f.key == found.key for f in state.findings):
        book.add(said.FindingOpened(found), now)
    elif not same:
        book.add(said.FindingOpened(_once_more(found, state)), now)


def _once_more(found: Finding, state: DayState) -> Finding:
    """Closed earlier on the same day, and there again: a finding of its own."""
    number = sum(f.name.partition("#")[0] == found.name for f in state.findings) + 1
    return replace(found, name=f"{found.name}#{number}")
