"""The kept season of real drills: readiness against a computation of its own, from raw JSON."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from scipy.stats import binom

from harness.core.instants import days_after
from harness.core.policy import Policy, Season
from harness.core.readiness.cells import Claim
from harness.core.readiness.matrix import Readiness, readiness
from tests.season.data import KeptRun, outcomes, runs

SEASON = Season("black-friday", "2027-11-22", "2027-11-30")
RELEASES = sorted({run.plan.release for run in runs()})
# what several words come to, the gravest first
GRAVE = (("missed", "missed"), ("inconclusive", "inconclusive"), ("met", "met (smoke)"))


def computed(release: str) -> Readiness:
    newest = {run.plan.scenario.name: run.plan for run in runs()}
    claims = [Claim(plan.scenario, plan.targets) for _, plan in sorted(newest.items())]
    now = days_after(max(run.head.begun_utc for run in runs()), 1)
    return readiness(outcomes(), claims, Policy(), season=SEASON, now_utc=now, release=release)


def raw(run: KeptRun) -> tuple[dict, dict]:  # type: ignore[type-arg]
    return json.loads(run.files["plan.json"]), json.loads(run.files["verdict.json"])


def words(run: KeptRun) -> dict[str, str]:
    """Column -> verdict, by the files alone."""
    _, verdict = raw(run)
    found = {w["workload"]: w["verdict"] for w in verdict["workloads"]}
    across = [f["verdict"] for f in verdict["findings"] if f["workload"] is None]
    order = ("missed", "invalid", "inconclusive", "met")
    found["platform-wide"] = next((v for v in order if v in across), "inconclusive")
    return found


def facts_of(release: str) -> dict:  # type: ignore[type-arg]
    """What the platform of the release's newest run said of itself."""
    plans = [raw(run)[0] for run in runs()]
    return [plan["platform"] for plan in plans if plan["release"] == release][-1]  # type: ignore[no-any-return]


def expected(release: str) -> dict[tuple[str, str], str]:
    """Plain loops over plain JSON; nothing of ours but the names of the states."""
    facts = facts_of(release)
    own, any_ = defaultdict(list), defaultdict(list)
    for run in runs():
        plan, _ = raw(run)
        assert plan["size"] == "smoke"
        for column, word in words(run).items():
            key = (plan["scenario"]["name"], column)
            if word in {"met", "missed", "inconclusive"}:
                any_[key].append(word)
                if plan["release"] == release and plan["platform"] == facts:
                    own[key].append(word)
            else:
                any_[key] += []
    made = {}
    for key, seen in any_.items():
        states = [state for word, state in GRAVE if word in own[key]]
        made[key] = states[0] if states else "expired" if seen else "never tested"
    return made


@pytest.mark.parametrize("release", RELEASES)
def test_every_cell_is_what_the_files_say(release: str) -> None:
    found = computed(release)
    wanted = expected(release)
    assert {(c.scenario, c.column): c.state.value for c in found.cells} == wanted
    assert found.verdict.value == ("missed" if "missed" in wanted.values() else "inconclusive")
    assert found.answer.startswith("Not ready for black-friday: 0 of ")


@pytest.mark.parametrize("release", RELEASES)
def test_the_runs_behind_a_clean_cell_and_what_they_claim(release: str) -> None:
    for cell in computed(release).cells:
        if cell.state.value != "met (smoke)":
            assert cell.quantile is None
            continue
        behind = [
            run
            for run in runs()
            if (run.plan.release, run.plan.scenario.name) == (release, cell.scenario)
            and raw(run)[0]["platform"] == facts_of(release)
            and words(run)[cell.column] == "met"
        ]
        assert cell.runs == len(behind)
        assert cell.run_id == max(run.name for run in behind)
        assert cell.quantile is not None
        assert binom.pmf(cell.runs, cell.runs, cell.quantile) == pytest.approx(0.05)


def test_the_slowest_of_every_release() -> None:
    slowest = defaultdict(int)
    counted = defaultdict(int)
    for run in runs():
        plan, verdict = raw(run)
        for w in verdict["workloads"]:
            if w["rto"] and w["verdict"] not in {"invalid", "error"}:
                key = (plan["scenario"]["name"], w["workload"], plan["release"])
                counted[key] += 1
                high = w["rto"]["high_ns"]
                slowest[key] = max(slowest[key], 2**62 if high is None else high)
    drawn = {
        (s.scenario, s.workload, p.release): (len(p.runs), p.slowest.high_ns or 2**62)
        for s in computed(RELEASES[0]).trend
        for p in s.points
    }
    assert drawn == {key: (counted[key], slowest[key]) for key in slowest}
