"""A simulated run as a whole run directory: what a drill leaves, without a platform.

directory = store(out)                       # judged, with reports, unsigned: as of old
directory = store(out, notary=ready(out))    # signed and chained, too
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from harness.core.evidence import Evidence, ReadBack
from harness.core.judge import judge
from harness.core.operations import SLOT, Operations
from harness.core.plan import Plan
from harness.evidence import events, layout, lines, signing
from harness.evidence.load import load_record
from harness.evidence.rundir import Head, RunDirectory
from harness.evidence.signing import Notary
from harness.ledger.slots import (
    INTENT_BYTES,
    OUTCOME_CRC_AT,
    SLOT_BYTES,
    STATE_AT,
    STATE_DONE,
    Header,
)
from harness.ledger.soundness import crc_of_columns
from harness.readback.survivors import ROW, Look
from reports.write import write_reports
from tests.core import judged_runs

SIGNED_UTC = "2026-11-22T03:05:00Z"
BEGUN_UTC = "2026-11-22T03:00:00Z"


def store(
    out: Path,
    run_id: str = "20261122T030000Z0001",
    *,
    begun_utc: str = BEGUN_UTC,
    notary: Notary | None = None,
    of: tuple[Plan, Evidence] | None = None,
    **given: object,
) -> Path:
    """Write every phase of a simulated run; `given` goes to the simulation."""
    plan, evidence = of or judged_runs.run(**given)
    plan = replace(plan, run_id=run_id)
    run = RunDirectory.create(out, run_id)
    run.save_plan(
        plan, "title: a simulated fault\n", Head("peakdrill/head/v1", begun_utc, "0", "3")
    )
    for mark in evidence.timeline.marks:
        events.append(run / layout.EVENTS, mark)
    for worker in sorted({int(w) for w in evidence.operations.worker}):
        _save_ledger(run.path, run_id, worker, evidence)
    (run / layout.LOAD / "plan.json").write_text(json.dumps({"begin_ns": evidence.load_begun_ns}))
    (run / layout.LOAD / "locust.log").write_text("said\n" * 3)
    for look in (evidence.first, evidence.second, evidence.restored):
        if look is not None:
            run.save_look(_look(look))
    for step in evidence.steps:
        lines.append_step(run.path, step)
    for proof in evidence.proofs:
        lines.append_proof(run.path, proof)
    run.save_evidence(evidence.observation)
    record = load_record(run.path)
    run.save_verdict(judge(*_opened(run.path)))
    if notary is not None:
        signing.sign_run(run.path, notary, signed_utc=SIGNED_UTC)
    write_reports(record, run.path)
    if notary is not None:
        signing.sign_reports(run.path, notary.signer, signed_utc=SIGNED_UTC)
    return run.path


def _opened(directory: Path) -> tuple[Plan, Evidence]:
    from harness.evidence.load import open_run

    plan, evidence, _ = open_run(directory)
    return plan, evidence


def _save_ledger(directory: Path, run_id: str, worker: int, evidence: Evidence) -> None:
    mine = evidence.operations.where(evidence.operations.worker == worker)
    end = int(mine.seq.max()) + 1
    slots = np.zeros(end, dtype=SLOT)
    for f in fields(Operations):
        if f.name != "worker":
            slots[f.name][mine.seq] = getattr(mine, f.name)
    slots["state"][mine.seq] = STATE_DONE
    rows = slots.view(np.uint8).reshape(end, SLOT_BYTES)
    slots["intent_crc"] = crc_of_columns(rows, tuple(range(INTENT_BYTES)))
    covered = (*range(OUTCOME_CRC_AT), *range(OUTCOME_CRC_AT + 4, STATE_AT))
    slots["outcome_crc"] = crc_of_columns(rows, covered)
    header = Header(worker, run_id, capacity=end, closed=True, end_seq=end)
    file = directory / layout.LEDGER / f"worker-{worker}.slots"
    file.write_bytes(header.pack() + slots.tobytes())


def _look(found: ReadBack) -> Look:
    rows = np.zeros(len(found.survivors), dtype=ROW)
    for f in fields(found.survivors):
        if f.name != "workload":
            rows[f.name] = getattr(found.survivors, f.name)
    return Look(
        found.name, found.taken_ns, found.complete, found.why_incomplete, rows, found.foreign,
        found.disagreements,
    )  # fmt: skip


@contextmanager
def flipped(file: Path, at: int, bit: int) -> Iterator[None]:
    """One bit of a file is another, within."""
    before = file.read_bytes()
    changed = bytearray(before)
    changed[at] ^= 1 << bit
    file.write_bytes(bytes(changed))
    try:
        yield
    finally:
        file.write_bytes(before)
