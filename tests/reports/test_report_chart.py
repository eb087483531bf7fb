"""Measures of the pictures: nothing bad is averaged away, nothing leaves its frame."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import report_cases
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.record import RunRecord
from reports.chart import (
    POINTS_MAX,
    Axis,
    Scale,
    area,
    decimate,
    latency_scale,
    line,
    rate_scale,
    time_ticks,
)
from reports.html import render_html
from reports.pictures import bars, panoramas
from reports.view import workloads

sizes, seeds = st.integers(1, 6_000), st.integers(0, 2**32 - 1)
calm = settings(deadline=None, derandomize=True)  # a busy machine is no failure


def rates(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 10_000, size)


@calm
@given(sizes, seeds)
def test_the_lowest_and_the_highest_second_stay(size: int, seed: int) -> None:
    values = rates(size, seed)
    steps = decimate(0.0, values)
    assert len(steps.values) <= max(POINTS_MAX, 1)
    assert steps.values.min() == min(values)
    assert steps.values.max() == max(values)
    assert steps.end_s == len(values)


@calm
@given(sizes, seeds, st.integers(0, 5_999))
def test_one_bad_second_is_still_seen(size: int, seed: int, at: int) -> None:
    values = rates(size, seed)
    at %= size
    values[at] = 0
    steps = decimate(0.0, values)
    zero_s = steps.at_s[np.flatnonzero(steps.values == 0)]
    width_s = len(values) / max(1, len(steps.values)) * 2 + 1
    assert len(zero_s) == 1
    assert abs(zero_s[0] - at) <= width_s


def test_gaps_stay_gaps() -> None:
    values = np.full(5_000, np.nan)
    values[2_000:2_500] = 7.0
    steps = decimate(0.0, values)
    assert np.isnan(steps.values[0])
    assert np.nanmin(steps.values) == np.nanmax(steps.values) == 7.0
    assert line(steps, Axis(0, 5_000), Scale(0, 10)).count("M") == 1


def test_a_short_series_is_drawn_second_by_second() -> None:
    steps = decimate(-2.0, np.array([4, 4, 0, 8]))
    axis, scale = Axis(-2, 2), rate_scale(8)
    assert line(steps, axis, scale) == "M0 50H500V100H750V0H1000"
    assert area(steps, axis, scale) == "M0 100V50H500V100H750V0H1000V100Z"


@calm
@given(st.floats(0.001, 1e6))
def test_scales_hold_what_was_measured(value: float) -> None:
    assert rate_scale(value).high >= value
    scale = latency_scale(max(value, 0.1), max(value, 0.1) * 3)
    assert scale.low <= max(value, 0.1) * (1 + 1e-9)
    assert scale.high >= value * 3 * (1 - 1e-9)


@calm
@given(st.floats(-100_000, 0), st.floats(1, 1_000_000))
def test_ticks_are_few_and_inside(begin_s: float, length_s: float) -> None:
    ticks = time_ticks(Axis(begin_s, begin_s + length_s))
    assert len(ticks) <= 13
    assert all(0 <= tick.at_per_cent <= 100 for tick in ticks)


def test_all_places_are_inside_their_pictures(record: RunRecord) -> None:
    views = workloads(record)
    for panorama in panoramas(record, views):
        for picture in panorama.rates:
            for path in (picture.offered_line, picture.good_area, picture.offered_area):
                numbers = [float(n) for n in re.findall(r"-?[\d.]+", path)]
                assert all(0 <= n <= 1000 for n in numbers)
        rows = [flag.row for flag in panorama.flags]
        assert rows == sorted(set(rows))
    for bar in bars(views):
        assert 0 <= bar.low_per_cent <= bar.high_per_cent <= 100
        assert 0 < bar.target_per_cent <= 100


def test_what_did_not_recover_is_open_to_the_end() -> None:
    record = report_cases.not_recovered()
    views = workloads(record)
    first = bars(views)[0]
    assert first.open_end
    assert first.high_per_cent == 100
    outage = panoramas(record, views)[0].rates[0].outage
    assert outage is not None
    assert (outage.open_end, outage.to_per_cent) == (True, 100)
    assert panoramas(record, views)[0].rates[-1].outage is None  # finance was never away


def test_a_long_run_shows_its_outage_by_itself_first() -> None:
    record = report_cases.very_long()
    keys = [p.key for p in panoramas(record, workloads(record))]
    assert keys == ["near", "whole"]
    assert [p.key for p in panoramas(report_cases.met(), workloads(report_cases.met()))] == [
        "whole"
    ]


def test_a_load_of_less_than_a_second_draws_nothing_and_breaks_nothing() -> None:
    base = report_cases.met()
    record = replace(base, load_stopped_ns=base.load_begun_ns + 400_000_000)
    drawn = panoramas(record, workloads(record))
    assert drawn[0].rates[0].offered_line == ""
    assert render_html(record)


def test_the_load_that_did_not_sag_is_shown_as_whole() -> None:
    shares = [v.offered_share for v in workloads(report_cases.missed())]
    assert shares == [1.0] * 6
    assert [v.offered_share for v in workloads(report_cases.skipped())] == [None] * 6
