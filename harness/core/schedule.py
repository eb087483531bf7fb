"""The open-loop schedule: when each arrival is due, whatever the platform answers.

The generator follows these functions and the judge holds the ledger against the same ones.
An arrival n of a workload is due where the integral of its rate reaches n + u_n, with u_n
uniform in [0, 1) from the run's seed: steady to within one arrival in any bin, and not in
step with anything. A canary is due on a fixed grid. Arrival n belongs to worker n mod workers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

type_i64 = npt.NDArray[np.int64]

_STEP_S = 0.001
_STEPS_AT_ONCE = 1 << 17
_CANARIES_S = 600


@dataclass(frozen=True, slots=True)
class Shape:
    """A peak shape: (seconds since the load began, multiplier), linear between, flat after.

    Points are in rising order of time and start at 0; multipliers are greater than zero.
    """

    name: str
    points: tuple[tuple[float, float], ...]

    def at(self, t_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The multiplier at each instant."""
        xs, ys = zip(*self.points, strict=True)
        return np.asarray(np.interp(t_s, xs, ys), dtype=np.float64)


def arrivals_ns(
    *, rate_per_s: float, shape: Shape, until_s: float, seed: int, workload_code: int
) -> type_i64:
    """Due times of every arrival before `until_s`, in ns since the load began, rising.

    `rate_per_s` already holds the peak factor (1x, 2x, 3x). Inversion of the piecewise
    quadratic integral on a 1 ms grid; the error is below a microsecond for shapes that
    change over a second or more.
    """
    if rate_per_s <= 0 or until_s <= 0:
        return np.zeros(0, dtype=np.int64)
    parts = list(_stretches(rate_per_s, shape, until_s, seed, workload_code))
    expected = parts[-1][1]
    due_ns = np.concatenate([part_ns for part_ns, _ in parts])[: int(np.floor(expected))]
    return due_ns if bool((due_ns[1:] >= due_ns[:-1]).all()) else np.sort(due_ns)


def stretches_ns(
    *, rate_per_s: float, shape: Shape, until_s: float, seed: int, workload_code: int
) -> Iterator[type_i64]:
    """The same, about two minutes of it at a time, for whoever needs no more than that at once.

    In rising order but for ties at a microsecond; the very last one may be one too many.
    """
    if rate_per_s > 0 and until_s > 0:
        for part_ns, _ in _stretches(rate_per_s, shape, until_s, seed, workload_code):
            yield part_ns


def _stretches(
    rate_per_s: float, shape: Shape, until_s: float, seed: int, workload_code: int
) -> Iterator[tuple[type_i64, float]]:
    """Due times, and the integral of the rate so far."""
    random = np.random.Generator(np.random.PCG64([seed, workload_code]))
    begun, waiting, total = 0, np.zeros(0), np.zeros(1)
    for grid in _grid(shape, until_s):
        rate = rate_per_s * shape.at(grid)
        steps = (rate[1:] + rate[:-1]) / 2 * np.diff(grid)
        total = np.cumsum(np.concatenate([total[-1:], steps]))
        # every arrival whose number the integral has reached, and one that it may not have
        drawn = max(0, int(total[-1]) + 1 - begun)
        due = np.concatenate([waiting, np.arange(begun, begun + drawn) + random.random(drawn)])
        begun += drawn
        reached = int(np.searchsorted(due, total[-1]))
        due, waiting = due[:reached], due[reached:]
        yield np.floor(np.interp(due, total, grid) * 1e9).astype(np.int64), float(total[-1])


def _grid(shape: Shape, until_s: float) -> Iterator[npt.NDArray[np.float64]]:
    """Every millisecond and every knot until then, a stretch at a time: each goes on where the one
    before it ended. A day has 86 million of them.
    """
    knots = np.array([p[0] for p in shape.points if p[0] < until_s] + [until_s])
    last: npt.NDArray[np.float64] = np.zeros(0)
    count = math.ceil(until_s / _STEP_S)
    for first in range(0, count, _STEPS_AT_ONCE):
        end = min(first + _STEPS_AT_ONCE, count)
        steps = np.arange(first, end, dtype=np.float64) * _STEP_S
        beyond = end * _STEP_S if end < count else math.inf
        inside = knots[(knots >= steps[0]) & (knots < beyond)]
        grid = np.unique(np.concatenate([steps, inside])) if len(inside) else steps
        yield np.concatenate([last, grid])
        last = grid[-1:]


def canary_ns(
    *, rate_per_s: float, until_s: float, workload_code: int, since_s: float = 0.0
) -> type_i64:
    """Due times of a canary: a fixed grid, shifted per workload so that they do not collide.

    Those of [since_s, until_s).
    """
    if rate_per_s <= 0:
        return np.zeros(0, dtype=np.int64)
    step_ns = round(1e9 / rate_per_s)
    first_ns = step_ns * workload_code // 8
    passed = max(0, -((first_ns - round(since_s * 1e9)) // step_ns))
    return np.arange(first_ns + passed * step_ns, round(until_s * 1e9), step_ns, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Planned:
    """The schedule of one workload, made a stretch at a time, to the nanosecond that of the above.

    Each part is rising, and begins no earlier than the one before it ended.
    """

    rate_per_s: float
    canary_per_s: float
    shape: Shape
    until_s: float
    seed: int
    workload_code: int

    def arrivals_ns(self) -> Iterator[type_i64]:
        if self.rate_per_s <= 0 or self.until_s <= 0:
            return
        of = (self.rate_per_s, self.shape, self.until_s, self.seed, self.workload_code)
        held, made, expected = np.zeros(0, dtype=np.int64), 0, 0
        for part_ns, integral in _stretches(*of):
            expected = int(np.floor(integral))
            if len(part_ns):
                yield np.sort(held)
                held, made = part_ns, made + len(part_ns)
        yield np.sort(held[: max(0, len(held) - max(0, made - expected))])

    def canaries_ns(self) -> Iterator[type_i64]:
        for since in range(0, math.ceil(max(0.0, self.until_s)), _CANARIES_S):
            yield canary_ns(
                rate_per_s=self.canary_per_s,
                until_s=min(self.until_s, since + _CANARIES_S),
                workload_code=self.workload_code,
                since_s=since,
            )
