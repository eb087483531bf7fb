"""A run that is too long to be held at once: its evidence, a stretch of keys at a time.

What is held is one portion, a bit a slot, and what belongs to another stretch than it stands in,
as long as that is little. The rows of a look come in the order of the stores: see `stored_look`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.core.evidence import Portion, Survivors
from harness.core.load_places import Elsewhere
from harness.core.operations import Operations, type_u8, type_u32
from harness.evidence.read_backs import survivors_of, type_u16
from harness.evidence.set_aside import SetAside
from harness.evidence.stored_ledger import StoredLedger, Stretch
from harness.evidence.stored_look import WORKER_SHIFT, StoredLook
from harness.ledger.reader import SLOTS_AT_ONCE, ledger_files, worker_of


class OnDisk:
    """The portions of one run directory: see `harness.core.evidence.Portions`."""

    def __init__(
        self,
        run: Path,
        ledgers: Path,
        looks: Iterable[str],
        elsewhere: Mapping[int, Elsewhere],
        *,
        keys: int = SLOTS_AT_ONCE,
    ) -> None:
        self._keys, self._run = keys, run
        self.ledgers = {
            worker_of(file): StoredLedger(
                file, elsewhere.get(worker_of(file)), keys=keys, beside=run
            )
            for file in ledger_files(ledgers)
        }
        self._looks = {name: StoredLook(run, name, keys=keys) for name in looks}
        every = {
            worker << WORKER_SHIFT | number
            for worker, ledger in self.ledgers.items()
            for number in ledger.stretches
        }
        every.update(*(look.stretches for look in self._looks.values()))
        self._stretches = sorted(every) or [0]

    def __len__(self) -> int:
        return len(self._stretches)

    def aside(self, dtype: np.dtype[np.void]) -> SetAside:
        return SetAside(dtype, self._run)

    @property
    def reports(self) -> Operations:
        return Operations.concatenate([r for led in self.ledgers.values() for r in led.reports])

    @property
    def last_intended_ns(self) -> int | None:
        """The last arrival of the run; None where there is none."""
        last = [ledger.last_intended_ns for ledger in self.ledgers.values()]
        return max((ns for ns in last if ns is not None), default=None)

    def portion(self, number: int) -> Portion:
        key = self._stretches[number]
        worker, of = key >> WORKER_SHIFT, key & ((1 << WORKER_SHIFT) - 1)
        ledger = self.ledgers.get(worker)
        there = ledger.stretch(of) if ledger is not None else None
        nothing = Operations.concatenate([])
        return Portion(
            there.calls if there is not None else nothing,
            there.chains if there is not None else nothing,
            _Found(self._looks, key, of * self._keys, there),
        )


class _Found(Mapping[str, Survivors]):
    """What each look found of one portion, read when it is asked for: arrivals need none of it."""

    def __init__(
        self, looks: Mapping[str, StoredLook], key: int, first: int, there: Stretch | None
    ) -> None:
        self._looks, self._key, self._first, self._there = looks, key, first, there
        self._read: dict[str, tuple[npt.NDArray[np.void], Survivors]] = {}

    def __getitem__(self, name: str) -> Survivors:
        if name not in self._read:
            self._read[name] = self._of(self._looks[name].of(self._key))
        return self._read[name][1]

    def _of(self, rows: npt.NDArray[np.void]) -> tuple[npt.NDArray[np.void], Survivors]:
        """Of most stretches a later look finds what an earlier one did, to the byte."""
        for same in self._read.values():
            if len(same[0]) == len(rows) and (same[0].view(np.uint8) == rows.view(np.uint8)).all():
                return same
        return rows, survivors_of(rows, self._workload_of)

    def __iter__(self) -> Iterator[str]:
        return iter(self._looks)

    def __len__(self) -> int:
        return len(self._looks)

    def _workload_of(self, _worker: type_u16, seq: type_u32, default: type_u8) -> type_u8:
        if self._there is None:
            return default
        place = seq - np.uint32(self._first)
        return np.where(self._there.known.take(place), self._there.workload.take(place), default)
