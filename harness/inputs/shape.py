"""The load shape that a scenario names -> the Shape that the schedule follows."""

from __future__ import annotations

from pathlib import Path

from harness.core import shapes
from harness.core.scenario import LoadShape
from harness.core.schedule import Shape
from harness.errors import UsageError
from harness.inputs.words import did_you_mean


def shape_names() -> tuple[str, ...]:
    """The names that `load(...)` takes; `replay` stands beside them and needs a CSV."""
    return shapes.NAMES


def shape_of(load: LoadShape) -> Shape:
    """A named shape, or the replay of a recorded curve. Raises UsageError and BadInput."""
    if load.csv:
        from harness.inputs.curve import read_curve

        return read_curve(Path(load.csv))
    if load.name not in shapes.NAMES:
        raise UsageError(
            f"there is no load shape {load.name!r}{did_you_mean(load.name, shapes.NAMES)}; "
            f"there are: {', '.join(shapes.NAMES)}"
        )
    return shapes.shape_named(load.name)
