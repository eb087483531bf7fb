"""Measures of the pictures: where a line, a bar or a label stands. No markup is made here.

Horizontal places are per cent of the picture's width, so that a picture stretches while its
letters do not; lines and areas are paths in a box of 1000 by 100, stretched with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

type_f64 = npt.NDArray[np.float64]

POINTS_MAX = 900
_BOX_WIDTH, _BOX_HEIGHT = 1000.0, 100.0


@dataclass(frozen=True, slots=True)
class Axis:
    """The common time axis of all pictures, in seconds from the origin."""

    begin_s: float
    end_s: float

    def per_cent(self, at_s: float) -> float:
        """Place of an instant; never outside the picture.

        >>> Axis(-40, 60).per_cent(10)
        50.0
        """
        share = (at_s - self.begin_s) / (self.end_s - self.begin_s)
        return round(min(1.0, max(0.0, share)) * 100, 3)


@dataclass(frozen=True, slots=True)
class Tick:
    at_per_cent: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Steps:
    """A series as drawn: each value holds from its instant to the next one; NaN is a gap."""

    at_s: type_f64
    end_s: float
    values: type_f64


def decimate(begin_s: float, values: npt.NDArray[np.generic], limit: int = POINTS_MAX) -> Steps:
    """At most `limit` steps out of bins of 1 s: every group keeps its lowest and highest bin.

    Nothing is averaged, so that one bad second of a day is still seen. The two extremes of a
    group stand in the order in which they happened, each over one half of the group.
    """
    data = values.astype(np.float64)
    if len(data) <= limit:
        return Steps(begin_s + np.arange(len(data), dtype=np.float64), begin_s + len(data), data)
    size = math.ceil(len(data) / (limit // 2))
    padded = np.full(math.ceil(len(data) / size) * size, np.nan)
    padded[: len(data)] = data
    groups = padded.reshape(-1, size)
    rows = np.arange(len(groups))
    low = np.argmin(np.where(np.isnan(groups), np.inf, groups), axis=1)
    high = np.argmax(np.where(np.isnan(groups), -np.inf, groups), axis=1)
    pair = np.sort(np.stack([low, high], axis=1), axis=1)
    chosen = np.stack([groups[rows, pair[:, 0]], groups[rows, pair[:, 1]]], axis=1)
    at_s = begin_s + np.arange(2 * len(groups), dtype=np.float64) * (size / 2)
    inside = at_s < begin_s + len(data)
    return Steps(at_s[inside], begin_s + len(data), chosen.reshape(-1)[inside])


def bin_width_s(bins: int, limit: int = POINTS_MAX) -> int:
    """How many seconds one group of `decimate` holds."""
    return 1 if bins <= limit else math.ceil(bins / (limit // 2))


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _runs(steps: Steps) -> list[tuple[int, int]]:
    """Index ranges without a gap."""
    there = np.concatenate([[False], ~np.isnan(steps.values), [False]])
    edges = np.flatnonzero(there[1:] != there[:-1])
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _walk(xs: list[str], ys: list[str]) -> str:
    """Steps from corner to corner; equal heights make one line."""
    turns = (f"H{xs[i]}V{ys[i]}" for i in range(1, len(ys)) if ys[i] != ys[i - 1])
    return "".join([f"{xs[0]} {ys[0]}", *turns, f"H{xs[-1]}"])


def _corners(steps: Steps, axis: Axis, scale: Scale) -> list[tuple[list[str], list[str]]]:
    edges = np.append(steps.at_s, steps.end_s)
    found = []
    for first, last in _runs(steps):
        xs = [_number(axis.per_cent(float(s)) / 100 * _BOX_WIDTH) for s in edges[first : last + 1]]
        ys = [_number(scale.box_y(float(v))) for v in steps.values[first:last]]
        found.append((xs, ys))
    return found


def line(steps: Steps, axis: Axis, scale: Scale) -> str:
    """SVG path of a step line in the box."""
    return "".join(f"M{_walk(xs, ys)}" for xs, ys in _corners(steps, axis, scale))


def area(steps: Steps, axis: Axis, scale: Scale) -> str:
    """SVG path of the area below a step line."""
    return "".join(
        f"M{xs[0]} 100V{_walk(xs, ys).split(' ', 1)[1]}V100Z"
        for xs, ys in _corners(steps, axis, scale)
    )


def band(low: Steps, high: Steps, axis: Axis, scale: Scale) -> str:
    """SVG path of the area between two step lines that have the same gaps."""
    parts = []
    for (xs, ys), (back_xs, back_ys) in zip(
        _corners(high, axis, scale), _corners(low, axis, scale), strict=True
    ):
        mirrored = _walk(back_xs[::-1], back_ys[::-1])
        parts.append(f"M{_walk(xs, ys)}L{mirrored}Z")
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class Scale:
    """The vertical scale of one picture: linear from 0, or logarithmic."""

    low: float
    high: float
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """From 0 at the bottom to 1 at the top."""
        if self.logarithmic:
            whole = math.log(self.high / self.low)
            found = math.log(max(value, self.low) / self.low) / whole
        else:
            found = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, found))

    def box_y(self, value: float) -> float:
        return (1 - self.share(value)) * _BOX_HEIGHT


def rate_scale(highest: float) -> Scale:
    """From 0 to the next round number.

    >>> rate_scale(23).high, rate_scale(0).high
    (25.0, 1.0)
    """
    if highest <= 0:
        return Scale(0.0, 1.0)
    power = 10.0 ** math.floor(math.log10(highest))
    step = next((s for s in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8) if s * power >= highest), 10)
    return Scale(0.0, step * power)


def latency_scale(lowest_ms: float, highest_ms: float) -> Scale:
    """Whole decades around what was measured."""
    low = 10.0 ** math.floor(math.log10(max(lowest_ms, 0.1)))
    high = 10.0 ** math.ceil(math.log10(max(highest_ms, low * 1.01)))
    return Scale(low, max(high, low * 10), logarithmic=True)


_TIME_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)


def time_ticks(axis: Axis, most: int = 8) -> tuple[Tick, ...]:
    """Round instants, counted from the origin; few enough for the width of a telephone."""
    length_s = axis.end_s - axis.begin_s
    step = next((s for s in _TIME_STEPS_S if length_s / s <= most), _TIME_STEPS_S[-1])
    first = math.ceil(axis.begin_s / step)
    instants = [n * step for n in range(first, math.floor(axis.end_s / step) + 1)]
    return tuple(Tick(axis.per_cent(s), _instant(s, step), _anchor(axis.per_cent(s)))
                 for s in instants)  # fmt: skip


def _instant(at_s: int, step_s: int) -> str:
    if at_s == 0:
        return "0"
    if step_s >= 3600:
        return f"{at_s / 3600:g} h"
    if step_s >= 60 and at_s % 60 == 0:
        return f"{at_s // 60} min"
    return f"{at_s} s"


def _anchor(per_cent: float) -> str:
    return "start" if per_cent < 4 else "end" if per_cent > 96 else "middle"
