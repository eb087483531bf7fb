"""The ledger's reader: slot files to columns, with what is wrong with them.

It copies with plain reads and maps nothing, so a writer that grows its file, or dies, cannot
hurt it; and it reads a stretch of slots at a time, so a file is never held as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.core.evidence import LedgerHealth
from harness.core.operation import Detail, Kind
from harness.core.operations import Operations, type_i64
from harness.errors import DamagedEvidence
from harness.ledger.slots import HEADER_BYTES, SLOT_BYTES, STATE_EMPTY, Header, slot_offset
from harness.ledger.soundness import (
    Soundness,
    in_use,
    slots_of,
    touched,
    type_slots,
)

SLOTS_AT_ONCE = 1 << 16
_REREADS = 5


def read_ledgers(directory: Path) -> tuple[Operations, tuple[LedgerHealth, ...]]:
    """Every worker's slot file of `directory`, in the order of the workers."""
    read = [read_ledger(path) for path in ledger_files(directory)]
    return Operations.concatenate([r[0] for r in read]), tuple(r[1] for r in read)


def ledger_files(directory: Path) -> list[Path]:
    """The slot files of `directory`, in the order of the workers."""
    return sorted(directory.glob("worker-*.slots"), key=worker_of)


def worker_of(path: Path) -> int:
    """The worker's number, from the name of its file."""
    number = path.stem.removeprefix("worker-")
    if not number.isdigit():
        raise DamagedEvidence(f"{path}: not the name of a ledger (worker-<number>.slots)")
    return int(number)


def read_ledger(path: Path) -> tuple[Operations, LedgerHealth]:
    """One worker's calls, whole or not; the writer may be alive, closed or dead."""
    parts: list[Operations] = []
    ledger = scanned(path, lambda _, operations: parts.append(operations), again=parts.clear)
    return Operations.concatenate(parts), ledger.health()


def scanned(
    path: Path,
    each: Callable[[Soundness, Operations], None],
    *,
    again: Callable[[], None],
    at_once: int | None = None,
) -> LedgerScan:
    """Read a slot file once, a stretch at a time: `each` has its slots, and the calls in them.

    A live writer is not torn: its slot was read in mid-write. Then all is read `again`.
    """
    for left in reversed(range(_REREADS + 1)):
        ledger = LedgerScan.of(path)
        for stretch in ledger.stretches(at_once or SLOTS_AT_ONCE):
            each(stretch, ledger.noted(stretch))
        if ledger.closed or not ledger.torn or not left:
            break
        again()
    return ledger


@dataclass(slots=True)
class LedgerScan:
    """One worker's slot file as it stood, and what its stretches have told so far."""

    path: Path
    worker: int
    header: Header | None
    end: int  # slots in use
    broken: int = 0
    halves: int = 0
    shed: int = 0
    lag: LagTally = field(init=False)

    def __post_init__(self) -> None:
        self.lag = LagTally(self.end)

    @classmethod
    def of(cls, path: Path) -> LedgerScan:
        """How far the file goes; nothing is read of it yet."""
        with path.open("rb") as file:
            header = Header.unpack(file.read(HEADER_BYTES))
            usable = max(os.fstat(file.fileno()).st_size - HEADER_BYTES, 0) // SLOT_BYTES
        used = touched if header is not None and header.closed else in_use
        for first in reversed(range(0, usable, SLOTS_AT_ONCE)):
            slots = read_slots(path, first, SLOTS_AT_ONCE)
            if touched(slots):
                return cls(path, worker_of(path), header, first + used(slots))
        return cls(path, worker_of(path), header, 0)

    @property
    def closed(self) -> bool:
        return self.header is not None and self.header.closed

    def stretches(self, at_once: int) -> Iterator[Soundness]:
        """All slots in use, in their order, so many at a time."""
        for first in range(0, self.end, at_once):
            count = min(at_once, self.end - first)
            yield Soundness.of(read_slots(self.path, first, count), first)

    def noted(self, stretch: Soundness) -> Operations:
        """The calls of one stretch, once its health is counted in."""
        operations = stretch.operations(self.worker)
        self.broken += stretch.broken
        self.halves += stretch.halves
        self.shed += int(np.count_nonzero(operations.detail == Detail.SHED_BY_CLIENT))
        self.lag.add(scheduled_lag_ns(operations))
        return operations

    @property
    def torn(self) -> int:
        """Slots that do not hold; the one outcome that was being written is none of them."""
        halves = 0 if not self.closed and self.halves == 1 else self.halves
        return self.broken + halves

    def health(self) -> LedgerHealth:
        """What is wrong with the file, once all of it was noted."""
        header = self.header
        wrong_header = header is None or header.worker != self.worker
        missing = abs(header.end_seq - self.end) if header is not None and self.closed else 0
        return LedgerHealth(
            worker=self.worker,
            closed=self.closed and not wrong_header,
            end_seq=self.end,
            torn=self.torn + missing + int(wrong_header),
            dropped=max(self.shed, header.dropped if header is not None else 0),
            lag_p999_ns=self.lag.p999_ns,
            lag_max_ns=self.lag.greatest_ns,
        )


