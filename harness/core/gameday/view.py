"""A game day as its post-exercise report shows it: what ISO 22301:2019, 8.5 asks to be told.

A function of the plan and the records; every renderer shows the same. May not live here: wording
for one medium, and figures of a run, which are in the run's own report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.core.gameday import records as said
from harness.core.gameday.absence import Absence, absences
from harness.core.gameday.findings import Finding
from harness.core.gameday.plan import GameDay, Timing, instant
from harness.core.gameday.rules import told_key
from harness.core.gameday.state import DayState, Phase, state_of
from harness.core.verdict import Verdict, gravest


@dataclass(frozen=True, slots=True)
class Drilled:
    """One scenario of the plan, and what became of it. `verdict` None: it was not drilled."""

    step: str
    peak: float
    verdict: Verdict | None
    reason: str
    run_id: str
    attempts: int
    interrupted: str
    absent: tuple[str, ...]
    evidence_digest: str


@dataclass(frozen=True, slots=True)
class Result:
    """An objective, and what the runs say of it."""

    objective: str
    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """Somebody did something at some time."""

    at_utc: str
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A communication of the plan: `at_utc` "" where nobody confirmed it."""

    name: str
    whom: str
    channel: str
    what: str
    at_utc: str
    who: str


@dataclass(frozen=True, slots=True)
class DayView:
    """Everything that the report shows, in its order."""

    name: str
    phase: Phase
    verdict: Verdict
    headline: str
    begun_utc: str
    ended_utc: str
    scope: str
    season: str
    release: str
    platform: str
    size: str
    plan_digest: str
    results: tuple[Result, ...]
    drilled: tuple[Drilled, ...]
    participants: tuple[tuple[str, str], ...]  # name, role
    decisions: tuple[Line, ...]
    deviations: tuple[Line, ...]
    refused: tuple[Line, ...]
    aborts: tuple[Line, ...]
    measured: tuple[tuple[str, bool, str], ...]
    spoken: tuple[Spoken, ...]
    timeline: tuple[Line, ...]
    absences: tuple[Absence, ...]
    findings: tuple[Finding, ...]  # found on this day
    carried: tuple[Finding, ...]  # of earlier days, whatever became of them
    not_tested: tuple[str, ...]


def view_of(day: GameDay, entries: Sequence[said.Entry]) -> DayView:
    """The whole report as values."""
    state = state_of(entries)
    drilled = tuple(_drilled(day, s.step, s.peak, s.absent, state) for s in day.scenarios)
    verdict = _verdict(state, drilled)
    times = [e.at_utc for e in entries if isinstance(e.said, said.Started)]
    over = [e.at_utc for e in entries if isinstance(e.said, said.Stopped | said.Finished)]
    return DayView(
        name=day.name,
        phase=state.phase,
        verdict=verdict,
        headline=_headline(state, drilled, verdict),
        begun_utc=times[0] if times else "",
        ended_utc=over[-1] if over else "",
        scope=day.scope,
        season=day.season,
        release=day.release,
        platform=day.on,
        size=day.size.value,
        plan_digest=day.digest,
        results=tuple(_result(o.objective, o.shown_by, drilled) for o in day.objectives),
        drilled=drilled,
        participants=tuple((p.name, p.role) for p in day.participants),
        decisions=_lines(entries, _decision),
        deviations=_lines(entries, _deviation),
        refused=_lines(entries, _refusal),
        aborts=_lines(entries, _abort),
        measured=tuple((m.check, m.holds, m.told) for m in state.measured),
        spoken=_spoken(day, entries),
        timeline=_human(entries),
        absences=absences(day, entries),
        findings=tuple(f for f in state.findings if f.origin == day.name),
        carried=tuple(f for f in state.findings if f.origin != day.name),
        not_tested=_not_tested(day, entries, drilled),
    )


def _drilled(
    day: GameDay, step: str, peak: float, absent: tuple[str, ...], state: DayState
) -> Drilled:
    at = state.step(step)
    ended = at.ended
    away = tuple(dict.fromkeys((*day.absent, *absent)))
    if ended is None:
        why = at.lost[-1].why if at.lost else "it was not begun"
        return Drilled(step, peak, None, why, "", at.attempts, "", away, "")
    return Drilled(
        step=step,
        peak=peak,
        verdict=ended.verdict,
        reason=ended.reason,
        run_id=ended.run_id,
        attempts=at.attempts,
        interrupted=ended.interrupted,
        absent=away,
        evidence_digest=ended.evidence_digest,
    )


def _verdict(state: DayState, drilled: tuple[Drilled, ...]) -> Verdict:
    """A miss is a miss; anything that was not drilled or not judged is no pass."""
    found = [_counted(d.verdict) for d in drilled]
    if state.phase in {Phase.PLANNED, Phase.GOING, Phase.STOPPED} or state.stopped_why:
        found.append(Verdict.INCONCLUSIVE)
    return gravest(found)


def _counted(verdict: Verdict | None) -> Verdict:
    return verdict if verdict in {Verdict.MET, Verdict.MISSED} else Verdict.INCONCLUSIVE


def _headline(state: DayState, drilled: tuple[Drilled, ...], verdict: Verdict) -> str:
    """Are we safe for Saturday?"""
    if verdict is Verdict.MET:
        return f"Yes, as far as this day went: all {len(drilled)} scenarios met their targets."
    missed = [d for d in drilled if d.verdict is Verdict.MISSED]
    if missed:
        more = f", and {len(missed) - 1} more missed" if len(missed) > 1 else ""
        return f"No: {missed[0].step} missed its targets: {missed[0].reason}{more}"
    open_ = [d for d in drilled if d.verdict is not Verdict.MET]
    why = f"{open_[0].step}: {open_[0].reason}" if open_ else f"the day is {state.phase.value}"
    done = len(drilled) - len(open_)
    return f"Not shown: {done} of {len(drilled)} scenarios met their targets; {why}"


