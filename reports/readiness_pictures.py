"""What the readiness page draws, measured: how long proofs last, and recovery by release.

Horizontal places are per cent; strokes are paths in a box of 1000 by 100 that stretches with the
page, as in `chart`. No markup is made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from harness.core import wording
from harness.core.instants import days_after, instant, season_stretch
from harness.core.readiness.cells import Cell
from harness.core.readiness.matrix import Readiness
from harness.core.readiness.standing import State
from harness.core.readiness.trend import Interval, Point, Series
from reports.chart import Axis, Scale, Tick
from reports.readiness_view import CLASS, day
from reports.words import NS_PER_S, figure, recovery_span, seconds

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Lasting:
    """The proof of a scenario that ends first, as a bar."""

    scenario: str
    css: str
    word: str
    from_per_cent: float
    width_per_cent: float
    cells: int
    expires: str
    lapses: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Bars of proofs on one axis with the season. `season_*` None: it has no dates."""

    bars: tuple[Lasting, ...]
    ticks: tuple[Tick, ...]
    now_per_cent: float
    season_from: float | None
    season_width: float | None
    description: str


def calendar(found: Readiness) -> Calendar | None:
    """None where no cell is met: then nothing lasts."""
    met = [c for c in found.cells if c.state in {State.MET, State.SMOKE}]
    if not met:
        return None
    stretch = season_stretch(found.season)
    marks = [found.now_utc, *(c.run_utc for c in met), *(c.expires_utc for c in met)]
    marks += [stretch.begins_utc, stretch.ends_utc] if stretch else []
    at = [instant(text).timestamp() for text in marks]
    margin_s = max(_DAY_S, 0.02 * (max(at) - min(at)))
    axis = Axis(min(at) - margin_s, max(at) + margin_s)
    rows = [
        _lasting(row, [c for c in met if c.scenario == row], axis)
        for row in found.rows
        if any(c.scenario == row for c in met)
    ]
    begins = axis.per_cent(_at(stretch.begins_utc)) if stretch else None
    ends = axis.per_cent(_at(stretch.ends_utc)) if stretch else None
    told = "; ".join(f"{b.scenario}: to {b.expires} {b.lapses}".strip() for b in rows)
    return Calendar(
        tuple(sorted(rows, key=lambda b: b.from_per_cent + b.width_per_cent)),
        _months(axis),
        axis.per_cent(_at(found.now_utc)),
        begins,
        None if begins is None or ends is None else max(0.6, round(ends - begins, 3)),
        f"Until when what was shown holds. {told}.",
    )


def _at(utc: str) -> float:
    return instant(utc).timestamp()


def _lasting(row: str, cells: list[Cell], axis: Axis) -> Lasting:
    first = min(cells, key=lambda c: c.expires_utc)
    begin, end = axis.per_cent(_at(first.run_utc)), axis.per_cent(_at(first.expires_utc))
    return Lasting(
        row, CLASS[first.state], first.state.value, begin, round(end - begin, 3), len(cells),
        day(first.expires_utc), first.lapses,
    )  # fmt: skip


