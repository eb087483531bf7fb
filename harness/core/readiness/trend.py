"""How recovery times went from release to release: order statistics, and what n runs support.

Runs at different absolute rates, sizes or targets' workloads are different questions: each has a
series of its own, and no line is drawn from one to the other. Nothing is averaged and nothing is
extrapolated: of n recoveries the slowest is, at the stated confidence, an upper bound on the
quantile (1 - confidence) ** (1 / n), and that is all that can be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.core.outcome import Outcome
from harness.core.statistics import clean_runs_claim
from harness.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Interval:
    """One run's recovery; `high_ns` None: not recovered while it was watched."""

    run_id: str
    low_ns: int
    high_ns: int | None


@dataclass(frozen=True, slots=True)
class Point:
    """One release. Sorted by the high end; what did not recover is last."""

    release: str
    runs: tuple[Interval, ...]
    quantile: float  # that the slowest run bounds, at the declared confidence

    @property
    def median(self) -> Interval:
        """The middle run; of an even number the slower of the two. No mean of two is made."""
        return self.runs[len(self.runs) // 2]

    @property
    def slowest(self) -> Interval:
        return self.runs[-1]


@dataclass(frozen=True, slots=True)
class Series:
    """Releases in the order of their first run, at one rate, one size, on one kind of platform."""

    scenario: str
    workload: str
    rate_per_s: float
    size: str
    platform: str
    target_ns: int  # the season's
    points: tuple[Point, ...]

    @property
    def runs(self) -> int:
        return sum(len(p.runs) for p in self.points)


def first_runs(outcomes: Iterable[Outcome]) -> dict[str, str]:
    """Release -> when its first run began: the order of releases. Names say nothing of age."""
    first: dict[str, str] = {}
    for run in outcomes:
        first[run.release] = min(first.get(run.release, run.begun_utc), run.begun_utc)
    return first


def trend(
    outcomes: Iterable[Outcome],
    targets_ns: Mapping[tuple[str, str], int],
    order: Mapping[str, str],
    confidence: float,
) -> tuple[Series, ...]:
    """Of every run that was fit to measure. `targets_ns`: (scenario, workload) -> the season's."""
    found: dict[tuple[str, str, float, str, str], dict[str, list[Interval]]] = {}
    for run in outcomes:
        for w in run.workloads:
            name = str(w.workload)
            if w.rto_low_ns is None or w.verdict in {Verdict.INVALID, Verdict.ERROR}:
                continue
            if (run.scenario, name) in targets_ns:
                key = (run.scenario, name, w.rate_per_s, run.size, f"{run.platform}/{run.kind}")
                interval = Interval(run.run_id, w.rto_low_ns, w.rto_high_ns)
                found.setdefault(key, {}).setdefault(run.release, []).append(interval)
    places = {key: place for place, key in enumerate(targets_ns)}
    ordered = sorted(found, key=lambda k: (places[k[0], k[1]], k[3], k[2], k[4]))
    return tuple(
        Series(*key, targets_ns[key[0], key[1]], _points(found[key], order, confidence))
        for key in ordered
    )


def _points(
    found: Mapping[str, list[Interval]], order: Mapping[str, str], confidence: float
) -> tuple[Point, ...]:
    return tuple(
        Point(
            release,
            tuple(sorted(found[release], key=_slowness)),
            clean_runs_claim(len(found[release]), confidence),
        )
        for release in sorted(found, key=lambda r: (order[r], r))
    )


def _slowness(run: Interval) -> tuple[bool, int, int, str]:
    return run.high_ns is None, run.high_ns or 0, run.low_ns, run.run_id
