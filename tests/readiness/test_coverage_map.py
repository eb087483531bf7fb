"""The map of what no drill covers: what breaks counts, and leaning on a part does not."""

from __future__ import annotations

import pytest
from readiness_samples import ALL, POLICY, claim, found, run, scenario, void

from harness.core.readiness.coverage import (
    _BREAKS,
    ABILITIES,
    COMPONENTS,
    FAILURE_MODES,
    Covered,
    breaks,
    covered,
    tenants_covered,
)
from harness.core.scenario import experiment
from harness.core.verdict import Verdict
from harness.inputs.scenario_file import read_scenario, scenario_files
from harness.platforms.capabilities import NAMES

CATALOGUE = {entry.name for entry in (*COMPONENTS, *FAILURE_MODES)}


def line(name: str, lines: tuple[Covered, ...]) -> Covered:
    return next(c for c in lines if c.name == name)


def test_every_capability_has_its_line_or_is_no_part() -> None:
    assert set(NAMES) <= {entry.capability for entry in COMPONENTS} | set(ABILITIES)


def test_a_name_stands_once_and_the_table_knows_no_other() -> None:
    assert len(CATALOGUE) == len(COMPONENTS) + len(FAILURE_MODES)
    assert {name for names in _BREAKS.values() for name in names} <= CATALOGUE


def test_every_shipped_scenario_breaks_something() -> None:
    for file in scenario_files().values():
        assert breaks(read_scenario(file).scenario), file.name


def test_what_is_only_leaned_on_is_not_covered() -> None:
    made = found([run()])
    ingress = line("ingress", made.components)
    assert (ingress.word, ingress.leaning) == ("no drill", ("node-loss",))
    assert line("nodes", made.components).word == "drilled"
    assert line("region-disruption", made.failure_modes).word == "no drill"
    assert made.components[0].word == "no drill"


def test_a_scenario_that_never_ran_fit_covers_nothing_yet() -> None:
    for runs in ([], [run("2027-09-20T10:00:00Z", *map(void, ALL))], [run(fault="null")]):
        nodes = line("nodes", found(runs).components)
        assert (nodes.word, nodes.scenarios, nodes.last_run) == ("never run", ("node-loss",), "")


@pytest.mark.parametrize(
    ("given", "name", "word"),
    [
        (scenario(fault=experiment("node-loss", node="standby")), "database-standby", True),
        (scenario(fault=experiment("node-loss", node="standby")), "database", False),
        (scenario("cut", tags={"network-cut", "peak"}), "network-cut", True),
        (scenario("odd"), "nodes", False),
        (scenario("db", fault=experiment("command", command="database-stop")), "database", True),
        (scenario("db", fault=experiment("command", command="other")), "database", False),
    ],
)
def test_a_parameter_or_a_tag_says_what_breaks(given: object, name: str, word: bool) -> None:
    assert (name in breaks(given)) is word  # type: ignore[arg-type]


def test_the_newest_fit_run_is_named() -> None:
    runs = [run("2027-09-01T10:00:00Z"), run("2027-09-05T10:00:00Z"), run("2027-09-03T10:00:00Z")]
    last = line("nodes", covered(COMPONENTS, [scenario()], runs))
    assert (last.last_utc, last.last_release) == ("2027-09-05T10:00:00Z", "2027.9.0")


def test_tenants_by_their_own_runs() -> None:
    runs = [run(tenant="north"), run(tenant="south", verdict=Verdict.INVALID)]
    made = found(runs, [claim()])
    north, south = line("north", made.tenants), line("south", made.tenants)
    assert (north.word, south.word) == ("drilled", "no drill")
    assert tenants_covered(POLICY.tenants, [scenario()], []) == tuple(
        Covered(t, f"Tenant {t}", (), "", "", "") for t in POLICY.tenants
    )