def _result(objective: str, steps: tuple[str, ...], drilled: tuple[Drilled, ...]) -> Result:
    shown = [d for d in drilled if d.step in steps]
    verdict = gravest([_counted(d.verdict) for d in shown])
    worst = next((d for d in shown if _counted(d.verdict) is verdict), None)
    why = f"{worst.step}: {worst.reason}" if worst else "no scenario of this day shows it"
    return Result(objective, verdict, why)


def _lines(
    entries: Sequence[said.Entry], worded: Callable[[said.Said], tuple[str, str] | None]
) -> tuple[Line, ...]:
    found = ((e.at_utc, worded(e.said)) for e in entries)
    return tuple(Line(at, told[0], told[1]) for at, told in found if told is not None)


def _decision(told: said.Said) -> tuple[str, str] | None:
    if isinstance(told, said.Approved):
        a = told.approval
        what = f"approved {a.action} for {', '.join(a.scenarios)}, until {a.expires_utc}"
        return f"{a.who} ({told.role})", what
    if isinstance(told, said.Answered):
        words = f": {told.words}" if told.words else ""
        return f"{told.who} ({told.role})", f"{told.to}: {'yes' if told.said else 'no'}{words}"
    if isinstance(told, said.Started):
        return told.by, f"go, by the plan {told.plan_digest[:12]}"
    if isinstance(told, said.AbortAsked):
        return told.who, f"abort: {told.why}"
    if isinstance(told, said.FindingAssigned):
        return told.who, f"{told.name}: {told.owner}, due {told.due}"
    if isinstance(told, said.FindingClosed):
        return told.who, f"{told.name} closed: {told.proof}"
    return None


def _deviation(told: said.Said) -> tuple[str, str] | None:
    if isinstance(told, said.Held):
        return "peakdrill", f"nothing was started: {'; '.join(told.why)}"
    if isinstance(told, said.Resumed):
        return told.by, "the day was taken up again: its process had gone"
    if isinstance(told, said.ScenarioLost):
        return "peakdrill", f"{told.step}, attempt {told.attempt}: {told.why}"
    if isinstance(told, said.ScenarioEnded) and told.interrupted:
        return "peakdrill", f"{told.step} was cut short: {told.interrupted}"
    if isinstance(told, said.Looked) and not told.whole:
        return "peakdrill", f"not whole after {told.step}: {'; '.join(told.missing)}"
    if isinstance(told, said.PlatformUp) and told.why:
        return "peakdrill", f"a fresh platform: {told.why}"
    if isinstance(told, said.Stopped):
        return "peakdrill", f"the day stopped: {told.why}"
    return None


def _refusal(told: said.Said) -> tuple[str, str] | None:
    if isinstance(told, said.ApprovalRefused):
        return told.who, f"approval refused: {told.why}"
    if isinstance(told, said.AnswerRefused):
        return told.who, f"answer to {told.to} refused: {told.why}"
    return None


def _abort(told: said.Said) -> tuple[str, str] | None:
    if isinstance(told, said.AbortAsked):
        return told.who, f"the day: {told.why}"
    if isinstance(told, said.ScenarioEnded) and told.interrupted:
        return "peakdrill", f"{told.step}: {told.interrupted}"
    return None


def _spoken(day: GameDay, entries: Sequence[said.Entry]) -> tuple[Spoken, ...]:
    """Every communication of the plan, once for each time it was due."""
    said_at = {e.said.to: (e.at_utc, e.said.who) for e in entries
               if isinstance(e.said, said.Answered) and e.said.said}  # fmt: skip
    begun = [e.said.step for e in entries if isinstance(e.said, said.ScenarioBegun)]
    found = []
    for c in day.communications:
        once = c.when in {Timing.BEFORE_DAY, Timing.AFTER_DAY}
        steps = [""] if once else [s for s in dict.fromkeys(begun) if c.scenario in {"", s}]
        for key in (told_key(c, step) for step in steps):
            at, who = said_at.get(key, ("", ""))
            found.append(Spoken(key, c.whom, c.channel, c.what, at, who))
    return tuple(found)


def _human(entries: Sequence[said.Entry]) -> tuple[Line, ...]:
    """By the time at which it happened, not at which it was written down."""
    notes = (e.said for e in entries if isinstance(e.said, said.Noted))
    lines = [Line(n.when_utc, n.who, n.what) for n in notes]
    return tuple(sorted(lines, key=lambda line: instant(line.at_utc)))


def _not_tested(
    day: GameDay, entries: Sequence[said.Entry], drilled: tuple[Drilled, ...]
) -> tuple[str, ...]:
    found = list(day.not_tested)
    found += [f"{d.step}: {d.reason}" for d in drilled if d.verdict is None]
    found += [f"{d.step}: begun, and not judged: {d.reason}" for d in drilled
              if d.verdict in {Verdict.INVALID, Verdict.ERROR}]  # fmt: skip
    for entry in entries:
        if isinstance(entry.said, said.ScenarioEnded):
            found += [f"{entry.said.step}: {text}" for text in entry.said.not_checked]
    return tuple(dict.fromkeys(found))
