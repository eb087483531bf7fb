"""The named shapes, instant by instant, as docs/ and the reports of past seasons have them."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.shapes import NAMES, replay, shape_named

AT_S: dict[str, dict[float, float]] = {
    "steady": {0: 1.0, 6: 1.0, 3600: 1.0},
    "weekend-promotion": {
        0: 1.0, 5: 1.2, 35: 1.15, 65: 1.1, 125: 1.2, 185: 1.1, 845: 1.2, 905: 1.1, 965: 1.1, 3600: 1.1,
    },
    "flash-sale": {0: 1.0, 5: 1.0, 5.5: 1.25, 6: 1.5, 60: 1.5, 120: 1.35, 180: 1.2, 390: 1.1, 600: 1.0, 9e9: 1.0},
    "day-before-holiday": {0: 1.0, 3: 1.075, 6: 1.15, 153: 1.225, 300: 1.3, 600: 1.35, 900: 1.4, 3600: 1.4},
    "month-end-close": {
        0: 1.0, 3: 1.1, 6: 1.2, 36: 1.1, 66: 1.0, 126: 1.2, 186: 1.0, 846: 1.2, 906: 1.0, 3600: 1.0,
    },
    "catalogue-update": {0: 1.0, 1.5: 1.15, 3: 1.3, 240: 1.3, 270: 1.2, 300: 1.1, 3600: 1.1},
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_shape_is_as_high_as_it_is_said_to_be(name: str) -> None:
    stated = AT_S[name]
    found = shape_named(name).at(np.array(list(stated), dtype=np.float64))
    assert found == pytest.approx(list(stated.values()), abs=1e-9)


def test_shapes_have_their_points_and_no_more() -> None:
    assert {name: len(shape_named(name).points) for name in NAMES} == {
        "steady": 1, "weekend-promotion": 17, "flash-sale": 6, "day-before-holiday": 4,
        "month-end-close": 17, "catalogue-update": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([(0, 1.0)], ""),
        ([(0, 1.0), (1, 0.5), (2, 3.0)], ""),
        ([], "begins at 0"),
        ([(1, 1.0)], "begins at 0"),
        ([(0, 1.0), (1, 1.0), (1, 2.0)], "times rise"),
        ([(0, 1.0), (2, 1.0), (1, 2.0)], "times rise"),
        ([(0, 0.0)], "greater than zero"),
        ([(0, 1.0), (1, -1.0)], "greater than zero"),
        ([(0, float("nan"))], "greater than zero"),
        ([(0, 1e-9)], ""),
    ],
)  # fmt: skip
def test_a_recorded_curve_is_taken_or_refused(points: list[tuple[float, float]], why: str) -> None:
    if why:
        with pytest.raises(ValueError, match=why):
            replay(points)
    else:
        assert replay(points).points == tuple(points)
