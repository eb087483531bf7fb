"""targets.yaml's other half: gate, validity, seasons, freezes, cost. Strict, with lines."""

from pathlib import Path

import pytest

from harness.core.policy import Freeze, GatePolicy, Policy, Season
from harness.errors import BadInput
from harness.inputs.policy_file import read_policy

WORKLOADS = """workloads:
  order-capture: {tier: critical, owner: commerce, rto_s: 60, rpo_s: 0, latency_limit_s: 2, rate_per_s: 10}
"""
A_DAY = "begins: 2027-03-01, ends: 2027-03-01"


def read(tmp_path: Path, text: str) -> Policy:
    file = tmp_path / "targets.yaml"
    file.write_text(WORKLOADS + text)
    return read_policy(file)


def test_the_defaults_hold_where_nothing_is_written(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Policy()
    assert Policy().gate == GatePolicy(quantile=0.8, confidence=0.95, margin=0.25)


def test_everything_that_can_be_declared(tmp_path: Path) -> None:
    policy = read(
        tmp_path,
        "season: black-friday\n"
        "gate: {quantile: 0.9, margin: 0.1}\n"
        "readiness: {valid_days: 30}\n"
        "cost: {per_hour: 18.5}\n"
        "seasons: [{name: black-friday, begins: 2027-11-22, ends: 2027-11-30}]\n"
        "freezes: [{name: peak, begins: 2027-11-26T00:00:00Z, ends: 2027-11-29T00:00:00Z}]\n"
        "overrides: [{when: {tenant: north}, order-capture: {rto_s: 30}}]\n",
    )
    assert policy.gate == GatePolicy(quantile=0.9, confidence=0.95, margin=0.1)
    assert policy.valid_days == 30
    assert policy.cost_per_hour_cents == 1850
    assert policy.season == "black-friday"
    assert policy.seasons == (Season("black-friday", "2027-11-22", "2027-11-30"),)
    assert policy.freezes == (Freeze("peak", "2027-11-26T00:00:00Z", "2027-11-29T00:00:00Z"),)
    assert policy.tenants == ("north",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gate: {quantile: 1}\n", "gate.quantile"),
        ("seasons: [{name: s, begins: 2027-02-30, ends: 2027-03-01}]\n", "is no date"),
        ("seasons: [{name: s, begins: 2027-03-02, ends: 2027-03-01}]\n", "lies before"),
        ("freezes: [{name: f, begins: tomorrow, ends: 2027-03-01T00:00:00Z}]\n", "begins"),
        (
            f"seasons: [{{name: s, {A_DAY}}}, {{name: s, {A_DAY}}}]\n",
            "stands twice",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadInput, match=r"targets\.yaml:3: ") as caught:
        read(tmp_path, text)
    assert told in str(caught.value)
