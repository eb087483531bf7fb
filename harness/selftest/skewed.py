"""A skewed clock: the evidence of a run, told as if its workers had clocks of their own.

Workers beside the harness share its clock, and those elsewhere have one that nobody may turn. So
the skew is planted where it shows: in the round trips by which a clock is bounded. Of two copies of
one run the first has clocks that run evenly, and must be judged as the run was; in the second a
clock runs three in a hundred too fast, which no bound allows.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from harness.core.clock_bounds import RoundTrip
from harness.core.judge import judge
from harness.core.load_places import WorkerPlace, WorkersIn
from harness.core.plan import Plan
from harness.core.verdict import Judgement
from harness.evidence import canonical, layout, lines, seal
from harness.evidence.load import open_run
from harness.evidence.workers import write_places

DEFECT, CONDITION = "skewed-clock", "clock"
WHAT = "the clock of a load worker elsewhere runs three in a hundred too fast"
_EVERY_NS, _ROUND_TRIP_NS, _TOO_FAST = 1_000_000_000, 400_000, 0.03


def judged_elsewhere(run: Path, into: Path, *, too_fast: bool) -> Judgement:
    """The run's evidence, copied to `into` and judged as of workers elsewhere."""
    shutil.copytree(run, into)
    (into / layout.SEAL).unlink(missing_ok=True)
    plan, evidence, _ = open_run(into)
    begin_ns, end_ns = evidence.load_begun_ns, evidence.load_stopped_ns
    moved: Plan = replace(plan, workers_in=WorkersIn.PODS)
    (into / layout.PLAN).write_bytes(canonical.dumps(moved))
    write_places(
        into,
        tuple(WorkerPlace(w, f"worker-{w}", "elsewhere", begin_ns) for w in range(plan.workers)),
    )
    for worker in range(plan.workers):
        skew = _TOO_FAST if too_fast and worker == 0 else 0.0
        lines.append_trips(into, round_trips(worker, begin_ns, end_ns, skew))
    seal.seal(into)
    told_plan, told, _ = open_run(into)
    return judge(told_plan, told)


def round_trips(worker: int, begin_ns: int, end_ns: int, skew: float) -> list[RoundTrip]:
    """One a second, answered in the middle, by a clock that agrees at the begin.

    >>> [trip.told_ns - trip.sent_ns for trip in round_trips(0, 0, 2_000_000_000, 0.0)]
    [200000, 200000, 200000]
    >>> [trip.told_ns - trip.sent_ns for trip in round_trips(0, 0, 2_000_000_000, 0.03)]
    [200000, 30200000, 60200000]
    """
    half_ns = _ROUND_TRIP_NS // 2
    return [
        RoundTrip(
            worker, at_ns - half_ns, at_ns + round((at_ns - begin_ns) * skew), at_ns + half_ns
        )
        for at_ns in range(begin_ns, end_ns + 1, _EVERY_NS)
    ]
