"""Shapes move the rate; a recorded curve is read with errors that name the line."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core import shapes
from harness.core.schedule import arrivals_ns
from harness.errors import BadInput
from harness.inputs.curve import read_curve


@pytest.mark.parametrize("name", shapes.NAMES)
def test_a_shape_begins_at_the_declared_rate_and_reaches_its_peak_early(name):
    shape = shapes.shape_named(name)
    assert shape.name == name
    assert shape.points[0] == (0.0, 1.0)
    times = [t for t, _ in shape.points]
    assert times == sorted(set(times))
    seconds = np.arange(0.0, 960.0)
    multiplier = shape.at(seconds)
    assert multiplier.min() >= 1.0
    assert multiplier.max() <= 1.5
    # a smoke drill takes ten seconds of baseline: most of the climb is over within six
    assert multiplier[6] >= 1 + 0.35 * (multiplier.max() - 1)


@pytest.mark.parametrize("name", shapes.NAMES)
def test_arrivals_follow_the_shape(name):
    shape = shapes.shape_named(name)
    due = arrivals_ns(rate_per_s=50, shape=shape, until_s=300, seed=1, workload_code=1)
    per_s = np.bincount(due // 10**9, minlength=300)
    middle = shape.at(np.arange(300) + 0.5)
    assert np.abs(per_s - 50 * middle).max() <= 6  # a kink inside a second, and one arrival


def test_an_unknown_shape_is_a_key_error():
    with pytest.raises(KeyError):
        shapes.shape_named("black-friday")


def test_a_recorded_curve_is_replayed(tmp_path):
    file = tmp_path / "curve.csv"
    file.write_text("# last November\nt_s,multiplier\n0,1.0\n\n10, 2.5\n20,0.5\n")
    assert read_curve(file).points == ((0.0, 1.0), (10.0, 2.5), (20.0, 0.5))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: the first line names the columns; allowed: t_s, multiplier"),
        ("t,m\n0,1\n", ":1: the first line names"),
        ("t_s,multiplier\n", "holds no point"),
        ("t_s,multiplier\n0\n", ":2: 1 values where two are wanted"),
        ("t_s,multiplier\n0,1\n1,2,3\n", ":3: 3 values"),
        ("t_s,multiplier\n1,1\n", ":2: t_s: the first point is at 1, not at 0"),
        ("t_s,multiplier\n0,1\n5,1\n5,2\n", ":4: t_s: 5 does not come after 5"),
        ("t_s,multiplier\n0,1\n1,0\n", ":3: multiplier: 0 is not greater than 0"),
        ("t_s,multiplier\n0,1\n1,-2\n", ":3: multiplier: -2 is not"),
        ("t_s,multiplier\n0,1\n1,1000\n", ":3: multiplier: 1000 is not"),
        ("t_s,multiplier\n0,one\n", ":2: multiplier: 'one' is not a number"),
        ("t_s,multiplier\nnan,1\n", ":2: t_s: 'nan' is not a number"),
        ('t_s,multiplier\n0,"1\n', "is not CSV"),
    ],
)
def test_a_bad_curve_names_its_line(tmp_path, text, message):
    file = tmp_path / "curve.csv"
    file.write_text(text)
    with pytest.raises(BadInput) as caught:
        read_curve(file)
    assert str(file) in str(caught.value)
    assert message in str(caught.value)


def test_a_curve_that_is_not_there(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        read_curve(tmp_path / "none.csv")


@pytest.mark.parametrize("points", [[], [(1, 1)], [(0, 1), (0, 2)], [(0, 0)], [(0, float("nan"))]])
def test_a_curve_keeps_its_rules(points):
    with pytest.raises(ValueError):
        shapes.replay(points)
