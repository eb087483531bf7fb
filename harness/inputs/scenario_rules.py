"""What a scenario must say, checked before anything is planned; errors name the keyword's line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from harness.core import checks
from harness.core.scenario import FaultSpec, LoadShape, RecoverySpec, Scenario
from harness.core.shapes import REPLAY
from harness.errors import BadInput
from harness.inputs.shape import shape_names
from harness.inputs.words import did_you_mean, shown
from harness.platforms.capabilities import NAMES as CAPABILITIES
from harness.recovery.registry import ALL_NAMES, AUTOMATIC, NAMES

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_CLOCKS = ("fault", "outage")
_LONGEST_STEP_S = 24 * 3600


def check_scenario(scenario: Scenario, file: Path, text: str) -> None:
    """Raise BadInput for the first thing that is wrong."""
    blame = _Blame(file, keyword_lines(text))
    blame.name(scenario.name, "name")
    if not isinstance(scenario.owner, str) or not scenario.owner.strip():
        raise blame.bad("owner", "must name the team that answers for this claim")
    if not isinstance(scenario.story, str):
        raise blame.bad("story", f"must be text, not {shown(scenario.story)}")
    _check_parts(scenario, blame)
    _check_checks(scenario, blame)
    blame.subset(scenario.requires, CAPABILITIES, "requires", "capability")
    for tag in scenario.tags:
        blame.name(tag, "tags")
    if scenario.rto_clock not in _CLOCKS:
        raise blame.bad("rto_clock", f"{shown(scenario.rto_clock)} is not known", _CLOCKS)
    if not isinstance(scenario.degraded_mode, bool):
        raise blame.bad("degraded_mode", "must be True or False")


def _check_parts(scenario: Scenario, blame: _Blame) -> None:
    load, fault, recovery = scenario.load, scenario.fault, scenario.recovery
    if not isinstance(load, LoadShape):
        raise blame.bad("load", f'must be load("weekend-promotion") or alike, not {shown(load)}')
    if load.csv:
        blame.subset([load.name], (REPLAY,), "load", "load shape with a csv")
    else:
        blame.subset([load.name], shape_names(), "load", "load shape")
    if not isinstance(fault, FaultSpec):
        raise blame.bad("fault", f'must be experiment("node-loss", ...), not {shown(fault)}')
    blame.name(fault.experiment, "fault")
    for key, value in fault.parameters:
        if not isinstance(value, str):
            raise blame.bad("fault", f"{key} must be text, not {shown(value)}")
    _check_recovery(recovery, blame, "recovery", ALL_NAMES)
    if scenario.failback is not None:  # nothing goes back by itself
        _check_recovery(scenario.failback, blame, "failback", NAMES)


def _check_recovery(spec: object, blame: _Blame, key: str, names: tuple[str, ...]) -> None:
    if not isinstance(spec, RecoverySpec):
        meant = "automatic(within_s=...)" if AUTOMATIC in names else 'runbook("...", within_s=...)'
        raise blame.bad(key, f"must be {meant}, not {shown(spec)}")
    blame.subset([spec.runbook], names, key, "runbook")
    for name, value in spec.parameters:
        if not isinstance(value, str):
            raise blame.bad(key, f"{name} must be text, not {shown(value)}")
    within_s = spec.within_s
    if isinstance(within_s, bool) or not isinstance(within_s, int):
        raise blame.bad(key, f"within_s must be whole seconds, not {shown(within_s)}")
    if not 0 < within_s <= _LONGEST_STEP_S:
        raise blame.bad(key, f"within_s must be in 1..{_LONGEST_STEP_S}, not {within_s}")


def _check_checks(scenario: Scenario, blame: _Blame) -> None:
    if not scenario.checks:
        raise blame.bad("checks", "must not be empty", tuple(checks.ALL))
    for check in scenario.checks:
        if not isinstance(check, checks.Check):
            raise blame.bad("checks", f"{shown(check)} is no check", _spelled_checks())
        if checks.ALL.get(check.name) != check:
            raise blame.bad("checks", f"{shown(check.name)} is not known", _spelled_checks())
    if len(set(scenario.checks)) < len(scenario.checks):
        raise blame.bad("checks", "names a check twice")


def _spelled_checks() -> tuple[str, ...]:
    return tuple(f"checks.{name.replace('-', '_')}" for name in checks.ALL)


class _Blame:
    """Errors that point at the keyword of `scenario = Scenario(...)`."""

    def __init__(self, file: Path, lines: dict[str, int]) -> None:
        self._file, self._lines = file, lines

    def bad(self, key: str, what: str, allowed: tuple[str, ...] = ()) -> BadInput:
        line = self._lines.get(key, self._lines.get(""))
        return BadInput(self._file, what, line=line, key=key, allowed=allowed)

    def name(self, value: object, key: str) -> None:
        if not isinstance(value, str) or not _NAME.match(value):
            raise self.bad(key, f"must be small letters and hyphens, not {shown(value)}")

    def subset(self, values: Iterable[object], names: tuple[str, ...], key: str, what: str) -> None:
        for value in sorted(values, key=str):
            if value not in names:
                mean = did_you_mean(str(value), names)
                raise self.bad(key, f"{shown(value)} is no {what}{mean}", names)


def keyword_lines(text: str) -> dict[str, int]:
    """Keyword -> line of the call that is assigned to `scenario`; "" is the call itself."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign):
            targets: list[ast.expr] = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if "scenario" in names and isinstance(node.value, ast.Call):
            lines = {k.arg: k.value.lineno for k in node.value.keywords if k.arg}
            return {"": node.lineno, **lines}
    return {}
