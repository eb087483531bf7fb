"""Guard rails: a limit that is passed ends the drill, one that is kept never does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.guard import (
    ALERTS_UNREAD_MAX_S,
    GuardRails,
    Harm,
    Readings,
    gauges,
    rails_told,
    tripped,
)
from harness.evidence import canonical
from tests.core import simulate

COUNTS = st.integers(0, 10_000)


@given(COUNTS, COUNTS)
def test_refused_orders_trip_beyond_the_limit_and_not_at_it(now: int, most: int) -> None:
    trip = tripped(GuardRails(refused_per_minute_max=most), Readings(Harm(now)), "EUR")
    assert (trip is not None) is (now > most)
    if trip is not None:
        assert trip.rail == "refused-per-minute"
        assert f"{now:,} orders" in trip.why
        assert f"at most {most:,}" in trip.why


@given(COUNTS, COUNTS)
def test_money_trips_beyond_the_limit_and_not_at_it(now: int, most: int) -> None:
    rails = GuardRails(money_max_cents=most)
    trip = tripped(rails, Readings(Harm(money_cents=now)), "EUR")
    assert (trip is not None) is (now > most)
    if trip is not None:
        assert trip.rail == "money"
        assert f"EUR {now // 100:,}.{now % 100:02d}" in trip.why


@given(st.floats(0, 1000), st.floats(1, 600))
def test_a_silent_prober_trips(silent_s: float, heartbeat_s: float) -> None:
    trip = tripped(GuardRails(heartbeat_s=heartbeat_s), Readings(silent_s=silent_s), "EUR")
    assert (trip is not None) is (silent_s > heartbeat_s)


@given(COUNTS, COUNTS, st.floats(0, 15), st.lists(st.text(min_size=1), max_size=3))
def test_rails_that_were_not_put_up_never_trip(
    refused: int, cents: int, silent_s: float, firing: list[str]
) -> None:
    seen = Readings(Harm(refused, refused, cents), silent_s, tuple(firing), 10_000.0)
    assert tripped(GuardRails(), seen, "EUR") is None


def test_only_the_named_alert_trips() -> None:
    rails = GuardRails(alerts=("PaymentsDown",))
    assert tripped(rails, Readings(firing=("DiskFull",)), "EUR") is None
    trip = tripped(rails, Readings(firing=("DiskFull", "PaymentsDown")), "EUR")
    assert trip is not None
    assert trip.why == "the alert PaymentsDown fires"


def test_alerts_that_cannot_be_read_are_a_rail_that_nobody_watches() -> None:
    rails = GuardRails(alerts=("PaymentsDown",))
    assert tripped(rails, Readings(alerts_unread_s=ALERTS_UNREAD_MAX_S), "EUR") is None
    trip = tripped(rails, Readings(alerts_unread_s=ALERTS_UNREAD_MAX_S + 1), "EUR")
    assert trip is not None
    assert "nobody watches PaymentsDown" in trip.why


def test_the_way_to_undo_is_told_before_all_else() -> None:
    rails = GuardRails(0, 0, ("A",), 1.0)
    seen = Readings(Harm(9, 9, 9), 99.0, ("A",), 0.0, "the child died")
    trip = tripped(rails, seen, "EUR")
    assert trip is not None
    assert (trip.rail, trip.why) == ("undo-path", "the child died")


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_a_gauge_is_full_exactly_from_its_limit_on(
    refused: int, most: int, cents: int, worth: int
) -> None:
    found = gauges(GuardRails(most, worth), Readings(Harm(refused, refused, cents)), "EUR")
    used = {gauge.rail: gauge.used for gauge in found}
    assert 0 <= min(used.values()) <= max(used.values()) <= 1
    assert (used["refused-per-minute"] == 1) is (refused >= most and refused > 0)
    assert (used["money"] == 1) is (cents >= worth and cents > 0)


def test_every_rail_that_is_put_up_is_told_before_the_drill() -> None:
    told = rails_told(GuardRails(100, 500_000, ("PaymentsDown",), 20), "EUR")
    assert told == (
        "more than 100 orders refused or unanswered within a minute",
        "more than EUR 5,000.00 at risk",
        "the alert PaymentsDown fires",
        "the prober is silent for 20 s",
        "the way to undo the fault is lost",
    )


@pytest.mark.parametrize("rails", [GuardRails(), GuardRails(100, 5, ("A", "B"), 3.0)])
def test_evidence_shows_the_rails_and_an_old_plan_keeps_its_bytes(rails: GuardRails, tmp_path):
    from dataclasses import replace

    from harness.core.plan import Plan

    before = canonical.dumps(simulate.plan_of())
    assert b"guards" not in before
    body = canonical.dumps(replace(simulate.plan_of(), guards=rails))
    assert (body == before) is (rails == GuardRails())
    file = tmp_path / "plan.json"
    file.write_bytes(body)
    assert canonical.loads(Plan, file).guards == rails
