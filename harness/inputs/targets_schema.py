"""The published JSON Schema of targets.yaml: `python -m harness.inputs.targets_schema` writes it.

Generated from the models, so that an editor and peakdrill agree; a test holds the file equal.
"""

from __future__ import annotations

import json
from pathlib import Path

from harness.inputs.targets_model import TargetsModel

PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "schema" / "targets-v1.schema.json"


def schema_text() -> str:
    """The schema as it is published."""
    body = _without_null(TargetsModel.model_json_schema(by_alias=True))
    assert isinstance(body, dict)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:peakdrill:targets:v1",
    }
    body["title"] = "peakdrill targets, version 1"
    return json.dumps(head | body, indent=2, sort_keys=True) + "\n"


def _without_null(value: object) -> object:
    """None stands for "not written" in the models; in the file there is no null."""
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {k: _without_null(v) for k, v in value.items() if not (k == "default" and v is None)}
    choices = kept.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        others = [choice for choice in choices if choice != {"type": "null"}]
        if len(others) == 1 and isinstance(others[0], dict):
            del kept["anyOf"]
            return others[0] | {k: v for k, v in kept.items() if k != "title"}
        kept["anyOf"] = others
    return kept


if __name__ == "__main__":
    PUBLISHED.write_text(schema_text(), encoding="utf-8")
