"""Readiness of this moment: the scenarios that exist, the targets, the history, put together.

The one place where the pure matrix meets files. The clock is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.core.instants import is_before
from harness.core.outcome import Outcome
from harness.core.policy import Policy, Season
from harness.core.readiness.cells import Claim
from harness.core.readiness.matrix import Readiness, readiness
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.history import Filter


class Outcomes(Protocol):
    """What is needed of a history."""

    def outcomes(self, asked: Filter, /) -> tuple[Outcome, ...]: ...


def readiness_now(
    history: Outcomes,
    *,
    targets_file: Path | None,
    season: str | None,
    now_utc: str,
    release: str | None = None,
    tenant: str = "",
) -> Readiness:
    """`season` None: the one that the targets declare as now, else the next one.

    Raises UsageError where there is no such season, BadInput where a file is wrong.
    """
    from harness.history import Filter
    from harness.inputs.policy_file import read_policy

    policy = read_policy(targets_file)
    found = history.outcomes(Filter())
    asked = _season(policy, season, now_utc)
    return readiness(
        found,
        claims(targets_file, asked.name, tenant, {o.season for o in found}),
        policy,
        season=asked,
        now_utc=now_utc,
        tenant=_tenant(policy, tenant, found),
        release=release,
    )


def claims(
    targets_file: Path | None, season: str, tenant: str, others: Iterable[str] = ()
) -> tuple[Claim, ...]:
    """Every scenario that exists, with what the season asks of it, the nightly ones and the rest.

    `others`: seasons in which runs were made; what the file declares for them tells what those
    runs were judged by.
    """
    from harness.inputs.scenario_file import read_scenario, scenario_files
    from harness.inputs.targets_file import read_targets

    made = []
    for _, file in sorted(scenario_files().items()):
        scenario = read_scenario(file).scenario
        targets = read_targets(targets_file, scenario=scenario.name, season=season, tenant=tenant)
        declared = tuple(
            read_targets(targets_file, scenario=scenario.name, season=other, tenant=tenant)
            for other in sorted(set(others) - {season})
        )
        made.append(Claim(scenario, targets, declared))
    return tuple(made)


def _season(policy: Policy, asked: str | None, now_utc: str) -> Season:
    """By its name, or the next one. A name that nobody declared is a slip of the pen."""
    name = asked if asked is not None else policy.season
    if not name:
        coming = [s for s in policy.seasons if is_before(now_utc, f"{s.ends}T23:59:59Z")]
        if not coming:
            raise UsageError(
                "the targets declare no season that is still to come",
                next_step="name it with --season, and its days under `seasons` in targets.yaml",
            )
        return min(coming, key=lambda s: (s.begins, s.name))
    found = policy.season_of(name)
    if found is None and name == policy.season:
        return Season(name, "", "")
    if found is None:
        there = ", ".join(s.name for s in policy.seasons) or "none"
        raise UsageError(
            f"the targets declare no season {name!r}; there are: {there}",
            next_step="write its days under `seasons` in targets.yaml",
        )
    return found


def _tenant(policy: Policy, asked: str, found: Iterable[Outcome]) -> str:
    if asked and asked not in {*policy.tenants, *(o.tenant for o in found)}:
        there = ", ".join(policy.tenants) or "none"
        raise UsageError(
            f"neither the targets nor any run name the tenant {asked!r}; there are: {there}",
            next_step="check --tenant",
        )
    return asked
