"""The published JSON Schema of gameday.yaml: `python -m harness.inputs.gameday_schema` writes it.

Generated from the models, so that an editor and peakdrill agree; a test holds the file equal.
"""

from __future__ import annotations

from harness.inputs.gameday_model import GameDayModel
from harness.inputs.published_schema import FOLDER, published

PUBLISHED = FOLDER / "gameday-v1.schema.json"


def schema_text() -> str:
    """The schema as it is published."""
    return published(GameDayModel, name="gameday", title="game day")


if __name__ == "__main__":
    PUBLISHED.write_text(schema_text(), encoding="utf-8")
