"""What the HTML report draws, measured: time lines, latencies, flags and recovery bars."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harness.core import wording
from harness.core.record import RunRecord, Series
from harness.core.timeline import Mark, MarkName
from harness.core.verdict import RecoveryTime
from reports.chart import (
    POINTS_MAX,
    Axis,
    Scale,
    Tick,
    area,
    band,
    bin_width_s,
    decimate,
    latency_scale,
    line,
    rate_scale,
    time_ticks,
)
from reports.view import WorkloadView
from reports.words import MARK_WORD, NS_PER_S, figure, milliseconds_or_seconds, seconds


@dataclass(frozen=True, slots=True)
class Flag:
    """A mark above the time lines. `row` counts from the top; a later mark stands lower."""

    name: str
    label: str
    when: str
    at_per_cent: float
    row: int

    @property
    def sides(self) -> tuple[tuple[str, bool], ...]:
        """Where the label goes, as (width of the screen, leftwards): it must stay inside."""
        narrow, wide = self.at_per_cent > 42, self.at_per_cent > 68
        return (("any", wide),) if narrow == wide else (("narrow", narrow), ("wide", wide))


@dataclass(frozen=True, slots=True)
class Outage:
    """From the first failure to recovery; `open_end` where nothing recovered."""

    from_per_cent: float
    to_per_cent: float
    open_end: bool

    @property
    def width_per_cent(self) -> float:
        return round(self.to_per_cent - self.from_per_cent, 3)


@dataclass(frozen=True, slots=True)
class RatePicture:
    view: WorkloadView
    description: str
    top_label: str
    offered_line: str
    offered_area: str
    good_area: str
    shed_area: str
    outage: Outage | None


@dataclass(frozen=True, slots=True)
class LatencyPicture:
    view: WorkloadView
    description: str
    grid: tuple[Tick, ...]  # `at_per_cent` counts from the top
    limit_per_cent: float
    limit_label: str
    p50_line: str
    p99_line: str
    between: str
    outage: Outage | None


@dataclass(frozen=True, slots=True)
class Panorama:
    """All pictures over one stretch of time."""

    key: str
    title: str
    axis: Axis
    ticks: tuple[Tick, ...]
    flags: tuple[Flag, ...]
    fault_per_cent: float | None
    rates: tuple[RatePicture, ...]
    latencies: tuple[LatencyPicture, ...]
    bin_width_s: int


def panoramas(record: RunRecord, views: tuple[WorkloadView, ...]) -> tuple[Panorama, ...]:
    """The whole run; and, where that is long, the time around the fault before it."""
    begin_s = (record.load_begun_ns - record.origin_ns) / NS_PER_S
    end_s = (record.load_stopped_ns - record.origin_ns) / NS_PER_S
    if end_s <= begin_s or not any(view.series for view in views):
        return ()
    whole = Axis(begin_s, end_s)
    near = _around_the_fault(record, views, whole)
    if near is None:
        return (_panorama("whole", "The whole run", record, views, whole),)
    return (
        _panorama("near", "Around the fault", record, views, near),
        _panorama("whole", "The whole run", record, views, whole),
    )


def _around_the_fault(
    record: RunRecord, views: tuple[WorkloadView, ...], whole: Axis
) -> Axis | None:
    """A stretch that shows the outage, where the whole run would hide it in a few pixels."""
    ends_s = [v.rto.high_ns / NS_PER_S for v in views if v.rto and v.rto.high_ns]
    ends_s += [
        (m.latest_ns - record.origin_ns) / NS_PER_S
        for m in record.timeline.marks
        if m.name in MARK_WORD
    ]
    last_s = min(max(ends_s, default=0.0), whole.end_s)
    near = Axis(max(whole.begin_s, -0.25 * last_s - 10), min(whole.end_s, 1.25 * last_s + 15))
    if last_s <= 0 or (near.end_s - near.begin_s) * 4 > whole.end_s - whole.begin_s:
        return None
    return near


def _panorama(
    key: str, title: str, record: RunRecord, views: tuple[WorkloadView, ...], axis: Axis
) -> Panorama:
    drawn = [(v, _within(v.series, axis)) for v in views if v.series is not None]
    longest = max(len(series.scheduled) for _, series in drawn)
    fault = record.timeline.first(MarkName.FAULT_ACTIVE)
    return Panorama(
        key=key,
        title=title,
        axis=axis,
        ticks=time_ticks(axis),
        flags=_flags(record, views, axis),
        fault_per_cent=axis.per_cent(0.0) if fault else None,
        rates=tuple(_rate(v, series, axis) for v, series in drawn),
        latencies=tuple(_latency(v, series, axis) for v, series in drawn),
        bin_width_s=bin_width_s(longest, POINTS_MAX),
    )


def _within(series: Series, axis: Axis) -> Series:
    at_s = series.begin_s + np.arange(len(series.scheduled))
    kept = (at_s >= axis.begin_s - 0.001) & (at_s + 1 <= axis.end_s + 0.001)  # whole bins only
    first = int(np.argmax(kept)) if kept.any() else 0
    return replace(
        series,
        begin_s=series.begin_s + first,
        scheduled=series.scheduled[kept],
        offered=series.offered[kept],
        good=series.good[kept],
        shed=series.shed[kept],
        latency_p50_ms=series.latency_p50_ms[kept],
        latency_p99_ms=series.latency_p99_ms[kept],
    )


def _flags(record: RunRecord, views: tuple[WorkloadView, ...], axis: Axis) -> tuple[Flag, ...]:
    """One mark of each name, and the instant from which every workload was well."""
    found = [
        (m.name.value, MARK_WORD[m.name], *_when(m, record.origin_ns))
        for name in MARK_WORD
        if (m := _one(record, name)) is not None
    ]
    highs = [v.rto.high_ns for v in views if v.rto is not None]
    if highs and None not in highs and any(highs):
        last_ns = max(h for h in highs if h is not None)
        when = f"{wording.seconds(last_ns, up=True)} s"  # as the judge rounds it
        found.append(("recovered", "all workloads well", last_ns / NS_PER_S, when))
    found = sorted((f for f in found if axis.begin_s <= f[2] <= axis.end_s), key=lambda f: f[2])
    return tuple(
        Flag(name, label, when, axis.per_cent(at_s), row)
        for row, (name, label, at_s, when) in enumerate(found)
    )


_LAST = {MarkName.REVOKED, MarkName.RECOVERY_ENDED, MarkName.FAILBACK_ENDED}


def _one(record: RunRecord, name: MarkName) -> Mark | None:
    """The first of its name; of what is only done with the last one, that."""
    return record.timeline.last(name) if name in _LAST else record.timeline.first(name)


def _when(mark: Mark, origin_ns: int) -> tuple[float, str]:
    """The latest instant; the table of all marks has the whole interval."""
    late_s = 0.0 if mark.name is MarkName.FAULT_ACTIVE else (mark.latest_ns - origin_ns) / NS_PER_S
    return late_s, seconds(late_s)


def _outage(rto: RecoveryTime | None, axis: Axis) -> Outage | None:
    if rto is None or rto.first_bad_ns is None:
        return None
    open_end = rto.high_ns is None
    end_s = axis.end_s if rto.high_ns is None else rto.high_ns / NS_PER_S
    begin = axis.per_cent(rto.first_bad_ns / NS_PER_S)
    return Outage(begin, max(begin, axis.per_cent(end_s)), open_end)


def _rate(view: WorkloadView, series: Series, axis: Axis) -> RatePicture:
    highest = max(float(column.max(initial=0)) for column in (series.offered, series.scheduled))
    scale = rate_scale(highest)
    offered = decimate(series.begin_s, series.offered)
    served = decimate(series.begin_s, series.good)
    shed = decimate(series.begin_s, series.good + series.shed) if series.shed.any() else None
    sent, good = int(series.offered.sum()), int(series.good.sum())
    return RatePicture(
        view=view,
        description=(
            f"{view.name}: {sent:,} operations offered, {good:,} of them answered well; "
            f"at most {figure(highest)} offered in a second. Recovery time {view.rto_text}, "
            f"target {view.rto_target_text}."
        ),
        top_label=f"{figure(scale.high)}/s",
        offered_line=line(offered, axis, scale),
        offered_area=area(offered, axis, scale),
        good_area=area(served, axis, scale),
        shed_area=area(shed, axis, scale) if shed else "",
        outage=_outage(view.rto, axis),
    )


def _latency(view: WorkloadView, series: Series, axis: Axis) -> LatencyPicture:
    limit_ms = (view.target.latency_limit_s if view.target else 1.0) * 1000
    gap = np.isnan(series.latency_p50_ms) | np.isnan(series.latency_p99_ms)
    p50, p99 = (
        np.where(gap, np.nan, column) for column in (series.latency_p50_ms, series.latency_p99_ms)
    )
    lowest = float(p50[~gap].min(initial=limit_ms))
    highest = float(p99[~gap].max(initial=0.0))
    scale = latency_scale(lowest, max(highest, limit_ms))
    middle, worst = decimate(series.begin_s, p50), decimate(series.begin_s, p99)
    said = "nothing was answered"
    if not gap.all():
        typical = float(np.median(p50[~gap]))
        said = (
            f"a typical second has its median at {milliseconds_or_seconds(typical)}, "
            f"the slowest its 99th percentile at {milliseconds_or_seconds(highest)}"
        )
    return LatencyPicture(
        view=view,
        description=f"{view.name}: {said}; the limit is {milliseconds_or_seconds(limit_ms)}.",
        grid=_decades(scale),
        limit_per_cent=round((1 - scale.share(limit_ms)) * 100, 2),
        limit_label=f"limit {milliseconds_or_seconds(limit_ms)}",
        p50_line=line(middle, axis, scale),
        p99_line=line(worst, axis, scale),
        between=band(middle, worst, axis, scale),
        outage=_outage(view.rto, axis),
    )


def _decades(scale: Scale) -> tuple[Tick, ...]:
    values, value = [], scale.low
    while value <= scale.high * 1.001:
        values.append(value)
        value *= 10
    return tuple(
        Tick(round((1 - scale.share(v)) * 100, 2), milliseconds_or_seconds(v)) for v in values
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """One recovery time against its target; the picture's right edge is `RATIO_MAX` targets."""

    view: WorkloadView
    target_per_cent: float
    low_per_cent: float
    high_per_cent: float
    open_end: bool  # not recovered
    beyond: bool  # longer than the picture is wide
    description: str

    @property
    def width_per_cent(self) -> float:
        return round(self.high_per_cent - self.low_per_cent, 3)


