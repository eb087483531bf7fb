"""A run directory as a long drill leaves it: so many orders, one fault, one order lost.

python -m tests.bench.made_run FOLDER COUNT     # prints the run directory; a million take a second
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.core.evidence import Observation, Part
from harness.core.operation import Flag, Kind, Outcome, Stage, Workload
from harness.core.operations import SLOT, type_i64
from harness.core.plan import Plan
from harness.core.schedule import arrivals_ns
from harness.core.targets import Targets
from harness.core.timeline import Mark, MarkName
from harness.evidence import canonical, events, layout
from harness.evidence.rundir import Head, RunDirectory
from harness.ledger.slots import (
    INTENT_BYTES,
    OUTCOME_CRC_AT,
    SLOT_BYTES,
    STATE_AT,
    STATE_DONE,
    Header,
)
from harness.ledger.soundness import crc_of_columns
from harness.readback.store_rows import ROW
from tests.core import judged_runs

RUN_ID = "20261128T000000Z0001"
PER_S = 5000  # the six workloads of a busy day together have about a fifth of it
AT_ONCE = 1 << 18
_S = 10**9
_BEGUN_NS = 1000 * _S
_BAD_S = (100.0, 130.0)
_OUTCOME = (*range(OUTCOME_CRC_AT), *range(OUTCOME_CRC_AT + 4, STATE_AT))
_AT_S = {
    MarkName.LOAD_BEGUN: 0.0, MarkName.BASELINE_BEGUN: 10.0, MarkName.BASELINE_ENDED: 95.0,
    MarkName.FAULT_ARMED: 98.0, MarkName.FAULT_ACTIVE: 100.0, MarkName.FAULT_RELEASED: 135.0,
    MarkName.FAULT_HEALED: 136.0,
}  # fmt: skip


def made_run(out: Path, count: int) -> Path:
    """One worker, order capture alone, on its schedule; refused for thirty seconds."""
    plan, evidence = judged_runs.run()
    span_s = max(400.0, count / PER_S)
    (orders,) = plan.targets.workloads
    orders = replace(orders, rate_per_s=count / span_s, canary_per_s=0.0)
    plan = replace(plan, run_id=RUN_ID, workers=1, targets=Targets((orders,)))
    run = RunDirectory.create(out, RUN_ID)
    run.save_plan(
        plan, "title: made\n", Head("peakdrill/head/v1", "2026-11-28T00:00:00Z", "0", "3")
    )
    for name, s in _AT_S.items():
        at_ns = _BEGUN_NS + round(s * _S)
        events.append(run / layout.EVENTS, Mark(name, at_ns, at_ns))
    stopped_ns = _BEGUN_NS + round(span_s * _S)
    events.append(run / layout.EVENTS, Mark(MarkName.LOAD_STOPPED, stopped_ns, stopped_ns))
    (run / layout.LOAD / "plan.json").write_text(json.dumps({"begin_ns": _BEGUN_NS}))
    acked = _ledger(run.path, _BEGUN_NS + _due(plan, span_s))
    for number, name in enumerate(("first", "second"), start=1):
        _look(run.path, name, stopped_ns + 10 * number * _S, acked[1:])
    seen: Observation = replace(evidence.observation, replay_ended_ns=stopped_ns + 15 * _S)
    run.save_evidence(seen)
    return run.path


def _due(plan: Plan, span_s: float) -> type_i64:
    (orders,) = plan.targets.workloads
    return arrivals_ns(
        rate_per_s=orders.rate_per_s * plan.peak, shape=plan.shape, until_s=span_s,
        seed=plan.seed, workload_code=orders.workload.code,
    )  # fmt: skip


def _ledger(run: Path, intended_ns: type_i64) -> npt.NDArray[np.intp]:
    """Write it; returns the seqs that were acknowledged."""
    since_s = (intended_ns - _BEGUN_NS) / 1e9
    bad = (since_s >= _BAD_S[0]) & (since_s < _BAD_S[1])
    count = len(intended_ns)
    header = Header(0, RUN_ID, capacity=count, closed=True, end_seq=count)
    with (run / layout.LEDGER / "worker-0.slots").open("wb") as file:
        file.write(header.pack())
        for first in range(0, count, AT_ONCE):
            here = slice(first, first + AT_ONCE)
            file.write(_slots(intended_ns[here], bad[here], first).tobytes())
    return np.flatnonzero(~bad)


def _slots(intended_ns: type_i64, bad: npt.NDArray[np.bool_], first: int) -> npt.NDArray[np.void]:
    slots = np.zeros(len(intended_ns), SLOT)
    seq = np.arange(first, first + len(slots))
    for name, value in {
        "intended_ns": intended_ns, "sent_ns": intended_ns + 100_000, "digest": seq + 1,
        "seq": seq, "record": seq, "value_cents": 4800, "workload": Workload.ORDER_CAPTURE.code,
        "kind": Kind.CREATE, "stage": Stage.CREATED, "flags": Flag.FINAL,
        "done_ns": intended_ns + 5_000_000, "sends": 1,
        "outcome": np.where(bad, Outcome.REFUSED, Outcome.ACKED), "state": STATE_DONE,
    }.items():  # fmt: skip
        slots[name] = value
    rows = slots.view(np.uint8).reshape(len(slots), SLOT_BYTES)
    slots["intent_crc"] = crc_of_columns(rows, tuple(range(INTENT_BYTES)))
    slots["outcome_crc"] = crc_of_columns(rows, _OUTCOME)
    return slots


def _look(run: Path, name: str, taken_ns: int, there: npt.NDArray[np.intp]) -> None:
    rows = np.lib.format.open_memmap(
        run / layout.READBACK / f"{name}.npy", mode="w+", dtype=ROW, shape=(len(there),)
    )
    for first in range(0, len(there), AT_ONCE):
        seq, part = there[first : first + AT_ONCE], rows[first : first + AT_ONCE]
        part["seq"], part["id"], part["digest"] = seq, seq, seq + 1
        part["stage"], part["parts"], part["expected_parts"] = Stage.CREATED, Part.LINES, Part.LINES
    head = {
        "name": name, "taken_ns": taken_ns, "complete": True, "why_incomplete": "", "foreign": 0,
        "disagreements": (),
    }  # fmt: skip
    (run / layout.READBACK / f"{name}.json").write_bytes(canonical.dumps(head))


if __name__ == "__main__":
    print(made_run(Path(sys.argv[1]), int(sys.argv[2])))
