"""Evidence: everything that a judgement may look at, as frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harness.core.load_places import ClockHealth
from harness.core.operation import Kind, Workload
from harness.core.operations import Operations
from harness.core.proofs import Proof, StepRecord
from harness.core.schedule import Planned
from harness.core.timeline import Timeline


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """What the reader found in one worker's slot file."""

    worker: int
    closed: bool  # the worker said goodbye and wrote its end
    end_seq: int  # slots in use
    torn: int  # slots whose CRC is wrong, or gaps before the end
    dropped: int  # arrivals that were never sent
    lag_p999_ns: int  # sent minus intended of scheduled arrivals, on a healthy platform or not
    lag_max_ns: int


@dataclass(frozen=True, slots=True)
class Survivors:
    """Records that the store holds after the fault, stamped with this run's keys.

    Columns of equal length, one row a surviving record (a duplicate is two rows).
    `parts` is a bit mask of what is intact, see `Part`; `expected_parts` of what the record's
    own state says must be there, so that PARTIAL is `expected_parts & ~parts != 0`.
    """

    workload: npt.NDArray[np.uint8]
    worker: npt.NDArray[np.uint16]
    seq: npt.NDArray[np.uint32]
    stage: npt.NDArray[np.uint8]
    digest: npt.NDArray[np.uint64]
    document: npt.NDArray[np.uint64]  # first 8 bytes of the SHA-1 of the bytes; 0 none
    parts: npt.NDArray[np.uint8]
    expected_parts: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.seq)

    def at(self, rows: npt.NDArray[np.intp]) -> Survivors:
        """These rows, in this order."""
        return Survivors(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


class Part:
    """Bits of `Survivors.parts`."""

    LINES = 1
    MOVES = 2
    RESERVATION = 4
    LEDGER_ENTRY = 8  # invoice lines balance; POS payments, an order's lines equal the total
    DOCUMENT = 16
    PARTNER_CALL = 32


@dataclass(frozen=True, slots=True)
class ReadBack:
    """One look at the stores. `taken_ns` comes after the acknowledged list was closed."""

    name: str  # "first" | "second"
    taken_ns: int
    complete: bool  # every store answered whole; otherwise the read-back is unfit
    why_incomplete: str
    survivors: Survivors
    foreign: int  # rows stamped pd-<run>- whose key does not parse: UNEXPECTED
    disagreements: tuple[str, ...]  # cross-store findings, each a sentence with the key


@dataclass(frozen=True, slots=True)
class Observation:
    """What the harness saw of the platform's and the instrument's health."""

    whole_before: bool
    whole_before_why: str
    whole_after: bool
    whole_after_why: str
    effect_observed: bool
    heal_observed: bool
    workers_lost: tuple[str, ...]
    clock_error_ns: int
    interrupted: str  # "" or why the run was cut short
    skipped: str  # "" or "skipped: platform embedded lacks tenants"
    replay_ended_ns: int | None  # when queues and replay had settled


@dataclass(frozen=True, slots=True)
class Use:
    """One attempt of the attacker to use a leaked credential."""

    credential: str  # the class: "database-role"
    begun_ns: int
    done_ns: int
    accepted: bool
    told: str  # "accepted", or the refusal: an SQLSTATE, an HTTP status, an error's name


@dataclass(frozen=True, slots=True)
class Portion:
    """Everything that is known of one stretch of keys (worker, seq): nothing judged needs more.

    `calls` are all calls about each of its records, `chains` all calls of each of its arrivals.
    They differ where a record is read, or a canary's call made, that began in another stretch.
    """

    calls: Operations
    chains: Operations
    found: Mapping[str, Survivors]  # by a look's name in `Evidence`


class Aside(Protocol):
    """Rows of one dtype that are not held, by the stretch that they belong to."""

    def add(self, rows: npt.NDArray[np.void], stretch: npt.NDArray[np.int64]) -> None:
        """More rows, and the stretch of each."""

    def of(self, stretch: int) -> npt.NDArray[np.void]:
        """All rows of one stretch, in the order in which they came."""


class Portions(Protocol):
    """The calls of a run and what its looks found, where that is too much to hold at once.

    The stretches come in the order of (worker, seq), and every call is in one portion's `calls`
    and in one portion's `chains`, in the order of the ledger.
    """

    @property
    def reports(self) -> Operations:
        """Every REPORT of the ledger."""

    def __len__(self) -> int:
        """How many portions there are: one at least, and be it empty."""

    def portion(self, number: int) -> Portion:
        """One of them, counted from 0."""

    def aside(self, dtype: np.dtype[np.void]) -> Aside:
        """Room for rows that are as many as the calls; it goes when the `Aside` does."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one run left.

    Where it is too much to hold it is `stored`, and `operations` and all survivors are empty: so
    only `portions` and `reports` tell of them. Its schedule is `planned` then, and no array of it.
    """

    operations: Operations
    ledgers: tuple[LedgerHealth, ...]
    timeline: Timeline
    observation: Observation
    first: ReadBack | None
    second: ReadBack | None
    # due times since `load_begun_ns`, per workload: scheduled arrivals, then canaries
    load_begun_ns: int
    load_stopped_ns: int
    arrivals_ns: Mapping[Workload, npt.NDArray[np.int64]]
    canaries_ns: Mapping[Workload, npt.NDArray[np.int64]]
    # only where a runbook, an inspection or an attacker took part
    steps: tuple[StepRecord, ...] = ()
    proofs: tuple[Proof, ...] = ()
    uses: tuple[Use, ...] = ()
    restored: ReadBack | None = None  # after the restore, before any replay; the load still runs
    clocks: tuple[ClockHealth, ...] = ()  # of workers elsewhere; none where all ran here
    stored: Portions | None = None
    planned: Mapping[Workload, Planned] = field(default_factory=dict)

    def due(self, workload: Workload, *, canaries: bool) -> Iterator[npt.NDArray[np.int64]]:
        """One workload's arrivals or canaries, some at a time, since `load_begun_ns`."""
        at_hand = (self.canaries_ns if canaries else self.arrivals_ns).get(workload)
        planned = self.planned.get(workload)
        if at_hand is not None:
            yield at_hand
        elif planned is not None:
            yield from planned.canaries_ns() if canaries else planned.arrivals_ns()

    def aside(self, dtype: np.dtype[np.void]) -> Aside | None:
        """Room for rows that are as many as the calls; None where all are held."""
        return None if self.stored is None else self.stored.aside(dtype)

    @property
    def count(self) -> int:
        """How many portions there are, one at least."""
        return 1 if self.stored is None else len(self.stored)

    def portion(self, number: int) -> Portion:
        """One of the portions; what is held at once is a single one."""
        if self.stored is not None:
            return self.stored.portion(number)
        return Portion(
            self.operations, self.operations, {n: look.survivors for n, look in self.looks.items()}
        )

    def portions(self) -> Iterator[Portion]:
        """All of it, a stretch of keys at a time, in the order of (worker, seq)."""
        for number in range(self.count):
            yield self.portion(number)

    @property
    def reports(self) -> Operations:
        """Every REPORT of the ledger."""
        if self.stored is not None:
            return self.stored.reports
        return self.operations.where(self.operations.kind == Kind.REPORT)

    @property
    def looks(self) -> dict[str, ReadBack]:
        """The looks at the stores that were taken, by their name here."""
        taken = {"first": self.first, "second": self.second, "restored": self.restored}
        return {name: look for name, look in taken.items() if look is not None}
