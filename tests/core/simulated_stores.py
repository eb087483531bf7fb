"""What the stores of a simulated platform hold, honest or spoilt in a known way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from harness.core.evidence import Part, Survivors
from harness.core.operation import Detail, Flag, Kind, Outcome, Stage, Workload
from tests.core.simulated_calls import ORDERS, Call

type_key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Defects:
    """How many records of `workload` are spoilt behind the platform's back, by class."""

    workload: Workload = ORDERS
    lost: int = 0  # the last ones acknowledged before the fault: lag
    lost_early: int = 0  # acknowledged early, so that the loss is no suffix: split brain
    replayed: int = 0  # missing at the first read-back, whole at the second
    unconfirmed: int = 0  # back to draft although the confirmation was acknowledged: lost
    ghost: int = 0  # refused, yet there
    duplicate: int = 0
    altered: int = 0  # another line
    altered_document: int = 0
    partial: int = 0  # its moves are missing
    partial_document: int = 0
    resurrected: int = 0  # cancelled, and back
    stale: int = 0  # reads answered without an acknowledged order
    unexpected: int = 0  # a key of this run that no worker sent
    foreign: int = 0
    beyond_end: int = 0  # keys beyond the ledger's end


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore behind a closed ingress. Times in seconds after the ingress was closed.

    Honest replay brings back every record that it cost; `gone` of `workload` it does not bring
    back, `twice` it brings back twice, `altered` with another content.
    """

    workload: Workload = ORDERS
    point_s: float = -4.0  # nothing that came later is in the restored data
    look_s: float = 3.0
    gone: int = 0
    twice: int = 0
    altered: int = 0

    def plant(
        self, calls: list[Call], closed_ns: int, first: list[Row], second: list[Row]
    ) -> tuple[list[Row], list[Row], list[Row]]:
        """The restored rows, and those of the two read-backs at the end."""
        point_ns = closed_ns + round(self.point_s * 1e9)
        cost = self.cost(calls, closed_ns)
        assert len(cost) >= self.gone + self.twice + self.altered, "the restore costs too little"
        gone, rest = set(cost[: self.gone]), cost[self.gone :]
        twice, altered = set(rest[: self.twice]), set(rest[self.twice :][: self.altered])

        def spoilt(rows: list[Row]) -> list[Row]:
            kept = [replace(r) for r in rows if (r.worker, r.seq) not in gone]
            for row in kept:
                row.digest ^= (row.worker, row.seq) in altered
            return kept + [replace(r) for r in kept if (r.worker, r.seq) in twice]

        restored = store_of([c for c in calls if 0 < c.done_ns <= point_ns])
        return restored, spoilt(first), spoilt(second)

    def cost(self, calls: list[Call], closed_ns: int) -> list[type_key]:
        """Keys of the records of `workload` that were made between the point and the closing."""
        point_ns = closed_ns + round(self.point_s * 1e9)
        return [
            (c.worker, c.seq)
            for c in calls
            if c.workload is self.workload
            and c.kind is Kind.CREATE
            and c.outcome is Outcome.ACKED
            and Flag.CANARY not in c.flags
            and point_ns < c.done_ns <= closed_ns
        ]


@dataclass
class Row:
    """One surviving record."""

    workload: Workload
    worker: int
    seq: int
    stage: int
    digest: int
    document: int = 0
    parts: int = Part.LINES
    expected: int = Part.LINES


def survivors(rows: Iterable[Row]) -> Survivors:
    """The rows as columns."""
    listed = list(rows)
    return Survivors(
        workload=np.array([r.workload.code for r in listed], dtype=np.uint8),
        worker=np.array([r.worker for r in listed], dtype=np.uint16),
        seq=np.array([r.seq for r in listed], dtype=np.uint32),
        stage=np.array([r.stage for r in listed], dtype=np.uint8),
        digest=np.array([r.digest for r in listed], dtype=np.uint64),
        document=np.array([r.document for r in listed], dtype=np.uint64),
        parts=np.array([r.parts for r in listed], dtype=np.uint8),
        expected_parts=np.array([r.expected for r in listed], dtype=np.uint8),
    )


def store_of(calls: list[Call]) -> list[Row]:
    """What an honest store holds: all that was acknowledged, and every other unknown call."""
    rows: dict[tuple[int, int], Row] = {}
    for call in calls:
        hidden = call.outcome in (Outcome.UNKNOWN, Outcome.NONE) and call.seq % 2 == 0
        if not (call.outcome is Outcome.ACKED or hidden):
            continue
        key = (call.worker, call.record)
        if call.kind in (Kind.CREATE, Kind.RESYNC) and key not in rows:
            rows[key] = Row(call.workload, *key, call.stage, call.digest)
        row = rows.get(key)
        if row is None:
            continue
        if call.kind in (Kind.ADVANCE, Kind.CANCEL):
            row.stage = max(row.stage, call.stage)
        elif call.kind is Kind.ATTACH:
            row.document = call.digest
            row.parts |= Part.DOCUMENT
            row.expected |= Part.DOCUMENT
        if Stage.CONFIRMED <= row.stage < Stage.CANCELLED:
            row.parts |= Part.MOVES
            row.expected |= Part.MOVES
    return list(rows.values())


class Planter:
    """Spoils records of an honest store, each record in one way only."""

    def __init__(
        self, defects: Defects, calls: list[Call], rows: list[Row], ends: list[int], fault_ns: int
    ) -> None:
        self.defects, self.rows, self.ends = defects, rows, ends
        self._calls = calls
        self._used: set[type_key] = set()
        mine = [c for c in calls if c.workload is defects.workload and Flag.CANARY not in c.flags]
        self._by_record: dict[type_key, list[Call]] = {}
        for call in mine:
            if call.kind is not Kind.READ:
                self._by_record.setdefault((call.worker, call.record), []).append(call)
        self._before = [
            key
            for key, chain in self._by_record.items()
            if chain[0].kind is Kind.CREATE
            and all(c.outcome is Outcome.ACKED and c.done_ns < fault_ns for c in chain)
        ]

    def plant(self) -> tuple[list[Row], list[Row]]:
        """The rows of the first and of the second read-back."""
        d = self.defects
        self._gone(self._take(d.lost, last=True))
        self._gone(self._take(d.lost_early))
        for row in self._rows(self._take(d.unconfirmed)):
            row.stage = Stage.CREATED
        for row in self._rows(self._take(d.altered)):
            row.digest ^= 1
        for row in self._rows(self._take(d.altered_document, kind=Kind.ATTACH)):
            row.document ^= 1
        for row in self._rows(self._take(d.partial)):
            row.parts &= ~Part.MOVES
        for row in self._rows(self._take(d.partial_document, kind=Kind.ATTACH)):
            row.document = 0
            row.parts &= ~Part.DOCUMENT
        for row in self._rows(self._take(d.resurrected, kind=Kind.CANCEL)):
            row.stage = Stage.CONFIRMED
        self.rows += [replace(row) for row in self._rows(self._take(d.duplicate))]
        self._ghosts(d.ghost)
        self._strangers()
        self._stale(d.stale)
        later = [replace(row) for row in self.rows]
        self._gone(self._take(d.replayed, last=True))
        return self.rows, later

    def _take(self, count: int, *, last: bool = False, kind: Kind | None = None) -> set[type_key]:
        free = [k for k in self._before if k not in self._used]
        # a record with a cancellation serves `resurrected`, and nothing else
        cancelled = {k for k in free if any(c.kind is Kind.CANCEL for c in self._by_record[k])}
        free = [k for k in free if (k in cancelled) == (kind is Kind.CANCEL)]
        if kind is not None:
            free = [k for k in free if any(c.kind is kind for c in self._by_record[k])]
        taken = free[len(free) - count :] if last else free[:count]
        assert len(taken) == count, "the simulated load is too short for these defects"
        self._used |= set(taken)
        return set(taken)

    def _rows(self, keys: set[type_key]) -> list[Row]:
        return [row for row in self.rows if (row.worker, row.seq) in keys]

    def _gone(self, keys: set[type_key]) -> None:
        self.rows = [row for row in self.rows if (row.worker, row.seq) not in keys]

    def _ghosts(self, count: int) -> None:
        refused = [
            chain[0]
            for chain in self._by_record.values()
            if chain[0].kind is Kind.CREATE and all(c.outcome is Outcome.REFUSED for c in chain)
        ]
        assert len(refused) >= count, "too few refused creates: use mode='refuse'"
        for call in refused[:count]:
            self.rows.append(Row(call.workload, call.worker, call.seq, call.stage, call.digest))

    def _strangers(self) -> None:
        used = {(c.worker, c.seq) for c in self._calls if c.kind is not Kind.READ}
        reads = [c for c in self._calls if c.kind is Kind.READ and (c.worker, c.seq) not in used]
        assert len(reads) >= self.defects.unexpected, "too few seqs without a record"
        for call in reads[: self.defects.unexpected]:
            self.rows.append(Row(self.defects.workload, call.worker, call.seq, 1, 5))
        for n in range(self.defects.beyond_end):
            self.rows.append(Row(self.defects.workload, 0, self.ends[0] + 3 + n, 1, 5))

    def _stale(self, count: int) -> None:
        reads = [c for c in self._calls if c.kind is Kind.READ and c.detail is Detail.FOUND]
        about: set[int] = set()
        for call in reads:
            if len(about) < count and (call.worker, call.record) not in self._used:
                about.add(call.record)
                call.detail = Detail.NOT_FOUND
        assert len(about) == count, "too few reads"
