"""From a run directory to values: the plan, the evidence, and the record for the reports.

A directory without its seal is that of a harness that died: it is read as far as it goes, and
says of itself that it was interrupted, so that nothing passes by omission.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.core.alerting import AlertWatch, detection
from harness.core.evidence import Evidence, Observation, ReadBack, Survivors, Use
from harness.core.judge import judge
from harness.core.load_places import ClockHealth
from harness.core.money import money
from harness.core.money_values import Money
from harness.core.operation import Workload
from harness.core.operations import Operations
from harness.core.plan import Plan
from harness.core.proofs import Proof, StepRecord
from harness.core.record import RunRecord
from harness.core.schedule import arrivals_ns, canary_ns
from harness.core.series import series
from harness.core.timeline import MarkName, Timeline
from harness.core.verdict import Judgement
from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical, events, layout, lines, seal
from harness.evidence.rundir import Head
from harness.evidence.wall_clock import wall_clock
from harness.evidence.workers import read_workers
from harness.json_text import parsed
from harness.readback.survivors import ROW, STORES

_STORE_WORKLOAD = (Workload.ORDER_CAPTURE, Workload.POINT_OF_SALE, Workload.FINANCE)


@dataclass(frozen=True, slots=True)
class _LookHead:
    name: str
    taken_ns: int
    complete: bool
    why_incomplete: str
    foreign: int
    disagreements: tuple[str, ...]


def open_run(directory: Path) -> tuple[Plan, Evidence, str]:
    """Plan, evidence and the seal's digest ("" when it was never sealed).

    Raises Refused where there is no run, DamagedEvidence where it is not what was sealed.
    """
    if not (directory / layout.PLAN).exists():
        raise Refused(
            f"there is no run in {directory}: {layout.PLAN} is missing",
            next_step="name a run directory, such as the last line of `peakdrill run` prints",
        )
    digest = seal.verify(directory)
    plan = canonical.loads(Plan, directory / layout.PLAN)
    return plan, _evidence(directory, plan, sealed=bool(digest)), digest


def _evidence(directory: Path, plan: Plan, *, sealed: bool) -> Evidence:
    timeline = events.read(directory / layout.EVENTS).timeline
    begun_ns = _load_begun(directory)
    operations, ledgers, clocks = read_workers(directory, plan, begun_ns=begun_ns)
    stopped_ns = _load_stopped(timeline, operations, begun_ns)
    until_s = max(0, stopped_ns - begun_ns) / 1e9
    return Evidence(
        operations=operations,
        ledgers=ledgers,
        timeline=timeline,
        observation=_observation(directory, clocks, sealed=sealed),
        first=_read_back(directory, "first", operations),
        second=_read_back(directory, "second", operations),
        load_begun_ns=begun_ns,
        load_stopped_ns=stopped_ns,
        arrivals_ns={
            t.workload: arrivals_ns(
                rate_per_s=t.rate_per_s * plan.peak,
                shape=plan.shape,
                until_s=until_s,
                seed=plan.seed,
                workload_code=t.workload.code,
            )
            for t in plan.targets.workloads
        },
        canaries_ns={
            t.workload: canary_ns(
                rate_per_s=t.canary_per_s, until_s=until_s, workload_code=t.workload.code
            )
            for t in plan.targets.workloads
        },
        steps=lines.read_lines(directory / layout.STEPS, StepRecord),
        proofs=lines.read_lines(directory / layout.PROOFS, Proof),
        uses=lines.read_lines(directory / layout.USES, Use),
        restored=_read_back(directory, "restored", operations),
        clocks=clocks,
    )


def _load_begun(directory: Path) -> int:
    order = directory / layout.LOAD / "plan.json"
    try:
        return int(parsed(order.read_text())["begin_ns"]) if order.exists() else 0
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedEvidence(f"load/{order.name}: `begin_ns` cannot be read: {error}") from error


def _load_stopped(timeline: Timeline, operations: Operations, begun_ns: int) -> int:
    """The end of the schedule. A run that died ends with its last intended operation."""
    stopped = timeline.last(MarkName.LOAD_STOPPED)
    if stopped is not None:
        return stopped.earliest_ns
    return int(operations.intended_ns.max(initial=begun_ns))


def _observation(directory: Path, clocks: tuple[ClockHealth, ...], *, sealed: bool) -> Observation:
    file = directory / layout.OBSERVATION
    error_ns = max((clock.error_ns for clock in clocks), default=0)
    if file.exists():
        observation = canonical.loads(Observation, file)
        unsealed = "" if sealed else "the evidence was never sealed"
        return replace(
            observation,
            interrupted=observation.interrupted or unsealed,
            clock_error_ns=max(observation.clock_error_ns, error_ns),
        )
    why = "the harness died before the evidence was saved"
    return Observation(
        whole_before=True,
        whole_before_why="",
        whole_after=False,
        whole_after_why=why,
        effect_observed=False,
        heal_observed=False,
        workers_lost=(),
        clock_error_ns=error_ns,
        interrupted=why,
        skipped="",
        replay_ended_ns=None,
    )


def _read_back(directory: Path, name: str, operations: Operations) -> ReadBack | None:
    head_file = directory / layout.READBACK / f"{name}.json"
    if not head_file.exists():
        return None
    head = canonical.loads(_LookHead, head_file)
    try:
        rows = np.load(head_file.with_suffix(".npy"), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DamagedEvidence(f"{head_file.with_suffix('.npy').name}: {error}") from error
    if rows.dtype != ROW:
        raise DamagedEvidence(f"{name}.npy holds {rows.dtype}, not the rows of a read-back")
    return ReadBack(
        name=head.name,
        taken_ns=head.taken_ns,
        complete=head.complete,
        why_incomplete=head.why_incomplete,
        survivors=_survivors(rows, operations),
        foreign=head.foreign,
        disagreements=head.disagreements,
    )


def _survivors(rows: npt.NDArray[np.void], operations: Operations) -> Survivors:
    """Rows with the workload that the ledger knows their key by, else the store's own."""
    known = _workload_by_key(operations)
    default = np.array([w.code for w in _STORE_WORKLOAD], dtype=np.uint8)[rows["store"]]
    assert len(STORES) == len(_STORE_WORKLOAD)
    key = rows["worker"].astype(np.uint64) << np.uint64(32) | rows["seq"].astype(np.uint64)
    keys, workloads = known
    at = np.searchsorted(keys, key)
    at_safe = np.minimum(at, max(len(keys) - 1, 0))
    hit = (keys[at_safe] == key) if len(keys) else np.zeros(len(key), dtype=bool)
    workload = np.where(hit, workloads[at_safe] if len(keys) else default, default)
    return Survivors(
        workload=workload.astype(np.uint8),
        **{
            name: np.ascontiguousarray(rows[name])
            for name in ("worker", "seq", "stage", "digest", "document", "parts", "expected_parts")
        },
    )