RATIO_MAX = 2.5


def bars(views: tuple[WorkloadView, ...]) -> tuple[Bar, ...]:
    """Each in shares of its own target, so that all targets stand on one line."""
    measured = [(v, v.rto) for v in views if v.rto is not None]
    ratios = [_ratio(v.high_ns or v.low_ns, rto.target_ns) for v, rto in measured]
    widest = min(RATIO_MAX, max([1.25, *(r * 1.05 for r in ratios)]))

    def place(ns: int, rto: RecoveryTime) -> float:
        return round(min(1.0, _ratio(ns, rto.target_ns) / widest) * 100, 3)

    return tuple(
        Bar(
            view=view,
            target_per_cent=round(100 / widest, 3),
            low_per_cent=place(view.low_ns, rto),
            high_per_cent=100.0 if view.high_ns is None else place(view.high_ns, rto),
            open_end=view.high_ns is None,
            beyond=_ratio(view.low_ns, rto.target_ns) >= widest,
            description=f"{view.name}: {view.rto_text}; target {view.rto_target_text}.",
        )
        for view, rto in measured
    )


def _ratio(ns: int, target_ns: int) -> float:
    if target_ns <= 0:
        return 0.0 if ns <= 0 else RATIO_MAX * 2
    return ns / target_ns
