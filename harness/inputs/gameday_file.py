"""gameday.yaml -> GameDay: read, checked against itself and against what it names."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.core.gameday.plan import (
    BACKUPS_FRESH,
    PLATFORM_WHOLE,
    QUESTION,
    AbortRule,
    Communication,
    GameDay,
    GoCheck,
    Objective,
    Participant,
    PlannedScenario,
    Timing,
    Window,
    instant,
)
from harness.core.plan import Size
from harness.errors import UsageError
from harness.inputs.gameday_model import ApprovalsEntry, CheckEntry, GameDayModel, WindowEntry
from harness.inputs.problems import validated
from harness.inputs.yaml_lines import Document, KeyPath, read_yaml

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MEASURED = (PLATFORM_WHOLE, BACKUPS_FRESH)


def read_gameday(file: Path, *, name: str = "") -> GameDay:
    """Read and check. `name` takes the place of the file's: a day that comes again needs it.

    Raises UsageError where there is no such file, BadInput where it is wrong.
    """
    if not file.is_file():
        raise UsageError(
            f"there is no game day file {file}", next_step="copy the gameday.yaml that ships"
        )
    document = read_yaml(file)
    model = validated(GameDayModel, document)
    _check_people(document, model)
    _check_roles(document, model)
    _check_rest(document, model)
    approvals = model.approvals
    asked = approvals if isinstance(approvals, ApprovalsEntry) else None
    return GameDay(
        name=name or model.name,
        digest=hashlib.sha256(file.read_bytes()).hexdigest(),
        requested_by=asked.requested_by if asked else "",
        action=asked.action if asked else "",
        scenarios=_scenarios(document, model),
        windows=tuple(_window(document, i, w) for i, w in enumerate(model.windows)),
        participants=tuple(
            Participant(p.name, p.role, p.key or "", tuple(p.deputy_for))
            for p in model.participants
        ),
        on=model.on,
        platform_file=_beside(document, ("platform",), model.platform),
        targets_file=_beside(document, ("targets",), model.targets),
        season=model.season or "",
        release=model.release or "",
        size=Size(model.size),
        objectives=_objectives(document, model),
        scope=model.scope,
        not_tested=tuple(model.not_tested),
        checks=tuple(_check(document, i, c) for i, c in enumerate(model.checks)),
        abort=_abort(model),
        communications=_communications(document, model),
        absent=tuple(model.absent),
    )


def _scenarios(document: Document, model: GameDayModel) -> tuple[PlannedScenario, ...]:
    """Each with its place in its name, so that one may stand twice."""
    from harness.inputs.scenario_file import load_scenario

    found = []
    for index, entry in enumerate(model.scenarios):
        try:
            scenario = load_scenario(entry.scenario).scenario
        except UsageError as error:
            raise document.bad(("scenarios", index, "scenario"), error.what) from error
        planned = PlannedScenario(
            f"{index + 1}-{scenario.name}", entry.scenario, entry.peak, tuple(entry.absent)
        )
        found.append(planned)
    return tuple(found)


def _window(document: Document, index: int, entry: WindowEntry) -> Window:
    path: KeyPath = ("windows", index)
    fixed = (entry.begins, entry.ends)
    weekly = (entry.days, entry.from_, entry.until)
    if all(fixed) and not any(weekly):
        begins, ends = entry.begins or "", entry.ends or ""
        for key, text in (("begins", begins), ("ends", ends)):
            try:
                instant(text)
            except ValueError as error:
                raise document.bad((*path, key), f"is no date: {error}") from error
        if instant(ends) <= instant(begins):
            raise document.bad((*path, "ends"), "does not lie after `begins`")
        return Window(begins, ends)
    if all(weekly) and not any(fixed):
        start, end = _minute(entry.from_ or ""), _minute(entry.until or "")
        if end <= start:
            raise document.bad((*path, "until"), "does not lie after `from`")
        days = tuple(sorted({_WEEK.index(day) for day in entry.days or ()}))
        return Window(days=days, from_minute=start, to_minute=end)
    raise document.bad(path, "needs `begins` and `ends`, or `days`, `from` and `until`")


def _minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _check(document: Document, index: int, entry: CheckEntry) -> GoCheck:
    """Measured by us, or a question with a role."""
    path: KeyPath = ("checks", index)
    if entry.check in _MEASURED:
        if entry.ask is not None or entry.role is not None:
            raise document.bad((*path, "ask" if entry.ask else "role"), "is measured, not asked")
        return GoCheck(entry.check, entry.check, within_h=entry.within_h)
    for key, value in (("ask", entry.ask), ("role", entry.role)):
        if value is None:
            what = f"is missing: {entry.check} is a question"
            raise document.bad((*path, key), what, allowed=_MEASURED)
    return GoCheck(entry.check, QUESTION, entry.ask or "", entry.role or "", entry.wanted)


def _abort(model: GameDayModel) -> AbortRule:
    money = model.abort.money_max
    return AbortRule(
        refused_per_minute_max=model.abort.refused_per_minute_max,
        money_max_cents=None if money is None else round(money * 100),
        alerts=tuple(model.abort.alerts),
        heartbeat_s=model.abort.heartbeat_s,
        then=model.abort.then,
    )


def _objectives(document: Document, model: GameDayModel) -> tuple[Objective, ...]:
    steps = _steps_by_scenario(model)
    found = []
    for index, entry in enumerate(model.objectives):
        for place, name in enumerate(entry.shown_by):
            if name not in steps:
                path: KeyPath = ("objectives", index, "shown_by", place)
                raise document.bad(path, "is no scenario of this day", allowed=tuple(steps))
        shown_by = tuple(step for name in entry.shown_by for step in steps[name])
        found.append(Objective(entry.objective, shown_by))
    return tuple(found)


def _communications(document: Document, model: GameDayModel) -> tuple[Communication, ...]:
    steps = _steps_by_scenario(model)
    found = []
    for index, entry in enumerate(model.communications):
        path: KeyPath = ("communications", index, "scenario")
        if entry.scenario is not None and entry.when.endswith("-day"):
            raise document.bad(path, f"cannot stand with {entry.when}")
        if entry.scenario is not None and entry.scenario not in steps:
            raise document.bad(path, "is no scenario of this day", allowed=tuple(steps))
        found += [
            Communication(
                entry.name, Timing(entry.when), entry.whom, entry.channel, entry.what, entry.by, s
            )
            for s in (steps[entry.scenario] if entry.scenario else ("",))
        ]
    return tuple(found)


def _steps_by_scenario(model: GameDayModel) -> dict[str, tuple[str, ...]]:
    from harness.inputs.scenario_file import load_scenario

    found: dict[str, tuple[str, ...]] = {}
    for index, entry in enumerate(model.scenarios):
        step = f"{index + 1}-{load_scenario(entry.scenario).scenario.name}"
        found[entry.scenario] = (*found.get(entry.scenario, ()), step)
    return found


def _check_people(document: Document, model: GameDayModel) -> None:
    """A person stands once, and so does a key: two names with one key are one person."""
    names = [p.name for p in model.participants]
    keys = [p.key for p in model.participants]
    for index, person in enumerate(model.participants):
        path: KeyPath = ("participants", index)
        if names.index(person.name) != index:
            raise document.bad((*path, "name"), "stands twice")
        if person.key is not None and keys.index(person.key) != index:
            first = names[keys.index(person.key)]
            raise document.bad((*path, "key"), f"is {first}'s too: a key is one person's")
    asked = model.approvals
    if isinstance(asked, ApprovalsEntry) and asked.requested_by not in names:
        where: KeyPath = ("approvals", "requested_by")
        raise document.bad(where, "is no participant", allowed=tuple(names))


def _check_roles(document: Document, model: GameDayModel) -> None:
    """Every role that is named somewhere is somebody's."""
    named: list[tuple[KeyPath, str]] = [(("absent", i), r) for i, r in enumerate(model.absent)]
    for index, person in enumerate(model.participants):
        path: KeyPath = ("participants", index, "deputy_for")
        named += [((*path, i), role) for i, role in enumerate(person.deputy_for)]
    for index, scenario in enumerate(model.scenarios):
        path = ("scenarios", index, "absent")
        named += [((*path, i), role) for i, role in enumerate(scenario.absent)]
    named += [(("checks", i, "role"), c.role) for i, c in enumerate(model.checks) if c.role]
    named += [(("communications", i, "by"), c.by) for i, c in enumerate(model.communications)]
    roles = tuple(dict.fromkeys(p.role for p in model.participants))
    for where, role in named:
        if role not in roles:
            raise document.bad(where, "is the role of no participant", allowed=roles)


def _check_rest(document: Document, model: GameDayModel) -> None:
    """Ids that answers are given to: a check's or a communication's, never both."""
    seen: dict[str, str] = {}
    ids: list[tuple[KeyPath, str]] = [
        *((("checks", i, "check"), c.check) for i, c in enumerate(model.checks)),
        *((("communications", i, "name"), c.name) for i, c in enumerate(model.communications)),
    ]
    for path, name in ids:
        if name in seen:
            raise document.bad(path, f"stands twice, first under {seen[name]}")
        seen[name] = str(path[0])
    money = model.abort.money_max
    if money is not None and abs(money * 100 - round(money * 100)) > 1e-6:
        raise document.bad(("abort", "money_max"), f"has more than two decimals: {money}")


def _beside(document: Document, path: KeyPath, written: str | None) -> str:
    """A file that lies beside gameday.yaml, or where an absolute path says."""
    if written is None:
        return ""
    file = document.file.parent / written
    if not file.is_file():
        raise document.bad(path, f"there is no file {written}")
    return str(file)
