"""The published JSON Schema of targets.yaml: `python -m harness.inputs.targets_schema` writes it.

Generated from the models, so that an editor and peakdrill agree; a test holds the file equal.
"""

from __future__ import annotations

from harness.inputs.published_schema import FOLDER, published
from harness.inputs.targets_model import TargetsModel

PUBLISHED = FOLDER / "targets-v1.schema.json"


def schema_text() -> str:
    """The schema as it is published."""
    return published(TargetsModel, name="targets", title="targets")


if __name__ == "__main__":
    PUBLISHED.write_text(schema_text(), encoding="utf-8")
