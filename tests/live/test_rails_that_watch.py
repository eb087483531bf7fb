"""A rail that could never end a drill is refused, and no error ever ends the watch in silence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness import session
from harness.core.guard import GuardRails
from harness.errors import Refused
from harness.watching.guarding import guarding
from tests.core import simulate
from tests.live.serving_stand import until

WORKLOAD = "tier: high, owner: shop, rto_s: 60, rpo_s: 0, latency_limit_s: 2, rate_per_s: 5"
EARNING = ", revenue_per_operation: 12.5"


def planned(tmp_path: Path, workload: str, more: str, rails: GuardRails) -> session.Order:
    targets = tmp_path / "targets.yaml"
    targets.write_text(f"workloads:\n  {workload}: {{{WORKLOAD}{more}}}\n")
    order = session.Order("node-loss", targets_file=targets, guards=rails)
    assert session.plan_only(order).guards == rails
    return order


@pytest.mark.parametrize(
    ("workload", "more", "rails"),
    [
        ("order-capture", "", GuardRails(money_max_cents=100)),
        ("order-capture", ", revenue_per_operation: 0", GuardRails(money_max_cents=0)),
        ("finance-reporting", EARNING, GuardRails(refused_per_minute_max=5)),
    ],
)
def test_a_rail_that_nothing_can_run_into_is_refused(
    tmp_path: Path, workload: str, more: str, rails: GuardRails
) -> None:
    with pytest.raises(Refused, match="could never end this drill"):
        planned(tmp_path, workload, more, rails)


def test_rails_within_reach_are_put_up(tmp_path: Path) -> None:
    planned(tmp_path, "order-capture", EARNING, GuardRails(5, 100))
    planned(tmp_path, "finance-reporting", EARNING, GuardRails(None, 100))
    planned(tmp_path, "order-capture", "", GuardRails())


class Unforeseen:
    """A reading that breaks in a way that nobody thought of."""

    def look(self, _now_ns: int) -> None:
        raise IndexError("past the end of the ledger")


def test_an_unforeseen_error_is_a_rail_that_nobody_watches(tmp_path: Path) -> None:
    plan = replace(simulate.plan_of(), guards=GuardRails(heartbeat_s=1.0))
    stopped: list[str] = []

    def stop(why: str) -> bool:
        stopped.append(why)
        return True

    with guarding(plan, tmp_path, Unforeseen(), None, stop=stop):  # type: ignore[arg-type]
        until(lambda: stopped, "the rail")
    assert "watchdog" in stopped[0]
    assert "IndexError" in stopped[0]
