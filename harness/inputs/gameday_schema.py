"""The published JSON Schema of gameday.yaml: `python -m harness.inputs.gameday_schema` writes it.

Generated from the models, so that an editor and peakdrill agree; a test holds the file equal.
"""

from __future__ import annotations

import json
from pathlib import Path

from harness.inputs.gameday_model import GameDayModel
from harness.inputs.targets_schema import _without_null as without_null

PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "schema" / "gameday-v1.schema.json"


def schema_text() -> str:
    """The schema as it is published."""
    body = without_null(GameDayModel.model_json_schema(by_alias=True))
    assert isinstance(body, dict)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:peakdrill:gameday:v1",
    }
    body["title"] = "peakdrill game day, version 1"
    return json.dumps(head | body, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    PUBLISHED.write_text(schema_text(), encoding="utf-8")
