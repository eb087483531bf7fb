"""A model as the JSON Schema that is published: for editors, and for whoever writes the file."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

FOLDER = Path(__file__).resolve().parents[2] / "reports" / "schema"


def published(model: type[BaseModel], *, name: str, title: str) -> str:
    """The text of version 1 of the schema of `name`.yaml."""
    body = _without_null(model.model_json_schema(by_alias=True))
    assert isinstance(body, dict)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:peakdrill:{name}:v1",
    }
    body["title"] = f"peakdrill {title}, version 1"
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
