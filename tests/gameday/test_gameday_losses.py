"""A loss that a drill of the day proved is never lost from sight, however its process ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.gameday import records as said
from harness.core.gameday.state import Phase
from harness.core.verdict import Verdict
from harness.errors import PlatformError
from harness.evidence import layout
from harness.gameday import orders
from tests.core import judged_runs
from tests.core.simulated_stores import Defects
from tests.evidence.stored_run import store
from tests.gameday.desk import STEPS

NONE = "approvals: none\n"


class Killed(BaseException):
    """The process is gone: nothing that would catch an Exception sees it."""


def leave(order, lost: int) -> None:
    """What a real run leaves that never came to its verdict."""
    plan, evidence = judged_runs.run(defects=Defects(lost=lost))
    scenario = replace(plan.scenario, name=order.scenario)
    run = store(order.out, "left", of=(replace(plan, seed=order.seed, scenario=scenario), evidence))
    for name in (layout.SEAL, layout.VERDICT, layout.OBSERVATION, *layout.REPORTS):
        (run / name).unlink()


def of(desk, kind: type) -> list:
    return [e.said for e in desk.book().entries() if isinstance(e.said, kind)]


def lossy(desk, error: BaseException) -> None:
    def leaves_and_dies(order) -> None:
        if order.scenario == "credential-compromise":
            leave(order, lost=3)
            raise error

    desk.write(NONE + "abort: {then: next}\n")
    desk.drills.before = leaves_and_dies


def holds(desk) -> None:
    (ended,) = [e for e in of(desk, said.ScenarioEnded) if e.step == STEPS[1]]
    assert (ended.verdict, ended.proven_loss) == (Verdict.MISSED, True)
    assert of(desk, said.ScenarioLost) == []
    assert any(f.check == "rpo" and f.is_open for f in desk.book().state().findings)


def test_a_killed_drill_that_proved_a_loss_is_not_drilled_again_until_it_is_met(desk) -> None:
    lossy(desk, Killed())
    with pytest.raises(Killed):
        desk.conduct()
    desk.drills.before = lambda _: None
    assert desk.conduct().phase is Phase.FINISHED
    assert desk.drilled().count("credential-compromise") == 1
    holds(desk)


def test_a_drill_that_ended_in_an_error_keeps_the_loss_that_it_proved(desk) -> None:
    lossy(desk, PlatformError("the platform is gone"))
    assert desk.conduct().phase is Phase.FINISHED
    holds(desk)


def test_one_that_proved_nothing_is_lost_as_before(desk) -> None:
    def leaves_and_fails(order) -> None:
        leave(order, lost=0)
        raise PlatformError("the platform is gone")

    desk.write(NONE)
    desk.drills.before = leaves_and_fails
    assert desk.conduct().phase is Phase.STOPPED
    assert [lost.step for lost in of(desk, said.ScenarioLost)] == [STEPS[0]]


def test_a_run_that_met_says_that_nothing_was_lost() -> None:
    from tests.cli import stand_ins

    assert not orders.ended_of(STEPS[0], 1, stand_ins.record(Verdict.MET)).proven_loss
