"""Where counting begins and ends: the first instant, one run, one answer, a whole line of text."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core import checks
from harness.core.arrivals import Arrivals
from harness.core.clock_bounds import WorkerClock
from harness.core.detection import burn_rate_alert_ns
from harness.core.load_places import ClockHealth, Elsewhere, WorkerPlace
from harness.core.operation import Kind, document_bytes
from harness.core.operations import SLOT, Operations
from harness.core.order_statistics import (
    lower_error,
    lower_rank,
    ranked,
    sample_quantile,
    upper_error,
    upper_rank,
)
from harness.core.scenario import Scenario, automatic, experiment, load

S = 10**9


def bad_at(*done_ns: int) -> Arrivals:
    done = np.array(done_ns, dtype=np.int64)
    no = np.zeros(len(done), dtype=np.bool_)
    return Arrivals(np.ones(len(done), np.uint8), no, done, done, no, no, done, no)


@pytest.mark.parametrize(
    ("done_ns", "at_s"),
    [((1,), 1), ((0,), None), ((S,), 2), ((S - 1,), 1), ((0, 3 * S), 4), ((), None)],
)
def test_an_answer_counts_from_the_first_nanosecond_on(
    done_ns: tuple[int, ...], at_s: int | None
) -> None:
    """0 is no instant but "no end on record"; at the instant itself it is not there yet."""
    found = burn_rate_alert_ns(bad_at(*done_ns), 0, 6 * S)
    assert found == (None if at_s is None else at_s * S)


def there(
    *, at: list[int], low: list[int], high: list[int], begin_ns: int, begun_ns: int
) -> Elsewhere:
    columns = (np.array(column, dtype=np.int64) for column in (at, low, high))
    return Elsewhere(WorkerPlace(0, "load-0", "n", begin_ns), WorkerClock(0, *columns), begun_ns)


def ledger(*rows: tuple[int, int, int, Kind]) -> Operations:
    slots = np.zeros(len(rows), dtype=SLOT)
    for slot, (intended, sent, done, kind) in zip(slots, rows, strict=True):
        slot["intended_ns"], slot["sent_ns"], slot["done_ns"] = intended, sent, done
        slot["kind"], slot["state"] = kind, 2
    return Operations.from_slots(0, slots)


EVEN = {"at": [0, 10 * S], "low": [90, 90], "high": [110, 110]}  # 100 ns behind, half: 10 + 2


def test_every_time_of_a_ledger_comes_onto_the_run_s_clock() -> None:
    place = there(**EVEN, begin_ns=40, begun_ns=1_000)
    found = place.on_run_clock(
        ledger((50, 60, 1, Kind.CREATE), (50, 60, 0, Kind.CREATE), (50, 60, 70, Kind.RESYNC))
    )
    assert found.intended_ns.tolist() == [1_010, 1_010, 150]
    assert found.sent_ns.tolist() == [160, 160, 160]
    assert found.done_ns.tolist() == [101, 0, 170], "an end at the first nanosecond is an end"


@pytest.mark.parametrize(
    ("rows", "last_ns"),
    [
        ([], 40),
        ([(50, 45, 0, Kind.CREATE)], 50),
        ([(50, 60, 0, Kind.CREATE)], 60),
        ([(50, 60, 70, Kind.CREATE), (51, 52, 53, Kind.CREATE)], 70),
        ([(1, 2, 3, Kind.CREATE)], 40),
    ],
)
def test_how_long_a_ledger_went_on(rows: list[tuple[int, int, int, Kind]], last_ns: int) -> None:
    place = there(**EVEN, begin_ns=40, begun_ns=140)
    assert place.last_ns(ledger(*rows)) == last_ns
    assert place.health(ledger(*rows)) == place.health_until(last_ns)


def test_a_clock_s_health_is_its_error_and_how_far_its_schedule_lay_beside() -> None:
    in_step = there(**EVEN, begin_ns=0, begun_ns=100)
    between = 12 + 10 * S // 2_000 + 1
    assert in_step.health_until(10 * S) == ClockHealth(0, between)
    beside = there(**EVEN, begin_ns=0, begun_ns=175)
    assert beside.health_until(10 * S) == ClockHealth(0, between + 75)
    drifting = there(
        at=[0, 10 * S], low=[90, 90 + 500], high=[110, 110 + 500], begin_ns=0, begun_ns=100
    )
    assert drifting.health_until(10 * S).error_ns == between + 500


@pytest.mark.parametrize(("stepped_s", "told"), [(105, 5), (219, 119), (100, 0), (97, -3)])
def test_a_step_is_told_in_seconds_after_the_begin(stepped_s: int, told: int) -> None:
    place = there(
        at=[90 * S, stepped_s * S], low=[0, 9], high=[0, 8], begin_ns=100 * S, begun_ns=0
    )  # fmt: skip
    assert place.health_until(300 * S) == ClockHealth(
        0, 0, f"its clock stepped about {told} s after the begin"
    )


@given(st.integers(0, 400), st.text("abc-0123", max_size=12))
def test_a_document_is_its_heading_and_its_key_s_digest_over_and_over(size: int, key: str) -> None:
    heading = f"peakdrill document {key}\n".encode()
    seed = hashlib.sha256(key.encode()).hexdigest().encode()
    assert document_bytes(key, size) == (heading + seed * 9)[:size]


@pytest.mark.parametrize("runs", [1, 2, 3])
@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("error", [0.01, 0.05, 0.5, 0.95])
def test_the_fewest_runs_bound_what_they_can(runs: int, quantile: float, error: float) -> None:
    """With one run, too: from below it is as good as the chance that it lies below."""
    below = [r for r in range(1, runs + 1) if lower_error(runs, quantile, r) <= error]
    above = [r for r in range(1, runs + 1) if upper_error(runs, quantile, r) <= error]
    assert lower_rank(runs, quantile, error) == max(below, default=None)
    assert upper_rank(runs, quantile, error) == min(above, default=None)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.integers(1, 100))
def test_a_sample_s_quantile_is_the_smallest_value_that_enough_stay_within(
    values: list[int], percent: int
) -> None:
    found = sample_quantile(values, percent / 100)
    within = [v for v in values if 100 * sum(x <= v for x in values) >= percent * len(values)]
    assert found == min(within)
    assert ranked(values, 1, without=math.inf) == min(values)
    assert ranked(values, len(values), without=math.inf) == max(values)


def test_a_scenario_keeps_what_it_was_given_and_nobody_can_change_it() -> None:
    named, needed, tagged = [checks.rto], {"nodes"}, {"dns"}
    made = Scenario("a", "o", load("steady"), experiment("x", b="2", a="1"), automatic(within_s=60),
                    named, needed, tagged)  # fmt: skip
    named.append(checks.rpo)
    needed.add("ingress")
    tagged.clear()
    assert (made.checks, made.requires, made.tags) == ((checks.rto,), {"nodes"}, {"dns"})
    assert made.fault.parameters == (("a", "1"), ("b", "2"))
    assert hash(made) == hash(made)
    assert made.degraded_mode is False
