"""gameday.yaml: the example holds, the schema says the same, and a mistake is told with its line."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from harness.core.gameday.plan import Timing
from harness.errors import BadInput, UsageError
from harness.inputs import places
from harness.inputs.gameday_file import read_gameday
from harness.inputs.gameday_schema import PUBLISHED, schema_text
from harness.inputs.yaml_lines import read_yaml
from tests.gameday.desk import APPROVED, NOON

EXAMPLE = places.SHIPPED / "gameday.yaml"


def test_the_published_file_is_the_generated_one() -> None:
    assert PUBLISHED.read_text() == schema_text(), "python -m harness.inputs.gameday_schema"
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))
    assert "null" not in schema_text()


def test_the_example_holds_and_can_begin_at_any_hour() -> None:
    jsonschema.validate(read_yaml(EXAMPLE).value, json.loads(schema_text()))
    day = read_gameday(EXAMPLE)
    assert [s.step for s in day.scenarios] == [
        "1-node-loss", "2-credential-compromise", "3-page-corruption",
    ]  # fmt: skip
    assert all(w.holds(NOON.replace(hour=h)) for w in day.windows for h in range(24))
    assert day.absent_in(("2-credential-compromise",)) == {"database-administrator"}
    assert day.deputies("database-administrator") == ("Tom Bakker",)


def test_the_digest_is_of_the_bytes(desk) -> None:
    before = desk.day().digest
    desk.file.write_text(desk.file.read_text() + "# nothing changed in the values\n")
    assert desk.day().digest != before


def test_a_communication_of_one_scenario_is_due_before_that_one_alone(desk) -> None:
    told = "name: a, when: before-scenario, whom: x, channel: phone, what: y, by: platform"
    desk.write(APPROVED + f"communications: [{{{told}, scenario: page-corruption}}]\n")
    (only,) = desk.day().communications
    assert (only.when, only.scenario) == (Timing.BEFORE_SCENARIO, "3-page-corruption")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("scenario: node-loss}", "scenario: node-los}", "scenarios[0].scenario: there is no scen"),
        ("shown_by: [node-loss]", "shown_by: [ransomware]", "shown_by[0]: is no scenario of this"),
        ("name: rehearsal", "name: Big Day", "name: must match"),
        ("role: intern", "rolle: intern", "rolle: is not known (did you mean role?)"),
        ("deputy_for: [database-administrator]", "deputy_for: [dba]", "is the role of no particip"),
        ("{name: Nils,", "{name: Tom,", "name: stands twice"),
        ("requested_by: Ada", "requested_by: Zoe", "approvals.requested_by: is no participant"),
        ('until: "18:00"', 'until: "05:00"', "until: does not lie after `from`"),
        (', until: "18:00"', "", "windows[0]: needs `begins` and `ends`, or"),
        ("size: smoke", "size: tiny", "size: 'tiny' is not known"),
        ("targets: targets.yaml", "targets: no.yaml", "targets: there is no file no.yaml"),
        ("scope: The embedded platform.", "scope:", "scope: is written without a value"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(desk, old: str, new: str, told: str) -> None:
    text = desk.file.read_text()
    assert old in text
    desk.file.write_text(text.replace(old, new, 1))
    with pytest.raises(BadInput, match=r"gameday\.yaml:\d+: ") as caught:
        desk.day()
    assert told in str(caught.value)
    line = text[: text.index(old)].count("\n") + 1
    assert abs((caught.value.line or 0) - line) <= 1


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("checks: [{check: platform-whole, ask: Is it, role: platform}]", "is measured, not asked"),
        ("checks: [{check: budget, role: platform}]", "is missing: budget is a question"),
        ("checks: [{check: a, ask: b, role: nobody}]", "is the role of no participant"),
        ("checks: [{check: platform-whole}, {check: platform-whole}]", "stands twice"),
        ("absent: [nobody]", "absent[0]: is the role of no participant"),
        ("abort: {money_max: 1.005}", "abort.money_max: has more than two decimals"),
        ("abort: {then: go}", "abort.then: 'go' is not known"),
    ],
)
def test_what_does_not_fit_together_is_refused(desk, more: str, told: str) -> None:
    desk.write(APPROVED + more + "\n")
    with pytest.raises(BadInput) as caught:
        desk.day()
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("window", "told"),
    [
        ("{begins: 2026-11-28T06:00:00Z, ends: 2026-11-28T06:00:00Z}", "does not lie after"),
        ("{begins: 2026-02-30T06:00:00Z, ends: 2026-11-28T06:00:00Z}", "is no date"),
        ("{begins: 2026-11-28T06:00:00Z, days: [monday]}", "needs `begins` and `ends`, or"),
        ('{days: [someday], from: "01:00", until: "02:00"}', "'someday' is not known"),
    ],
)
def test_a_window_is_one_of_two_kinds(desk, window: str, told: str) -> None:
    desk.write(windows=f"  - {window}")
    with pytest.raises(BadInput) as caught:
        desk.day()
    assert told in str(caught.value)


def test_no_such_file(tmp_path) -> None:
    with pytest.raises(UsageError, match="there is no game day file"):
        read_gameday(tmp_path / "gameday.yaml")


def test_what_the_reader_refuses_the_schema_refuses() -> None:
    text = EXAMPLE.read_text()
    for old, new in (
        ("size: smoke", "size: tiny"),
        ("approvals: none", "approvals: some"),
        ("then: stop", "then: go"),
        ("name: autumn-rehearsal", "name: Autumn"),
        ("scenario: node-loss", "scenarios: node-loss"),
        ('until: "24:00"', 'til: "24:00"'),
    ):
        assert old in text
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(text.replace(old, new)), json.loads(schema_text()))
