"""The rules of a game day: whose approval counts, who may answer, and what keeps it from going on.

Pure decisions; the clock is passed in. Every refusal is a sentence, because it is recorded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.gameday.plan import (
    QUESTION,
    Communication,
    GameDay,
    GoCheck,
    PlannedScenario,
    Timing,
    instant,
    written,
)
from harness.core.gameday.records import Approval, Approved
from harness.core.gameday.state import DayState
from harness.core.policy import Freeze, Policy

NO_ACTION = "approvals: none is for a disposable platform alone; name an action"


@dataclass(frozen=True, slots=True)
class Refusal:
    """`absent` is the role whose absence is the reason, "" where it is another."""

    why: str
    absent: str = ""


def approvals_needed(day: GameDay, *, disposable: bool) -> int:
    """How many people beside the one who asks."""
    if not disposable:
        return 2
    return 1 if day.action else 0


def refusal_of(
    approval: Approval,
    day: GameDay,
    policy: Policy,
    *,
    now: dt.datetime,
    key_id: str,
    used: Sequence[str],
) -> Refusal | None:
    """Why this approval does not count; None when it does. Its signature was looked at before."""
    person = day.person(approval.who)
    if person is None:
        return Refusal(f"{approval.who} is no participant of {day.name}")
    if not person.key_id:
        return Refusal(f"{person.name} has no approval key in gameday.yaml")
    if key_id != person.key_id:
        return Refusal(f"forged: it is not signed with the key of {person.name}")
    if approval.nonce in used:
        return Refusal("replayed: this approval was handed in before")
    if approval.day != day.name:
        return Refusal(f"it is for the day {approval.day}, not for {day.name}")
    if approval.plan_digest != day.digest:
        return Refusal(
            f"it is for another plan: gameday.yaml was {approval.plan_digest[:12]}, "
            f"and is {day.digest[:12]}"
        )
    if instant(approval.expires_utc) <= now:
        return Refusal(f"expired at {approval.expires_utc}")
    if approval.who == day.requested_by:
        return Refusal(f"{approval.who} asked for the day, and cannot approve it too")
    if approval.action != day.action:
        return Refusal(f"it is for the action {approval.action}, not for {day.action}")
    unknown = [s for s in approval.scenarios if day.step(s) is None]
    if unknown or not approval.scenarios:
        return Refusal(f"it names no scenario of the day: {', '.join(unknown) or 'none at all'}")
    return _refused_role(approval, day, policy)


def _refused_role(approval: Approval, day: GameDay, policy: Policy) -> Refusal | None:
    person = day.person(approval.who)
    assert person is not None
    allowed = roles_for(day.action, policy)
    absent = day.absent_in(approval.scenarios)
    if allowed & day.roles_of(person, absent):
        return None
    if person.role in absent and person.role in allowed:
        deputies = ", ".join(day.deputies(person.role)) or "nobody: name one in gameday.yaml"
        where = ", ".join(approval.scenarios)
        why = f"{person.role} is absent in {where}; deputy: {deputies}"
        return Refusal(why, absent=person.role)
    told = ", ".join(sorted(allowed)) or "nobody: targets.yaml declares no such action"
    return Refusal(f"the role {person.role} may not approve {day.action}; who may: {told}")


def roles_for(action: str, policy: Policy) -> frozenset[str]:
    """Who may approve an action, by targets.yaml."""
    return frozenset(role for a in policy.approvals if a.action == action for role in a.roles)


def acting_role(day: GameDay, who: str, allowed: frozenset[str], absent: frozenset[str]) -> str:
    """In which role somebody acts: the own one first, else the one that they deputise."""
    person = day.person(who)
    if person is None:
        return ""
    held = allowed & day.roles_of(person, absent)
    return person.role if person.role in held else min(held, default="")


def refused_answer(day: GameDay, role: str, who: str, steps: tuple[str, ...]) -> Refusal | None:
    """Why somebody may not answer for a role."""
    person = day.person(who)
    if person is None:
        return Refusal(f"{who} is no participant of {day.name}")
    absent = day.absent_in(steps)
    if role in day.roles_of(person, absent):
        return None
    deputies = ", ".join(day.deputies(role)) or "nobody: name one in gameday.yaml"
    if person.role == role:
        return Refusal(f"{role} is absent; deputy: {deputies}", absent=role)
    return Refusal(f"this is for {role} to answer, and {who} is {person.role}")


def standing_approvals(
    day: GameDay, state: DayState, step: str, now: dt.datetime
) -> tuple[Approved, ...]:
    """Of different people, for this plan and this scenario, and not expired."""
    counted: dict[str, Approved] = {}
    for given in state.approvals:
        told = given.approval
        holds = told.plan_digest == day.digest and instant(told.expires_utc) > now
        if holds and step in told.scenarios:
            counted[told.who] = given
    return tuple(counted.values())


def lacking_approvals(
    day: GameDay, state: DayState, *, now: dt.datetime, disposable: bool
) -> tuple[str, ...]:
    """A sentence for every scenario that still has to be approved."""
    needed = approvals_needed(day, disposable=disposable)
    if needed and not day.action:
        return (NO_ACTION,)
    told = []
    for planned in day.scenarios:
        if state.step(planned.step).is_over:
            continue
        have = len(standing_approvals(day, state, planned.step, now))
        if have < needed:
            people = "1 approval" if needed == 1 else f"{needed} approvals by different people"
            told.append(f"{planned.step} needs {people} for {day.action}, and has {have}")
    return tuple(told)


def freeze_at(policy: Policy, now: dt.datetime) -> Freeze | None:
    """The trading freeze that holds now."""
    return next(
        (f for f in policy.freezes if instant(f.begins_utc) <= now < instant(f.ends_utc)), None
    )


def into_a_freeze(policy: Policy, now: dt.datetime, lasts_s: float) -> tuple[str, ...]:
    """Why what begins now would still break something when a freeze begins."""
    until = now + dt.timedelta(seconds=lasts_s)
    return tuple(
        f"trading freeze {f.name} begins at {f.begins_utc}, and this drill may last until "
        f"{written(until)}"
        for f in policy.freezes
        if now < instant(f.begins_utc) < until
    )


def outside(day: GameDay, policy: Policy, now: dt.datetime) -> tuple[str, ...]:
    """Why nothing may start at this hour."""
    told = []
    frozen = freeze_at(policy, now)
    if frozen is not None:
        told.append(
            f"trading freeze {frozen.name} until {frozen.ends_utc}: nothing is broken in it"
        )
    if not any(window.holds(now) for window in day.windows):
        told.append("outside the windows of gameday.yaml")
    return tuple(told)


def unanswered(day: GameDay, state: DayState) -> tuple[str, ...]:
    """Questions without an answer, or with the wrong one."""
    told = []
    for check in day.checks:
        if check.kind != QUESTION:
            continue
        given = state.answer(check.check)
        if given is None:
            told.append(f"{check.check} is not answered by {check.role}: {check.ask}")
        elif given.said is not check.wanted:
            told.append(
                f"{check.check} was answered {'yes' if given.said else 'no'} by {given.who}"
            )
    return tuple(told)


def untold(
    day: GameDay, state: DayState, when: Timing, step: str = ""
) -> tuple[Communication, ...]:
    """Whom nobody has told yet, of those who are to be told at this point."""
    due = (c for c in day.communications if c.when is when and c.scenario in {"", step})
    return tuple(c for c in due if not _was_told(state, told_key(c, step)))


def _was_told(state: DayState, key: str) -> bool:
    given = state.answer(key)
    return given is not None and given.said


def told_key(communication: Communication, step: str) -> str:
    """Of "I told them": once a day, or once a scenario.

    >>> stores = Communication("stores", Timing.BEFORE_SCENARIO, "stores", "phone", "...", "lead")
    >>> told_key(stores, "1-node-loss")
    'stores@1-node-loss'
    """
    once = communication.when in {Timing.BEFORE_DAY, Timing.AFTER_DAY}
    return communication.name if once else f"{communication.name}@{step}"


def missing_for_go(
    day: GameDay, policy: Policy, state: DayState, *, now: dt.datetime, disposable: bool
) -> tuple[str, ...]:
    """Everything that people still have to do before `start` may start. Measuring comes after."""
    told = [f"{c.name}: {c.by} tells {c.whom} by {c.channel}" for c in
            untold(day, state, Timing.BEFORE_DAY)]  # fmt: skip
    return (
        *outside(day, policy, now),
        *lacking_approvals(day, state, now=now, disposable=disposable),
        *unanswered(day, state),
        *(f"nobody has confirmed {text}" for text in told),
    )


def missing_for_step(
    day: GameDay,
    policy: Policy,
    state: DayState,
    planned: PlannedScenario,
    *,
    now: dt.datetime,
    disposable: bool,
    lasts_s: float = 0.0,
) -> tuple[str, ...]:
    """What holds this scenario up, on a day that goes on. `lasts_s`: how long it may take."""
    lacking = lacking_approvals(day, state, now=now, disposable=disposable)
    waiting = untold(day, state, Timing.BEFORE_SCENARIO, planned.step)
    return (
        *outside(day, policy, now),
        *into_a_freeze(policy, now, lasts_s),
        *(text for text in lacking if text.startswith((f"{planned.step} ", NO_ACTION))),
        *(f"nobody has confirmed {told_key(c, planned.step)}: {c.by} tells {c.whom} by {c.channel}"
          for c in waiting),
    )  # fmt: skip


def measured_checks(day: GameDay) -> tuple[GoCheck, ...]:
    return tuple(c for c in day.checks if c.kind != QUESTION)
