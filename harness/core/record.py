"""A judged run as the reports see it: the judgement, and the series that they draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.core.alerting import Detection
from harness.core.money_values import Money
from harness.core.operation import Workload
from harness.core.plan import Plan
from harness.core.proofs import Proof, StepRecord
from harness.core.timeline import Timeline
from harness.core.verdict import Judgement


@dataclass(frozen=True, slots=True)
class Series:
    """Per bin of 1 s, by intended time, canaries left out. Arrays of equal length.

    `begin_s` is the first bin's start relative to the record's origin. Latencies are from the
    intended time, over ACKED arrivals; NaN where a bin has none.
    """

    workload: Workload
    begin_s: float
    scheduled: npt.NDArray[np.int64]
    offered: npt.NDArray[np.int64]  # sent; equals scheduled when the load did not sag
    good: npt.NDArray[np.int64]
    shed: npt.NDArray[np.int64]  # explicit 503
    latency_p50_ms: npt.NDArray[np.float64]
    latency_p99_ms: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WallClock:
    """How the run's clock stands on everybody's; nothing is judged by it."""

    offset_ns: int  # ns since 1970 minus ns on the run's clock
    source: str  # by what it was found


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything that a renderer needs; nothing in it is a secret."""

    plan: Plan
    judgement: Judgement
    timeline: Timeline
    series: tuple[Series, ...]
    origin_ns: int  # t_F, or the begin of the load where nothing took effect
    load_begun_ns: int
    load_stopped_ns: int
    begun_utc: str  # ISO 8601, seconds
    evidence_digest: str  # SHA-256 of the seal, hex
    directory: str  # name of the run directory, not its path
    chaos_steps: tuple[tuple[str, str], ...] = ()  # (activity, status), for "how it was done"
    steps: tuple[StepRecord, ...] = ()  # of the runbooks, in the order in which they ended
    proofs: tuple[Proof, ...] = ()
    money: Money | None = None  # None: not computed
    money_why: str = ""  # why it could not be
    detection: Detection | None = None
    wall: WallClock | None = None  # None where nobody knows
