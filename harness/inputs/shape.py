"""The load shape that a scenario names -> the Shape that the schedule follows."""

from __future__ import annotations

from harness.core import shapes
from harness.core.scenario import LoadShape
from harness.core.schedule import Shape
from harness.errors import UsageError


def shape_names() -> tuple[str, ...]:
    """The names that `load(...)` takes, besides a CSV's own."""
    return tuple(shapes.SHAPES)


def shape_of(load: LoadShape) -> Shape:
    """A named shape, or the replay of a recorded curve."""
    if load.csv:
        from harness.inputs.curve import read_curve

        return read_curve(load.csv, name=load.name)
    if load.name not in shapes.SHAPES:
        raise UsageError(
            f"there is no load shape {load.name}; there are: {', '.join(shape_names())}"
        )
    return shapes.SHAPES[load.name]