def _months(axis: Axis) -> tuple[Tick, ...]:
    """The first of every month, thinned until the names fit a telephone."""
    firsts = []
    utc = _utc_of(axis.begin_s)
    while _at(utc) <= axis.end_s:
        if utc[8:10] == "01":
            firsts.append(utc)
        utc = days_after(utc, 1)
    step = -(-len(firsts) // 5) or 1
    return tuple(
        Tick(axis.per_cent(_at(u)), f"{instant(u):%b %Y}", _side(axis.per_cent(_at(u))))
        for u in firsts[::step]
    )


def _utc_of(at_s: float) -> str:
    days, _ = divmod(at_s, _DAY_S)
    return days_after("1970-01-01T00:00:00Z", int(days))


def _side(per_cent: float) -> str:
    return "start" if per_cent < 6 else "end" if per_cent > 90 else "middle"


@dataclass(frozen=True, slots=True)
class ReleaseMark:
    """One release in a picture: strokes of its runs, and where the slowest ends."""

    release: str
    strokes: str  # SVG path, one stroke a run
    unrecovered: str  # the same, for runs that have no high end
    at_per_cent: float
    left_per_cent: float
    width_per_cent: float
    slowest_y: float | None  # per cent from the top; None: it did not recover
    runs: int
    median: str
    slowest: str
    within: str  # its high end alone
    support: str
    labelled: bool
    late: bool


@dataclass(frozen=True, slots=True)
class TrendPicture:
    """One series. `target_y` None: the target lies above the picture."""

    scenario: str
    workload: str
    told: str  # "smoke drills on embedded/shop"
    rate: str
    releases: tuple[ReleaseMark, ...]
    top: str
    target_y: float | None
    target: str
    joined: str  # a path through the slowest of each release
    description: str


def trend_groups(found: Readiness) -> tuple[tuple[str, str, tuple[TrendPicture, ...]], ...]:
    """(scenario, size and platform, pictures): like with like, each with a scale of its own."""
    made = sorted(
        (_picture(series, found.confidence) for series in found.trend),
        key=lambda p: (found.rows.index(p.scenario), p.told),
    )
    groups = groupby(made, lambda p: (p.scenario, p.told))
    return tuple((name, told, tuple(group)) for (name, told), group in groups)


def _picture(series: Series, confidence: float) -> TrendPicture:
    ends = [r.high_ns or r.low_ns for p in series.points for r in p.runs]
    highest = max(ends)
    near = series.target_ns <= 3 * highest
    scale = Scale(0.0, 1.15 * max(1, series.target_ns, highest) if near else 1.6 * highest)
    slot = 100 / len(series.points)
    labels = _labelled(len(series.points))
    marks = tuple(
        _mark(point, place, slot, scale, series.target_ns, confidence, labelled=place in labels)
        for place, point in enumerate(series.points)
    )
    ends_at = [(m.at_per_cent, m.slowest_y) for m in marks if m.slowest_y is not None]
    joined = "M" + "L".join(f"{x * 10:.1f} {y:.1f}" for x, y in ends_at) if len(ends_at) > 1 else ""
    told = "; ".join(f"{m.release}: {m.runs} runs, slowest {m.slowest}" for m in marks)
    return TrendPicture(
        series.scenario,
        series.workload,
        f"{series.size} drills on {series.platform}",
        f"{series.rate_per_s:g}/s",
        marks,
        seconds(scale.high / NS_PER_S),
        round(scale.box_y(series.target_ns), 2) if near else None,
        seconds(series.target_ns / NS_PER_S),
        joined,
        f"{series.scenario}, {series.workload}: recovery time by release. {told}.",
    )


def _labelled(points: int) -> set[int]:
    return {0, points - 1}  # a picture is as wide as a column of the matrix


def _mark(  # noqa: PLR0917 (places and measures of one picture)
    point: Point,
    place: int,
    slot: float,
    scale: Scale,
    target_ns: int,
    confidence: float,
    *,
    labelled: bool,
) -> ReleaseMark:
    back = [r for r in point.runs if r.high_ns is not None]
    out = [r for r in point.runs if r.high_ns is None]
    spread = 0.7 * slot / max(1, len(point.runs))
    left = place * slot + (slot - spread * (len(point.runs) - 1)) / 2
    slowest, median = point.slowest, point.median
    return ReleaseMark(
        release=point.release or "(unnamed)",
        strokes="".join(_stroke(r, left + n * spread, scale) for n, r in enumerate(back)),
        unrecovered="".join(
            _stroke(r, left + n * spread, scale) for n, r in enumerate(out, len(back))
        ),
        at_per_cent=round(left + (len(point.runs) - 1) * spread, 2),
        left_per_cent=round(place * slot, 2),
        width_per_cent=round(slot, 2),
        slowest_y=None if slowest.high_ns is None else round(scale.box_y(slowest.high_ns), 2),
        runs=len(point.runs),
        median=_told(median),
        slowest=_told(slowest),
        within="not back"
        if slowest.high_ns is None
        else f"{wording.seconds(slowest.high_ns, up=True)} s",
        support=(
            "did not always come back"
            if out
            else f"at least {int(point.quantile * 100 + 1e-9)}% of recoveries end within "
            f"{figure((slowest.high_ns or 0) / NS_PER_S)} s, at {confidence:.0%}"
        ),
        labelled=labelled,
        late=slowest.low_ns > target_ns,
    )


def _stroke(run: Interval, at_per_cent: float, scale: Scale) -> str:
    """From the low to the high end, and never shorter than can be seen."""
    top = 0.0 if run.high_ns is None else scale.box_y(run.high_ns)
    foot = max(scale.box_y(run.low_ns), top + 2.5)
    return f"M{at_per_cent * 10:.1f} {top:.1f}V{foot:.1f}"


def _told(run: Interval) -> str:
    return recovery_span(run.low_ns, run.high_ns)
