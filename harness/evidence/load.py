"""From a run directory to values: the plan, the evidence, and the record for the reports.

A directory without its seal is that of a harness that died: it is read as far as it goes, and
says of itself that it was interrupted, so that nothing passes by omission.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from harness.core.alerting import AlertWatch, detection
from harness.core.evidence import Evidence, LedgerHealth, Observation, ReadBack, Use
from harness.core.judge import judge
from harness.core.load_places import ClockHealth
from harness.core.measures import Measures
from harness.core.money import money
from harness.core.money_values import Money
from harness.core.operations import Operations, type_i64
from harness.core.plan import Plan
from harness.core.proofs import Proof, StepRecord
from harness.core.record import RunRecord
from harness.core.schedule import Planned
from harness.core.series import series
from harness.core.timeline import MarkName, Timeline
from harness.core.verdict import Judgement
from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical, events, layout, lines, seal
from harness.evidence.on_disk import OnDisk
from harness.evidence.read_backs import (
    by_key,
    no_survivors,
    read_back,
    survivors_of,
    was_taken,
    whole,
)
from harness.evidence.rundir import Head
from harness.evidence.wall_clock import wall_clock
from harness.evidence.workers import read_workers, stored_workers
from harness.json_text import parsed
from harness.ledger.reader import SLOTS_AT_ONCE, ledger_files
from harness.ledger.slots import SLOT_BYTES
from harness.readback.store_rows import ROW

HELD_MAX = 1 << 20  # calls and rows of looks together; what is more is judged by portions
_LOOKS = ("first", "second", "restored")


def open_run(
    directory: Path, *, held_max: int = HELD_MAX, keys: int = SLOTS_AT_ONCE
) -> tuple[Plan, Evidence, str]:
    """Plan, evidence and the seal's digest ("" when it was never sealed).

    Where there is more than `held_max`, the evidence is read by portions of so many `keys`.
    Raises Refused where there is no run, DamagedEvidence where it is not what was sealed.
    """
    if not (directory / layout.PLAN).exists():
        raise Refused(
            f"there is no run in {directory}: {layout.PLAN} is missing",
            next_step="name a run directory, such as the last line of `peakdrill run` prints",
        )
    digest = seal.verify(directory)
    plan = canonical.loads(Plan, directory / layout.PLAN)
    reading = _Reading(directory, plan, bool(digest))
    if reading.size <= held_max:
        return plan, reading.held(), digest
    return plan, reading.by_portions(keys), digest


@dataclass(frozen=True, slots=True)
class _Reading:
    """The evidence of one run directory, either way."""

    directory: Path
    plan: Plan
    sealed: bool

    @property
    def size(self) -> int:
        """How many calls and rows there may be, at most."""
        ledgers = ledger_files(self.directory / layout.LEDGER)
        looks = (self.directory / layout.READBACK).glob("*.npy")
        return sum(f.stat().st_size // SLOT_BYTES for f in ledgers) + sum(
            f.stat().st_size // ROW.itemsize for f in looks
        )

    def held(self) -> Evidence:
        begun_ns = _load_begun(self.directory)
        operations, ledgers, clocks = read_workers(self.directory, self.plan, begun_ns=begun_ns)
        workload_of = by_key(operations)
        looks = {
            name: read_back(
                self.directory, name, survivors_of(whole(self.directory, name), workload_of)
            )
            for name in _LOOKS
            if was_taken(self.directory, name)
        }
        last_ns = int(operations.intended_ns.max()) if len(operations) else None
        return self._evidence(
            operations,
            ledgers=ledgers,
            clocks=clocks,
            looks=looks,
            begun_ns=begun_ns,
            last_ns=last_ns,
        )

    def by_portions(self, keys: int) -> Evidence:
        begun_ns = _load_begun(self.directory)
        taken = [name for name in _LOOKS if was_taken(self.directory, name)]
        stored, ledgers, clocks = stored_workers(
            self.directory, self.plan, taken, begun_ns=begun_ns, keys=keys
        )
        looks = {name: read_back(self.directory, name, no_survivors()) for name in taken}
        return self._evidence(
            Operations.concatenate([]),
            ledgers=ledgers,
            clocks=clocks,
            looks=looks,
            begun_ns=begun_ns,
            last_ns=stored.last_intended_ns,
            stored=stored,
        )

    def _evidence(
        self,
        operations: Operations,
        *,
        ledgers: tuple[LedgerHealth, ...],
        clocks: tuple[ClockHealth, ...],
        looks: Mapping[str, ReadBack | None],
        begun_ns: int,
        last_ns: int | None,
        stored: OnDisk | None = None,
    ) -> Evidence:
        directory, plan = self.directory, self.plan
        timeline = events.read(directory / layout.EVENTS).timeline
        stopped_ns = _load_stopped(timeline, begun_ns, last_ns)
        planned = {
            t.workload: Planned(
                rate_per_s=t.rate_per_s * plan.peak,
                canary_per_s=t.canary_per_s,
                shape=plan.shape,
                until_s=max(0, stopped_ns - begun_ns) / 1e9,
                seed=plan.seed,
                workload_code=t.workload.code,
            )
            for t in plan.targets.workloads
        }
        held = {} if stored is not None else planned
        return Evidence(
            operations=operations,
            ledgers=ledgers,
            timeline=timeline,
            observation=_observation(directory, clocks, sealed=self.sealed),
            first=looks.get("first"),
            second=looks.get("second"),
            load_begun_ns=begun_ns,
            load_stopped_ns=stopped_ns,
            arrivals_ns={w: _whole(p.arrivals_ns()) for w, p in held.items()},
            canaries_ns={w: _whole(p.canaries_ns()) for w, p in held.items()},
            steps=lines.read_lines(directory / layout.STEPS, StepRecord),
            proofs=lines.read_lines(directory / layout.PROOFS, Proof),
            uses=lines.read_lines(directory / layout.USES, Use),
            restored=looks.get("restored"),
            clocks=clocks,
            stored=stored,
            planned={} if stored is None else planned,
        )


def _whole(parts: Iterable[type_i64]) -> type_i64:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _load_begun(directory: Path) -> int:
    order = directory / layout.LOAD / "plan.json"
    try:
        return int(parsed(order.read_text())["begin_ns"]) if order.exists() else 0
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedEvidence(f"load/{order.name}: `begin_ns` cannot be read: {error}") from error


def _load_stopped(timeline: Timeline, begun_ns: int, last_ns: int | None) -> int:
    """The end of the schedule. A run that died ends with its last intended operation."""
    stopped = timeline.last(MarkName.LOAD_STOPPED)
    if stopped is not None:
        return stopped.earliest_ns
    return begun_ns if last_ns is None else max(begun_ns, last_ns)


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


def load_record(directory: Path) -> RunRecord:
    """The judged run for the reports: judged again from the evidence, never read from a report."""
    plan, evidence, digest = open_run(directory)
    measures = Measures(plan, evidence)
    return record_of(directory, measures, judge(plan, evidence, measures), digest)


def record_of(directory: Path, measures: Measures, judgement: Judgement, digest: str) -> RunRecord:
    """Assemble what a renderer needs, of the measures that it was judged by."""
    plan, evidence = measures.plan, measures.evidence
    head = canonical.loads(Head, directory / "head.json")
    active = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    found, why = _money(measures)
    return RunRecord(
        plan=plan,
        judgement=judgement,
        timeline=evidence.timeline,
        series=series(plan, evidence, measures.times),
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


def _money(measures: Measures) -> tuple[Money | None, str]:
    """The money of the run, or why there is none: no figure is worth a report that is not there."""
    try:
        return money(measures.plan, measures.evidence, measures), ""
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
