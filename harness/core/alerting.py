"""Time to detect: from the fault to the first of the platform's own alerts that fired after it.

An alert began to fire between two polls, so the time is an interval. Silence is "no alert fired",
never zero; somebody who could not be asked said nothing, and that is not silence.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.timeline import Mark, MarkName, Timeline

ALERT_NOTE = "alert: "
"""How the note of a DETECTED mark begins that the watch of the alerts wrote; the name follows."""


@dataclass(frozen=True, slots=True)
class AlertWatch:
    """How the watch of the alerts went. Instants in ns on the run's clock."""

    polls: int
    answered: int
    begun_ns: int
    ended_ns: int
    first_answer_ns: int | None  # what fired by then is `before`; None: never an answer
    before: tuple[str, ...]  # alerts that were firing at the first answer
    trouble: str  # why the last poll that failed did; ""
    unanswered_ns: int = 0  # the longest stretch without an answer


@dataclass(frozen=True, slots=True)
class FirstAlert:
    """One alert's first firing after the fault, in ns after t_F."""

    name: str
    low_ns: int  # it was seen not to fire then, from the latest t_F
    high_ns: int  # it was seen to fire then, from the earliest t_F


@dataclass(frozen=True, slots=True)
class Detection:
    """What the platform's own alerts made of the fault."""

    source: str  # host and port of whoever was asked; "": nobody
    watch: AlertWatch | None  # None, with a source: the watch left no word
    alerts: tuple[FirstAlert, ...]  # by their high end
    early: tuple[str, ...]  # fired before the fault took effect: no detection of it

    @property
    def first(self) -> FirstAlert | None:
        return self.alerts[0] if self.alerts else None

    @property
    def could_be_asked(self) -> bool:
        return self.watch is not None and self.watch.answered > 0


def detection(source: str, timeline: Timeline, watch: AlertWatch | None) -> Detection:
    """The alerts of a run; none of them where no effect of the fault was observed."""
    fault = timeline.first(MarkName.FAULT_ACTIVE)
    early = list(watch.before) if watch is not None else []
    first: dict[str, FirstAlert] = {}
    for mark in timeline.all(MarkName.DETECTED):
        if not mark.note.startswith(ALERT_NOTE):
            continue  # a runbook's own finding
        name = mark.note.removeprefix(ALERT_NOTE)
        if fault is None or mark.latest_ns <= fault.earliest_ns:
            early.append(name)
        elif name not in first:
            first[name] = _after(name, mark, fault)
    ordered = sorted(first.values(), key=lambda a: (a.high_ns, a.name))
    return Detection(source, watch, tuple(ordered), tuple(dict.fromkeys(early)))


def _after(name: str, mark: Mark, fault: Mark) -> FirstAlert:
    low_ns = max(0, mark.earliest_ns - fault.latest_ns)
    return FirstAlert(name, low_ns, mark.latest_ns - fault.earliest_ns)
