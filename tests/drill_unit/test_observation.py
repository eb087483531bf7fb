"""The end of observation, when the service did not come back while the fault was on."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core.judge import judge
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import Verdict
from harness.evidence import events
from harness.evidence.rundir import RunDirectory
from harness.progress import Silent
from harness.trading import Trading
from tests.core import simulate

S = 10**9


def trading(out: Path, *, well: bool) -> tuple[Trading, RunDirectory]:
    plan = simulate.plan_of()
    plan = replace(plan, limits=replace(plan.limits, observe_s=0.05))
    run = RunDirectory.create(out, "r1")
    live = SimpleNamespace(view=lambda *_, **__: None, all_well=lambda *_: well)
    workers = SimpleNamespace(why_ended=lambda: "")
    return Trading(plan, run, Silent(), 0, workers, live), run  # type: ignore[arg-type]


@pytest.mark.parametrize("well", [True, False])
def test_observation_ends_with_the_watch_when_the_service_did_not_come_back(
    tmp_path: Path, well: bool
) -> None:
    load, run = trading(tmp_path, well=well)
    assert load.await_well() is well
    (mark,) = events.read(run / "events.jsonl").timeline.marks
    assert mark.name is (MarkName.SERVICE_WELL if well else MarkName.OBSERVATION_ENDED)


@pytest.mark.parametrize("well", [True, False])
def test_a_run_does_not_end_in_the_middle_of_a_dip(tmp_path: Path, well: bool) -> None:
    load, _ = trading(tmp_path, well=well)
    load.plan = replace(load.plan, limits=replace(load.plan.limits, window_s=0.2))
    asked = []

    def all_well(now_ns: int, since_ns: int, window_ns: int) -> bool:
        asked.append((now_ns - since_ns, window_ns))
        return well

    load.live.all_well = all_well
    load.hold_after()
    assert {window_ns for _, window_ns in asked} == {S // 5}
    assert (len(asked) == 1) is well
    assert all(held_ns < 3 * S // 5 for held_ns, _ in asked)


def test_a_return_that_the_release_brought_about_is_no_recovery() -> None:
    """Down until the fault was released, 40 s after it; the longest targets are 120 s and 900 s."""
    plan, seen = simulate.evidence(outage_s=40, after_s=30)
    assert judge(plan, seen).verdict is Verdict.MET
    fault_ns = seen.timeline.first(MarkName.FAULT_ACTIVE).earliest_ns
    ended = Mark(MarkName.OBSERVATION_ENDED, fault_ns + 39 * S, fault_ns + 39 * S)
    watched = replace(seen, timeline=Timeline((*seen.timeline.marks, ended)))
    assert judge(plan, watched).verdict is Verdict.INCONCLUSIVE