def _workload_by_key(
    operations: Operations,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    key = operations.worker.astype(np.uint64) << np.uint64(32) | operations.seq.astype(np.uint64)
    order = np.argsort(key, kind="stable")
    return key[order], operations.workload[order]


def load_record(directory: Path) -> RunRecord:
    """The judged run for the reports: judged again from the evidence, never read from a report."""
    plan, evidence, digest = open_run(directory)
    return record_of(directory, plan, evidence, judge(plan, evidence), digest)


def record_of(
    directory: Path, plan: Plan, evidence: Evidence, judgement: Judgement, digest: str
) -> RunRecord:
    """Assemble what a renderer needs."""
    head = canonical.loads(Head, directory / "head.json")
    active = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    found, why = _money(plan, evidence)
    return RunRecord(
        plan=plan,
        judgement=judgement,
        timeline=evidence.timeline,
        series=series(plan, evidence),
        origin_ns=active.latest_ns if active else evidence.load_begun_ns,
        load_begun_ns=evidence.load_begun_ns,
        load_stopped_ns=evidence.load_stopped_ns,
        begun_utc=head.begun_utc,
        evidence_digest=digest,
        directory=directory.name,
        chaos_steps=_chaos_steps(directory),
        steps=evidence.steps,
        proofs=evidence.proofs,
        money=found,
        money_why=why,
        detection=detection(plan.alerts, evidence.timeline, _alert_watch(directory)),
        wall=wall_clock(directory, evidence.timeline, head.begun_utc),
    )


def _money(plan: Plan, evidence: Evidence) -> tuple[Money | None, str]:
    """The money of the run, or why there is none: no figure is worth a report that is not there."""
    try:
        return money(plan, evidence), ""
    except Exception as error:  # noqa: BLE001  ours: told in the report, and no zero
        return None, f"{type(error).__name__}: {error}"


def _alert_watch(directory: Path) -> AlertWatch | None:
    file = directory / layout.ALERTS
    return canonical.loads(AlertWatch, file) if file.exists() else None


def _chaos_steps(directory: Path) -> tuple[tuple[str, str], ...]:
    """(activity, status) from the Chaos Toolkit's own journal; told, never trusted."""
    file = directory / layout.CHAOS / "journal.json"
    if not file.exists():
        return ()
    try:
        journal = parsed(file.read_text())
        steps = [*journal.get("run", []), *journal.get("rollbacks", [])]
        return tuple((str(s["activity"]["name"]), str(s["status"])) for s in steps)
    except (ValueError, KeyError, TypeError, AttributeError):
        return (("journal", "unreadable"),)
