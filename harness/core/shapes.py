"""Peak shapes by name: what multiplies the declared rates over the length of a load.

Every shape begins at 1.0 and is at its own height within six seconds, so that a smoke drill's
baseline is taken at peak and its fault falls into it. Multipliers stay near 1: the peak factor
(1x, 2x, 3x) says how hard, a shape says how it moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from harness.core.schedule import Shape

REPLAY = "replay"


def steady() -> Shape:
    """The same rate from beginning to end: what a comparison of releases wants."""
    return Shape("steady", ((0.0, 1.0),))


def weekend_promotion() -> Shape:
    """A mail goes out on Friday evening: up by a fifth at once, a long plateau that breathes."""
    points = [(0.0, 1.0), (5.0, 1.2)]
    points += [(5.0 + 60 * n, 1.2 if n % 2 == 0 else 1.1) for n in range(1, 16)]
    return Shape("weekend-promotion", tuple(points))


def flash_sale() -> Shape:
    """The doors open at six: half as much again within a second, gone by and by."""
    points = ((0.0, 1.0), (5.0, 1.0), (6.0, 1.5), (60.0, 1.5), (180.0, 1.2), (600.0, 1.0))
    return Shape("flash-sale", points)


def day_before_holiday() -> Shape:
    """Everybody at once and nobody goes home: a climb that does not end."""
    return Shape("day-before-holiday", ((0.0, 1.0), (6.0, 1.15), (300.0, 1.3), (900.0, 1.4)))


def month_end_close() -> Shape:
    """Trade as usual, and the back office posts in batches: waves of two minutes."""
    waves = [(6.0 + 120 * n, 1.2) for n in range(8)] + [(66.0 + 120 * n, 1.0) for n in range(8)]
    return Shape("month-end-close", ((0.0, 1.0), *sorted(waves)))


def catalogue_update() -> Shape:
    """Prices change and the marketplaces pull everything: a step up, held."""
    return Shape("catalogue-update", ((0.0, 1.0), (3.0, 1.3), (240.0, 1.3), (300.0, 1.1)))


_NAMED = {
    shape().name: shape
    for shape in (
        steady,
        weekend_promotion,
        flash_sale,
        day_before_holiday,
        month_end_close,
        catalogue_update,
    )
}
NAMES = tuple(_NAMED)
"""Every named shape; `replay` stands beside them and needs a recorded curve."""


def shape_named(name: str) -> Shape:
    """The shape of that name. Raises KeyError; `NAMES` are allowed.

    >>> shape_named("steady").points
    ((0.0, 1.0),)
    """
    return _NAMED[name]()


def replay(points: Sequence[tuple[float, float]]) -> Shape:
    """A recorded curve. Times rise from 0, multipliers are greater than zero.

    >>> replay([(0, 1.0), (30, 1.8)]).name
    'replay'
    """
    if not points or points[0][0] != 0:
        raise ValueError("a curve begins at 0 seconds")
    if any(b[0] <= a[0] for a, b in pairwise(points)):
        raise ValueError("a curve's times rise")
    if any(not m > 0 for _, m in points):
        raise ValueError("a curve's multipliers are greater than zero")
    return Shape(REPLAY, tuple((float(t), float(m)) for t, m in points))
