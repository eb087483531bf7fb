"""targets.yaml: what is read, what is refused with file, line and key, and which override wins."""

from pathlib import Path

import pytest

from harness.core.operation import Workload
from harness.core.targets import Targets
from harness.errors import BadInput, UsageError
from harness.inputs import places
from harness.inputs.targets_file import find_targets, read_targets

EXAMPLE = places.SHIPPED / "targets.yaml"

SMALL = """\
workloads:
  order-capture:
    tier: critical
    owner: commerce
    rto_s: 60
    rpo_s: 0
    latency_limit_s: 2
    rate_per_s: 10
  finance-reporting:
    tier: medium
    owner: finance
    rto_s: 900
    rpo_s: 300
    latency_limit_s: 10
    rate_per_s: 1
"""


@pytest.fixture
def read(tmp_path: Path):
    def reader(text: str, **context: str) -> Targets:
        file = tmp_path / "targets.yaml"
        file.write_text(text)
        return read_targets(file, **context)

    return reader


def test_the_example_holds_what_the_readme_says() -> None:
    targets = read_targets(EXAMPLE, scenario="node-loss")
    assert [t.workload for t in targets.workloads] == list(Workload)
    assert [t.rto_s for t in targets.workloads] == [60, 60, 60, 120, 120, 900]
    assert [t.rpo_s for t in targets.workloads] == [0, 0, 0, 0, 0, 300]
    assert [t.lost_max for t in targets.workloads] == [0, 0, 0, 0, 0, None]
    assert [t.staleness_s for t in targets.workloads] == [0, 0, 0, 0, 0, 60]
    assert targets.workloads[0].revenue_per_operation_cents == 4800
    assert targets.approvals[0].roles == ("platform",)


def test_the_example_is_longer_for_logical_corruption() -> None:
    targets = read_targets(EXAMPLE, scenario="logical-corruption")
    orders = targets.workloads[0]
    assert (orders.rto_s, orders.rpo_s, orders.lost_max) == (600, 300, None)


def test_defaults(read) -> None:
    orders, finance = read(SMALL).workloads
    assert (orders.lost_max, finance.lost_max) == (0, None)
    assert (orders.staleness_s, finance.staleness_s) == (0, 60)
    assert orders.canary_per_s == 10
    assert orders.min_capacity == 1
    assert read(SMALL).currency == "EUR"


def test_reports_keep_their_order_whatever_the_file_says(read) -> None:
    head, _, rest = SMALL.partition("  finance-reporting:\n")
    first = "workloads:\n  finance-reporting:\n" + rest
    swapped = first + head.removeprefix("workloads:\n")
    assert [t.workload.value for t in read(swapped).workloads] == [
        "order-capture",
        "finance-reporting",
    ]


def test_not_applicable_needs_a_reason(read) -> None:
    bare = SMALL.replace("rpo_s: 300", "rpo_s: not_applicable")
    with pytest.raises(BadInput, match=r"targets\.yaml:13: .*rpo_s: .*reason"):
        read(bare)
    targets = read(bare.replace("rate_per_s: 1\n", "rate_per_s: 1\n    reason: reads only\n"))
    assert targets.workloads[1].rpo_s is None
    assert targets.workloads[1].lost_max is None
    assert targets.workloads[1].rpo_not_applicable_reason == "reads only"


