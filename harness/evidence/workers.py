"""The ledgers of a run's workers, wherever they wrote them: on the run's clock, with its bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.clock_bounds import RoundTrip
from harness.core.evidence import LedgerHealth
from harness.core.load_places import (
    ClockHealth,
    Elsewhere,
    WorkerPlace,
    WorkersIn,
    elsewhere_of,
)
from harness.core.operations import Operations
from harness.core.plan import Plan
from harness.errors import DamagedEvidence
from harness.evidence import canonical, layout, lines
from harness.evidence.on_disk import OnDisk
from harness.json_text import parsed
from harness.ledger.reader import ledger_files, read_ledger


@dataclass(frozen=True, slots=True)
class Places:
    """`load/places.json`: written before the first arrival."""

    schema: str
    workers: tuple[WorkerPlace, ...]


def write_places(run: Path, workers: tuple[WorkerPlace, ...]) -> None:
    """Where each worker runs, and the schedule's zero on its clock."""
    (run / layout.PLACES).write_bytes(canonical.dumps(Places("peakdrill/places/v1", workers)))


def read_places(run: Path) -> tuple[WorkerPlace, ...]:
    """() where all workers ran beside the harness, or none was ever placed."""
    file = run / layout.PLACES
    return canonical.loads(Places, file).workers if file.exists() else ()


def read_workers(
    run: Path, plan: Plan, *, begun_ns: int
) -> tuple[Operations, tuple[LedgerHealth, ...], tuple[ClockHealth, ...]]:
    """Every call on the run's clock, the ledgers' health, and that of the workers' clocks."""
    read = [read_ledger(file) for file in ledger_files(run / layout.LEDGER)]
    healths = tuple(_with_dropped(run, health) for _, health in read)
    own = {health.worker: operations for operations, health in read}
    elsewhere = _elsewhere(run, plan, begun_ns)
    moved = [
        elsewhere[worker].on_run_clock(operations) if worker in elsewhere else operations
        for worker, operations in own.items()
    ]
    last_ns = {
        worker: elsewhere[worker].last_ns(operations)
        for worker, operations in own.items()
        if worker in elsewhere
    }
    return Operations.concatenate(moved), healths, _clocks(plan, elsewhere, last_ns)


def stored_workers(
    run: Path, plan: Plan, looks: Iterable[str], *, begun_ns: int, keys: int
) -> tuple[OnDisk, tuple[LedgerHealth, ...], tuple[ClockHealth, ...]]:
    """The same of a run that is too long to be held, and what its looks found, by portions."""
    elsewhere = _elsewhere(run, plan, begun_ns)
    stored = OnDisk(run, run / layout.LEDGER, looks, elsewhere, keys=keys)
    healths = tuple(_with_dropped(run, ledger.health) for ledger in stored.ledgers.values())
    last_ns = {worker: ledger.last_told_ns for worker, ledger in stored.ledgers.items()}
    return stored, healths, _clocks(plan, elsewhere, last_ns)


def _elsewhere(run: Path, plan: Plan, begun_ns: int) -> dict[int, Elsewhere]:
    if plan.workers_in is WorkersIn.HERE:
        return {}
    trips = lines.read_lines(run / layout.CLOCKS, RoundTrip)
    return elsewhere_of(read_places(run), trips, begun_ns=begun_ns)


def _clocks(
    plan: Plan, elsewhere: Mapping[int, Elsewhere], last_ns: Mapping[int, int]
) -> tuple[ClockHealth, ...]:
    """A clock that nobody asked leaves every time of its ledger without a place on the run's."""
    if plan.workers_in is WorkersIn.HERE:
        return ()
    return tuple(
        elsewhere[worker].health_until(last_ns.get(worker, elsewhere[worker].place.begin_ns))
        if worker in elsewhere
        else ClockHealth(worker, 0, "its clock was never compared with the run's")
        for worker in range(plan.workers)
    )


def _with_dropped(run: Path, health: LedgerHealth) -> LedgerHealth:
    """The worker's own count of arrivals that it never sent; it is not in the ledger."""
    status = run / layout.LOAD / f"worker-{health.worker}.json"
    if not status.exists():
        return health
    try:
        dropped = int(parsed(status.read_text())["dropped"])
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedEvidence(f"{status.name}: `dropped` cannot be read: {error}") from error
    return replace(health, dropped=dropped)
