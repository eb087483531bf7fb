"""A run that is too long to be held at once: its evidence, a stretch of keys at a time.

What is held is one portion, a bit a slot, and what belongs to another stretch than it stands in,
as long as that is little. The rows of a look come in the order of the stores, so they are put in
that of the keys first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from harness.core.evidence import Portion, Survivors
from harness.core.load_places import Elsewhere
from harness.core.operations import Operations, type_bool, type_u8, type_u32
from harness.evidence.read_backs import rows_of, survivors_of, type_u16
from harness.evidence.set_aside import SetAside
from harness.evidence.stored_ledger import StoredLedger, Stretch
from harness.ledger.reader import SLOTS_AT_ONCE, ledger_files, worker_of
from harness.readback.store_rows import ROW

_WORKER_SHIFT = 40


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
        self._looks = {name: self._by_stretch(run, name) for name in looks}
        every = {
            worker << _WORKER_SHIFT | number
            for worker, ledger in self.ledgers.items()
            for number in ledger.stretches
        }
        every.update(*(aside.stretches for aside in self._looks.values()))
        self._stretches = sorted(every) or [0]

    def _by_stretch(self, run: Path, name: str) -> SetAside:
        aside = SetAside(ROW, run)
        for rows in rows_of(run, name):
            stretch = rows["worker"].astype(np.int64) << _WORKER_SHIFT
            stretch |= rows["seq"] // np.uint32(self._keys)
            aside.add(rows, stretch)
        return aside

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
        worker, of = key >> _WORKER_SHIFT, key & ((1 << _WORKER_SHIFT) - 1)
        ledger = self.ledgers.get(worker)
        there = ledger.stretch(of) if ledger is not None else None
        nothing = Operations.concatenate([])
        return Portion(
            there.calls if there is not None else nothing,
            there.chains if there is not None else nothing,
            {name: self._survivors(aside, key, there) for name, aside in self._looks.items()},
        )

    def _survivors(self, aside: SetAside, key: int, there: Stretch | None) -> Survivors:
        def workload_of(_worker: type_u16, seq: type_u32, default: type_u8) -> type_u8:
            if there is None:
                return default
            place = seq % np.uint32(self._keys)
            known: type_bool = there.known[place]
            return np.where(known, there.workload[place], default)

        return survivors_of(aside.of(key), workload_of)
