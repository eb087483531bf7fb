"""A game day on the terminal: what will happen, how far it has come. One line answers first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from harness.core.gameday.findings import Finding, still_open
from harness.core.gameday.plan import GameDay, PlannedScenario, Window
from harness.core.gameday.rules import (
    approvals_needed,
    freeze_at,
    missing_for_go,
    roles_for,
)
from harness.core.gameday.state import DayState, Phase
from harness.core.gameday.view import DayView
from harness.core.policy import Policy
from harness.gameday.records import Book, books
from harness.recovery.registry import AUTOMATIC, runbook_of
from reports.words import WORD, clean

_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def missing(
    day: GameDay, policy: Policy, state: DayState, *, now: dt.datetime, disposable: bool
) -> tuple[str, ...]:
    """What is missing for a go, as `start` would see it."""
    if state.phase is not Phase.PLANNED:
        return ()
    return missing_for_go(day, policy, state, now=now, disposable=disposable)


def plan_lines(
    day: GameDay, policy: Policy, book: Book, *, now: dt.datetime, disposable: bool
) -> Iterator[str]:
    """Everything that will happen, and what is missing for it."""
    state = book.state()
    lacking = missing(day, policy, state, now=now, disposable=disposable)
    yield _first(day, state, lacking)
    yield from (f"  missing: {clean(text)}" for text in lacking)
    yield f"game day {day.name}, plan {day.digest[:12]}, into {book.folder}"
    yield from _where(day, policy, now)
    yield "in this order; between two of them the platform must be whole, or the day stops:"
    for planned in day.scenarios:
        first, *rest = _scenario(day, planned)
        yield f"  {clean(first)}"
        yield from (f"      {clean(line)}" for line in rest)
    yield from (f"  {clean(line)}" for line in _abort(day))
    yield from _people(day, policy, disposable=disposable)
    yield from _told(day)
    carried = still_open(b.state().findings for b in books(book.folder.parent))
    for finding in carried:
        yield f"  finding carried over: {clean(_finding(finding))}"


def _first(day: GameDay, state: DayState, lacking: tuple[str, ...]) -> str:
    if state.phase is not Phase.PLANNED:
        return f"{day.name} is {state.phase.value}: peakdrill gameday status"
    if not lacking:
        return "go: nothing is missing but what is measured at the start"
    return f"no go yet: {len(lacking)} {'thing is' if len(lacking) == 1 else 'things are'} missing"


def _where(day: GameDay, policy: Policy, now: dt.datetime) -> Iterator[str]:
    yield (
        f"  platform {day.on}, size {day.size.value}"
        f"{f', season {day.season}' if day.season else ''}"
        f"{f', release {clean(day.release)}' if day.release else ''}"
    )
    for window in day.windows:
        yield f"  window {_window(window)}{', now' if window.holds(now) else ''}"
    frozen = freeze_at(policy, now)
    if frozen is not None:
        yield f"  trading freeze {frozen.name} until {frozen.ends_utc}"


def _window(window: Window) -> str:
    if window.begins_utc:
        return f"{window.begins_utc} to {window.ends_utc}"
    hours = (f"{m // 60:02d}:{m % 60:02d}" for m in (window.from_minute, window.to_minute))
    return f"{', '.join(_WEEK[d] for d in window.days)} {' to '.join(hours)} UTC"


def _scenario(day: GameDay, planned: PlannedScenario) -> Iterator[str]:
    from harness.inputs.scenario_file import load_scenario

    scenario = load_scenario(planned.scenario).scenario
    recovery = scenario.recovery.runbook
    yield (
        f"{planned.step}: breaks {scenario.fault.experiment} at {planned.peak:g}x of "
        f"{scenario.load.name}; recovery {recovery}, within {scenario.recovery.within_s} s"
    )
    absent = day.absent_in((planned.step,))
    for role in sorted(absent):
        deputies = ", ".join(day.deputies(role)) or "nobody"
        yield f"{role} is absent; deputy: {deputies}"
    if recovery != AUTOMATIC:
        for step in runbook_of(recovery).steps:
            if step.decision:
                yield f"{step.name}: {step.decision} ({step.role})"


def _abort(day: GameDay) -> Iterator[str]:
    rule = day.abort
    limits = [
        f"{rule.refused_per_minute_max} orders refused in a minute"
        if rule.refused_per_minute_max is not None else "",
        f"{rule.money_max_cents / 100:,.2f} at risk" if rule.money_max_cents is not None else "",
        *(f"alert {name}" for name in rule.alerts),
        f"no beat of the prober for {rule.heartbeat_s:g} s",
    ]  # fmt: skip
    yield f"a drill is aborted at: {'; '.join(text for text in limits if text)}"
    word = "the day stops" if rule.then == "stop" else "the next scenario follows once it is whole"
    yield f"after an abort {word}"


def _people(day: GameDay, policy: Policy, *, disposable: bool) -> Iterator[str]:
    needed = approvals_needed(day, disposable=disposable)
    if needed:
        roles = ", ".join(sorted(roles_for(day.action, policy))) or "nobody: targets.yaml is silent"
        yield (
            f"{day.action} asked for by {clean(day.requested_by)}; needs {needed} other "
            f"{'person' if needed == 1 else 'people'} of: {clean(roles)}"
        )
    else:
        yield "no approval is needed: the platform is disposable, and the plan says none"
    for person in day.participants:
        key = f"key {person.key_id[:16]}" if person.key_id else "no key"
        yield f"  {clean(person.name)}, {clean(person.role)}, {key}"
    for check in day.checks:
        what = f"{check.role}: {check.ask}" if check.ask else "measured"
        yield f"  check {clean(check.check)}: {clean(what)}"


def _told(day: GameDay) -> Iterator[str]:
    for c in day.communications:
        where = f" {c.scenario}" if c.scenario else ""
        told = f"{c.by} tells {c.whom} by {c.channel}: {c.what}"
        yield f"  {c.when.value}{where}, {c.name}: {clean(told)}"


def status_lines(view: DayView, state: DayState, *, conducted: bool) -> Iterator[str]:
    """How far the day has come."""
    yield f"{WORD[view.verdict]}: {clean(view.headline)}"
    yield f"{view.name} is {view.phase.value}{', and a process conducts it' if conducted else ''}"
    for drilled in view.drilled:
        at = state.step(drilled.step)
        word = drilled.verdict.value if drilled.verdict else "running" if at.begun else "to come"
        run = f" ({drilled.run_id})" if drilled.run_id else ""
        yield f"  {drilled.step}: {word}{run}: {clean(drilled.reason)}"
    for title, lines in (("refused", view.refused), ("deviation", view.deviations)):
        for line in lines:
            yield f"  {title} {line.at_utc} {clean(line.who)}: {clean(line.what)}"
    for finding in (*view.findings, *view.carried):
        if finding.is_open:
            yield f"  finding {clean(_finding(finding))}"


def _finding(finding: Finding) -> str:
    owner = f"{finding.owner or 'nobody'}, due {finding.due or 'no date'}"
    return f"{finding.origin}:{finding.name} ({owner}): {finding.what}"
