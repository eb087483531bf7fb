"""What people say on the day: answers to questions, "I told them", and the human time line."""

from __future__ import annotations

import datetime as dt

from harness.core.gameday import records as said
from harness.core.gameday.plan import QUESTION, GameDay, Timing, written
from harness.core.gameday.rules import refused_answer, told_key
from harness.errors import Refused, UsageError
from harness.gameday.records import Book
from harness.inputs.words import did_you_mean, shown


def questions(day: GameDay) -> dict[str, str]:
    """Everything that can be answered, and the role that answers: checks, then communications."""
    found = {c.check: c.role for c in day.checks if c.kind == QUESTION}
    for told in day.communications:
        once = told.when in {Timing.BEFORE_DAY, Timing.AFTER_DAY}
        steps = (
            [""] if once else [told.scenario] if told.scenario else [s.step for s in day.scenarios]
        )
        found |= {told_key(told, step): told.by for step in steps}
    return found


def answer(
    book: Book, day: GameDay, to: str, who: str, *, said_yes: bool, words: str, now: dt.datetime
) -> said.Answered:
    """Recorded, or refused by name and the refusal recorded. Raises UsageError and Refused."""
    asked = questions(day)
    if to not in asked:
        raise UsageError(
            f"{day.name} asks nothing called {shown(to)}{did_you_mean(to, asked)}",
            next_step=f"there are: {', '.join(asked) or 'no questions'}",
        )
    step = to.partition("@")[2]
    refusal = refused_answer(day, asked[to], who, (step,) if step else ())
    if refusal is not None:
        book.add(said.AnswerRefused(to, who, refusal.why, refusal.absent), now)
        raise Refused(
            f"the answer by {who} to {to} is refused: {refusal.why}",
            next_step="the refusal is recorded; somebody who may has to answer",
        )
    told = said.Answered(to, who, asked[to], said_yes, words)
    book.add(told, now)
    for finding in book.state().findings:  # it was late, and it was done
        if said_yes and finding.is_open and finding.key == (book.day, f"told/{to}"):
            book.add(said.FindingClosed(*finding.key, who, "confirmed afterwards"), now)
    return told


def note(book: Book, who: str, what: str, now: dt.datetime, *, when: str = "") -> said.Noted:
    """A line of the human time line, by a participant or anybody else. Raises UsageError."""
    if when:
        try:
            at = dt.datetime.fromisoformat(when)
        except ValueError as error:
            raise UsageError(
                f"{shown(when)} is no date", next_step="2026-11-28T06:05:00Z"
            ) from error
        if at.tzinfo is None or at > now:
            raise UsageError(f"{shown(when)} lies ahead, or says no zone", next_step="UTC: ...Z")
        when = written(at)
    told = said.Noted(who, what, when or written(now))
    book.add(told, now)
    return told