class LagTally:
    """The 99.9th percentile of a lag, the higher of two ranks, of no more than so many values.

    >>> tally = LagTally(5000)
    >>> for first in range(0, 5000, 1000):
    ...     tally.add(np.arange(first, first + 1000))
    >>> tally.p999_ns, tally.greatest_ns
    (4995, 4999)
    """

    _SHARE = 0.999

    def __init__(self, at_most: int) -> None:
        self._keep = at_most // 1000 + 2
        self._count = 0
        self._high = np.zeros(0, dtype=np.int64)  # all that can still be of that rank
        self._floor = np.iinfo(np.int64).min  # what is less than this cannot

    def add(self, lag_ns: type_i64) -> None:
        """More of it, in any order."""
        self._count += len(lag_ns)
        self._high = np.concatenate([self._high, lag_ns[lag_ns >= self._floor]])
        if len(self._high) > 2 * self._keep:
            over = len(self._high) - self._keep
            self._high = np.partition(self._high, over)[over:]
            self._floor = int(self._high[0])

    @property
    def _rank(self) -> int:
        return int(np.ceil(np.float64(self._SHARE) * (self._count - 1))) if self._count else 0

    @property
    def p999_ns(self) -> int:
        """0 where there was none."""
        if not self._count:
            return 0
        return int(np.sort(self._high)[len(self._high) - (self._count - self._rank)])

    @property
    def greatest_ns(self) -> int:
        """0 where there was none."""
        return int(self._high.max()) if self._count else 0


def scheduled_lag_ns(operations: Operations) -> type_i64:
    """How late the generator was: sent minus intended of each arrival's first call."""
    own = (operations.record == operations.seq) | (operations.kind == Kind.READ)
    first = own & (operations.kind != Kind.RESYNC)
    sent_ns, intended_ns = operations.sent_ns, operations.intended_ns
    return sent_ns - intended_ns if first.all() else sent_ns[first] - intended_ns[first]


def read_slots(path: Path, first: int, count: int) -> type_slots:
    """Up to so many slots from one on, as they stand now."""
    with path.open("rb") as file:
        return slots_of(os.pread(file.fileno(), count * SLOT_BYTES, slot_offset(first)))


def read_from(path: Path, seq: int, *, at_most: int = 1 << 16) -> Operations:
    """Calls from `seq` on, as they stand now: for a live view, not for a judgement."""
    chunks: list[bytes] = []
    with path.open("rb") as file:
        for start in range(seq, seq + at_most, 4096):
            raw = os.pread(file.fileno(), 4096 * SLOT_BYTES, slot_offset(start))
            chunks.append(raw[: len(raw) // SLOT_BYTES * SLOT_BYTES])
            if len(raw) < SLOT_BYTES or raw[len(chunks[-1]) - 1] == STATE_EMPTY:
                break
    slots = slots_of(b"".join(chunks))
    return Soundness.of(slots[: in_use(slots)], seq).operations(worker_of(path))


def settled(raw: bytes, seq: int) -> int:
    """How many of these slots, the first of which is `seq`'s, hold their outcome for good."""
    slots = slots_of(raw)
    return Soundness.of(slots[: in_use(slots)], seq).settled