WRONG = {
    "unknown workload": ("order-capture:", "order-captur:", 2, "did you mean order-capture?"),
    "unknown workload, allowed": ("order-capture:", "tills:", 2, "allowed: order-capture, point"),
    "negative RTO": ("rto_s: 60", "rto_s: -60", 5, "rto_s: must be greater than 0, not -60"),
    "zero RTO": ("rto_s: 60", "rto_s: 0", 5, "must be greater than 0"),
    "RTO of a year": ("rto_s: 60", "rto_s: 31536000", 5, "must be at most"),
    "RTO as text": ("rto_s: 60", "rto_s: '60'", 5, "must be a number, not '60'"),
    "RTO with a unit": ("rto_s: 60", "rto_s: 1 min", 5, "must be a number, not '1 min'"),
    "RTO yes": ("rto_s: 60", "rto_s: true", 5, "must be a number, not true"),
    "RTO infinite": ("rto_s: 60", "rto_s: 1e999", 5, "finite"),
    "RTO without value": ("rto_s: 60", "rto_s:", 5, "without a value"),
    "RTO as a list": ("rto_s: 60", "rto_s: [60]", 5, "must be a number, not a list"),
    "slip of the finger": ("rto_s: 60", "rto: 60", 5, "rto: is not known (did you mean rto_s?)"),
    "missing key": ("    rto_s: 60\n", "", 2, "order-capture.rto_s: is missing"),
    "unknown tier": ("tier: critical", "tier: vital", 3, "allowed: critical, high, medium, low"),
    "negative RPO": ("rpo_s: 0", "rpo_s: -1", 6, "must be at least 0, not -1"),
    "RPO soon": ("rpo_s: 0", "rpo_s: soon", 6, "must be a number or not_applicable"),
    "half an order": ("rpo_s: 0", "rpo_s: 0\n    lost_max: 0.5", 7, "must be a whole number"),
    "no rate": ("rate_per_s: 10", "rate_per_s: 0", 8, "must be greater than 0"),
    "third of a cent": (
        "rate_per_s: 10",
        "rate_per_s: 10\n    revenue_per_operation: 0.333",
        9,
        "two decimals",
    ),
    "capacity over 1": ("rate_per_s: 10", "rate_per_s: 10\n    min_capacity: 2", 9, "at most 1"),
    "nobody owns it": ("owner: commerce", "owner: ''", 4, "must not be empty"),
    "reason for nothing": ("rpo_s: 0", "rpo_s: 0\n    reason: none", 7, "belongs to rpo_s"),
    "not a mapping": ("workloads:\n", "workloads: [\n", None, "is not YAML"),
    "a list of workloads": (SMALL, "workloads: [a]\n", 1, "workloads: must be a mapping"),
    "no workload": (SMALL, "workloads: {}\n", 1, "must not be empty"),
    "workloads missing": (SMALL, "currency: EUR\n", 1, "workloads: is missing"),
    "currency": ("workloads:", "currency: euro\nworkloads:", 1, "currency: must match"),
    "top-level slip": ("workloads:", "workload:", 1, "did you mean workloads?"),
    "approval without roles": (
        "workloads:",
        "approvals: [{action: a, roles: []}]\nworkloads:",
        1,
        "approvals[0].roles: must not be empty",
    ),
    "approval twice": (
        "workloads:",
        "approvals:\n- {action: a, roles: [b]}\n- {action: a, roles: [c]}\nworkloads:",
        3,
        "stands twice",
    ),
    "override of nothing": (
        "workloads:",
        "overrides:\n- when: {}\n  order-capture: {rto_s: 1}\nworkloads:",
        2,
        "must name at least one; allowed: scenario, season, tenant",
    ),
    "override by weather": (
        "workloads:",
        "overrides:\n- when: {weather: bad}\nworkloads:",
        2,
        "weather: is not known",
    ),
    "override of an undeclared workload": (
        "workloads:",
        "overrides:\n- when: {season: x}\n  fulfilment: {rto_s: 1}\nworkloads:",
        3,
        "is not declared under workloads",
    ),
    "override that is wrong out of season": (
        "workloads:",
        "overrides:\n- when: {season: x}\n  order-capture: {rpo_s: not_applicable}\nworkloads:",
        3,
        "needs a `reason`",
    ),
    "override with a negative RTO": (
        "workloads:",
        "overrides:\n- when: {season: x}\n  order-capture:\n    rto_s: -1\nworkloads:",
        4,
        "overrides[0].order-capture.rto_s: must be greater than 0",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_refused_with_file_line_and_key(read, case: str) -> None:
    old, new, line, told = WRONG[case]
    assert old in SMALL
    with pytest.raises(BadInput) as refused:
        read(SMALL.replace(old, new, 1))
    assert told in str(refused.value)
    assert "targets.yaml" in str(refused.value)
    if line is not None:
        assert refused.value.line == line


def test_the_first_mistake_is_told_and_the_others_are_named(read) -> None:
    with pytest.raises(BadInput) as refused:
        read(SMALL.replace("rto_s: 60", "rto_s: -1").replace("rto_s: 900", "rto_s: -2"))
    assert refused.value.line == 5
    assert "line 12: workloads.finance-reporting.rto_s" in refused.value.next_step


OVERRIDES = (
    SMALL
    + """\
season: summer
overrides:
  - when: {scenario: node-loss}
    order-capture: {rto_s: 100, rate_per_s: 3}
  - when: {scenario: node-loss, season: peak}
    order-capture: {rto_s: 30}
  - when: {tenant: "no"}
    order-capture: {latency_limit_s: 9}
"""
)


def rto_s(targets: Targets) -> float:
    return targets.workloads[0].rto_s


def test_an_override_applies_where_everything_in_its_when_holds(read) -> None:
    assert rto_s(read(OVERRIDES)) == 60
    assert rto_s(read(OVERRIDES, season="peak")) == 60
    assert rto_s(read(OVERRIDES, scenario="node-loss")) == 100
    assert read(OVERRIDES, tenant="no").workloads[0].latency_limit_s == 9
    assert read(OVERRIDES).season == "summer"


def test_the_more_specific_wins_key_by_key_whatever_the_order(read) -> None:
    peak = read(OVERRIDES, scenario="node-loss", season="peak")
    assert rto_s(peak) == 30
    assert peak.workloads[0].rate_per_s == 3
    first, second = OVERRIDES.split("  - when: {scenario: node-loss}\n")
    less, more = second.split("  - when: {scenario: node-loss, season: peak}\n")
    swapped = (
        first
        + "  - when: {scenario: node-loss, season: peak}\n"
        + more
        + "  - when: {scenario: node-loss}\n"
        + less
    )
    assert rto_s(read(swapped, scenario="node-loss", season="peak")) == 30


def test_the_file_s_own_season_holds_when_none_is_given(read) -> None:
    assert (
        rto_s(read(OVERRIDES.replace("season: summer", "season: peak"), scenario="node-loss")) == 30
    )


def test_two_equally_specific_ones_are_refused_when_both_apply(read) -> None:
    both = SMALL + (
        "overrides:\n"
        "  - when: {scenario: node-loss}\n"
        "    order-capture: {rto_s: 100}\n"
        "  - when: {season: peak}\n"
        "    order-capture: {rto_s: 30}\n"
    )
    assert rto_s(read(both, scenario="node-loss")) == 100
    assert rto_s(read(both, season="peak")) == 30
    with pytest.raises(BadInput, match=r"targets\.yaml:20: .*rto_s: .*line 18.*equally specific"):
        read(both, scenario="node-loss", season="peak")
    apart = both.replace("{rto_s: 30}", "{rate_per_s: 30}")
    assert rto_s(read(apart, scenario="node-loss", season="peak")) == 100


def test_a_more_specific_one_settles_between_two(read) -> None:
    settled = SMALL + (
        "overrides:\n"
        "  - when: {scenario: node-loss, season: peak}\n"
        "    order-capture: {rto_s: 7}\n"
        "  - when: {scenario: node-loss}\n"
        "    order-capture: {rto_s: 100}\n"
    )
    assert rto_s(read(settled, scenario="node-loss", season="peak")) == 7


def test_an_override_that_relaxes_rpo_relaxes_the_count(read) -> None:
    relaxed = SMALL + "overrides:\n  - when: {season: x}\n    order-capture: {rpo_s: 5}\n"
    assert read(relaxed, season="x").workloads[0].lost_max is None
    declared = relaxed.replace("rpo_s: 0\n", "rpo_s: 0\n    lost_max: 0\n")
    assert read(declared, season="x").workloads[0].lost_max == 0


def test_the_file_is_the_one_asked_for_else_mine_else_the_example(tmp_path: Path) -> None:
    assert find_targets(None, folder=tmp_path) == EXAMPLE
    (tmp_path / "targets.yaml").write_text(SMALL)
    assert find_targets(None, folder=tmp_path) == tmp_path / "targets.yaml"
    with pytest.raises(UsageError, match="there is no targets file"):
        find_targets(tmp_path / "other.yaml")
