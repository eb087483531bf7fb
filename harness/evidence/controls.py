"""Which clauses the runs of a period speak for, run by run; and which they do not.

Only what was tried counts, only by a run whose bytes and numbers hold, and never beyond what it
was: a drill on a stand-in application says nothing of production, a smoke run is no full one, and
both are said beside the claim. Nothing here interprets the law: an auditor does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.core.verdict import Verdict

_ATTACKS = frozenset({"ransomware", "credential-compromise"})
_SWITCHES = frozenset({"node-loss", "page-corruption"})
_CLEAN_ROOM = "clean-room"
_SEGREGATED = ("environment-clean", "restored-wanted", "backup-chosen")
_RECONCILED = "stores-agree"
_FIT = frozenset({Verdict.MET, Verdict.MISSED})
_LOOKS = 2  # reconciliations after the recovery: at once, and after replay and settling


@dataclass(frozen=True, slots=True)
class Shown:
    """One run of the period, as far as a clause may rest on it."""

    run_id: str
    begun_utc: str
    scenario: str
    fault: str
    runbook: str
    platform: str
    heading: str  # "stand-in application"
    unproven: bool
    size: str
    verdict: Verdict
    checks: tuple[tuple[str, Verdict], ...]
    looks: int  # complete read-backs of the stores after the recovery
    sound: bool  # signed, and every byte and number that can be looked at holds

    def met(self, check: str) -> bool:
        return dict(self.checks).get(check) is Verdict.MET


@dataclass(frozen=True, slots=True)
class Day:
    """One game day whose folder is in the bundle."""

    name: str
    closed_utc: str  # "" while it has no post-exercise report


class Status(StrEnum):
    SHOWN = "shown"
    NOT_MET = "tested, not met"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that a clause asks for, and what the period has to say to it."""

    clause: str
    asks: str
    status: Status
    limits: tuple[str, ...]  # of every run that shows it: as far as the claim goes, and no farther
    showing: int  # how many of the runs show it
    runs: tuple[str, ...]  # that tried it, one sentence each
    beyond: str  # what these runs do not show of it


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a clause asks for, which runs tried it, and when one of them shows it."""

    clause: str
    asks: str
    tries: Callable[[Shown], bool]
    shows: Callable[[Shown], bool]
    beyond: str


def _any(run: Shown) -> bool:
    return run.verdict in _FIT


def _is_met(run: Shown) -> bool:
    return run.verdict is Verdict.MET


def _restored_segregated(run: Shown) -> bool:
    return _is_met(run) and all(run.met(check) for check in _SEGREGATED)


def _reconciled(run: Shown) -> bool:
    return _is_met(run) and run.met(_RECONCILED) and run.looks >= _LOOKS


_ISO, _DORA = "ISO 22301:2019", "DORA (EU) 2022/2554"
_RULES = (
    _Rule(
        clause=f"{_ISO}, 8.5",
        asks="exercises and tests of the continuity procedures",
        tries=_any,
        shows=_any,
        beyond="that they cover every procedure, and when they were planned: see readiness",
    ),
    _Rule(
        clause=f"{_DORA}, 11(6)",
        asks="tests with scenarios of cyber-attacks",
        tries=lambda run: run.fault in _ATTACKS,
        shows=_is_met,
        beyond="an attack by people, and the test of crisis communication",
    ),
    _Rule(
        clause=f"{_DORA}, 11(6)",
        asks="tests of switchovers between the primary infrastructure and redundant capacity",
        tries=lambda run: run.fault in _SWITCHES,
        shows=_is_met,
        beyond="a switchover to redundant facilities: both nodes stand in one place",
    ),
    _Rule(
        clause=f"{_DORA}, 12(3)",
        asks="backups restored on systems that are segregated from the source",
        tries=lambda run: run.runbook == _CLEAN_ROOM,
        shows=_restored_segregated,
        beyond="physical segregation: the new environment shared a machine with the old one "
        "wherever the platform is embedded",
    ),
    _Rule(
        clause=f"{_DORA}, 12(7)",
        asks="multiple checks and reconciliations of the data after a recovery",
        tries=lambda run: dict(run.checks).get(_RECONCILED) is not None,
        shows=_reconciled,
        beyond="reconciliation with stakeholders outside the platform and its partners",
    ),
)


def mapping(runs: Sequence[Shown], days: Sequence[Day]) -> tuple[Control, ...]:
    """Every clause; the ones that nothing was tried for say so."""
    exercises, *others = (_judged(rule, runs) for rule in _RULES)
    return (exercises, _reports_of_days(days), *others)


def _judged(rule: _Rule, runs: Sequence[Shown]) -> Control:
    """Runs that tried it and were fit to judge; it is shown where one of them shows it."""
    tried = [run for run in runs if run.sound and run.verdict in _FIT and rule.tries(run)]
    showing = [_limits(run) for run in tried if rule.shows(run)]
    status = Status.NOT_MET if tried else Status.NOT_SHOWN
    if showing:
        status = Status.SHOWN
    shared = [limit for limit in (showing or [()])[0] if all(limit in one for one in showing)]
    told = tuple(_sentence(run, shows=rule.shows(run)) for run in tried)
    return Control(rule.clause, rule.asks, status, tuple(shared), len(showing), told, rule.beyond)


def _sentence(run: Shown, *, shows: bool) -> str:
    """What a run says to a clause, and how little it is."""
    told = f"{run.run_id} ({run.begun_utc[:10]}): {run.scenario} on {run.platform}, {run.verdict}"
    if not shows:
        told += ", does not show it"
    return "; ".join([told, *_limits(run)])


def _limits(run: Shown) -> tuple[str, ...]:
    limits = []
    if run.heading:
        limits.append(f"{run.heading}: no proof of production")
    if run.size != "full":
        limits.append(f"{run.size} size: no proof at full length")
    if run.unproven:
        limits.append("an unproven platform adapter: nothing is claimed by it")
    return tuple(limits)


def _reports_of_days(days: Sequence[Day]) -> Control:
    closed = [day for day in days if day.closed_utc]
    return Control(
        clause=f"{_ISO}, 8.5",
        asks="formal post-exercise reports with outcomes, recommendations and actions",
        status=Status.SHOWN if closed else Status.NOT_SHOWN,
        limits=(),
        showing=len(closed),
        runs=tuple(f"game day {d.name}, closed {d.closed_utc}: gameday-{d.name}/" for d in closed),
        beyond="that management reviewed the reports",
    )
