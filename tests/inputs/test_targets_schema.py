"""The published JSON Schema is the generated one, and says what the reader says."""

import json
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
import yaml

from harness.core.operation import Workload
from harness.inputs import places
from harness.inputs.targets_model import Override, PartialWorkload, WorkloadEntry, WorkloadName
from harness.inputs.targets_schema import PUBLISHED, schema_text
from harness.inputs.yaml_lines import read_yaml


def test_the_published_file_is_the_generated_one() -> None:
    assert PUBLISHED.read_text() == schema_text(), "python -m harness.inputs.targets_schema"


def test_the_schema_is_a_schema_without_null() -> None:
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "null" not in schema_text()


def test_the_example_holds_against_the_schema() -> None:
    example = read_yaml(places.SHIPPED / "targets.yaml").value
    jsonschema.validate(example, json.loads(schema_text()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rto_s: 60", "rto_s: -60"),
        ("rto_s: 60", "rto_s: soon"),
        ("rto_s: 60", "rto: 60"),
        ("order-capture:", "order-captur:"),
        ("tier: critical", "tier: vital"),
        ("currency: EUR", "currency: euro"),
        ("{scenario: logical-corruption}", "{}"),
        ("rpo_s: 0", "rpo_s: later"),
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(old: str, new: str) -> None:
    text = (places.SHIPPED / "targets.yaml").read_text()
    assert old in text
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text.replace(old, new, 1)), json.loads(schema_text()))


def test_the_models_know_every_workload() -> None:
    names = [workload.value for workload in Workload]
    assert list(get_args(WorkloadName)) == names
    assert [f.alias for n, f in Override.model_fields.items() if n != "when"] == names


def test_an_override_can_change_every_key() -> None:
    assert set(PartialWorkload.model_fields) == set(WorkloadEntry.model_fields)


def test_it_is_published_with_the_other_schemas() -> None:
    assert Path("reports/schema") == PUBLISHED.relative_to(places.SHIPPED).parent
