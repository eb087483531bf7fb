"""What a drill asked of the platform, beside its rate, RTO and RPO: told in words, and compared.

A scenario keeps its name when its file is edited, and targets.yaml its name when a limit is made
looser. Runs of before then answer another question, and have to say so.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.scenario import RecoverySpec, Scenario
from harness.core.targets import WorkloadTarget

JUDGE = "v1"  # whose verdicts are put together; another judge may mean something else by a word
Method = tuple[tuple[str, str], ...]
Bars = tuple[tuple[str, float], ...]


def method_of(scenario: Scenario) -> Method:
    """How it is broken, loaded, repaired and judged.

    >>> from harness.core.scenario import automatic, experiment, load
    >>> dict(method_of(Scenario("a", "o", load("steady"), experiment("node-loss", node="primary"),
    ...     automatic(within_s=120), checks=[], requires={"nodes"})))["fault parameters"]
    'node=primary'
    """
    told = {
        "fault parameters": _parameters(scenario.fault.parameters),
        "load": f"{scenario.load.name} {scenario.load.csv}".strip(),
        "recovery": _recovery(scenario.recovery),
        "failback": _recovery(scenario.failback) if scenario.failback else "none",
        "set of checks": ", ".join(sorted(check.name for check in scenario.checks)),
        "clock of the RTO": scenario.rto_clock,
        "degraded mode": "yes" if scenario.degraded_mode else "no",
    }
    return tuple(sorted(told.items()))


def bars_of(target: WorkloadTarget) -> Bars:
    """When an answer was a good one, and what may be lost; None is a limit that is not there."""
    told = {
        "latency_limit_s": target.latency_limit_s,
        "staleness_s": target.staleness_s,
        "min_capacity": target.min_capacity,
        "lost_max": target.lost_max,
    }
    return tuple(sorted((name, float(v)) for name, v in told.items() if v is not None))


def another(found: Iterable[tuple[str, object]], asked: Iterable[tuple[str, object]]) -> str:
    """The first thing in which they differ; "" where none, or where either does not say.

    >>> another((("load", "steady"),), (("load", "flash-sale"),))
    'another load: steady, asked for flash-sale'
    >>> another((), (("load", "flash-sale"),))
    ''
    """
    then, now = dict(found), dict(asked)
    if not then or not now:
        return ""
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            told = [_shown(values.get(name)) for values in (then, now)]
            return f"another {name}: {told[0]}, asked for {told[1]}"
    return ""


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)


def _parameters(parameters: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(parameters)) or "none"


def _recovery(spec: RecoverySpec) -> str:
    more = f" ({_parameters(spec.parameters)})" if spec.parameters else ""
    return f"{spec.runbook} within {spec.within_s} s{more}"
