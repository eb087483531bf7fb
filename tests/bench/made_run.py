"""A run as a long drill leaves it: as many operations as are asked for, one fault, one order lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.core.evidence import Evidence, LedgerHealth, ReadBack
from harness.core.operation import Workload
from harness.core.operations import Operations
from harness.core.plan import Plan
from harness.core.timeline import Mark, MarkName, Timeline
from tests.bench.judging import survivors
from tests.core.judged_runs import run

_S = 10**9
_AT_S = {
    MarkName.LOAD_BEGUN: 0.0, MarkName.BASELINE_BEGUN: 10.0, MarkName.BASELINE_ENDED: 95.0,
    MarkName.FAULT_ARMED: 98.0, MarkName.FAULT_ACTIVE: 100.0, MarkName.FAULT_RELEASED: 135.0,
    MarkName.FAULT_HEALED: 136.0,
}  # fmt: skip


def made_run(of: Operations) -> tuple[Plan, Evidence]:
    plan, evidence = run()
    stopped = int(of.intended_ns[-1]) + _S
    marks = [Mark(name, round(s * _S), round(s * _S)) for name, s in _AT_S.items()]
    marks.append(Mark(MarkName.LOAD_STOPPED, stopped, stopped))
    look = ReadBack("first", stopped + 10 * _S, True, "", survivors(of), 0, ())
    return plan, replace(
        evidence,
        operations=of,
        ledgers=(LedgerHealth(0, True, len(of), 0, 0, 100_000, 200_000),),
        timeline=Timeline(tuple(marks)),
        first=look,
        second=replace(look, name="second", taken_ns=stopped + 20 * _S),
        load_begun_ns=0,
        load_stopped_ns=stopped,
        arrivals_ns={Workload.ORDER_CAPTURE: of.intended_ns},
        canaries_ns={Workload.ORDER_CAPTURE: np.zeros(0, np.int64)},
    )
