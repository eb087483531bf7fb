"""One worker's slot file, read once to its end; then any stretch of it, with what belongs there.

A stretch is so many slots, and so many keys. The first reading notes what is wrong with the file,
and which slots hold; it sets aside the calls about records and arrivals of another stretch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.core.arrivals import chain_seq
from harness.core.evidence import LedgerHealth
from harness.core.load_places import Elsewhere
from harness.core.operation import Kind
from harness.core.operations import SLOT, Operations, type_bool, type_u8, type_u32
from harness.errors import DamagedEvidence
from harness.evidence.set_aside import SetAside
from harness.ledger.columns import operations_of
from harness.ledger.reader import read_slots, scanned, worker_of
from harness.ledger.soundness import Soundness, kept_of, type_slots


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one stretch of a ledger tells of its keys."""

    calls: Operations
    chains: Operations
    known: type_bool  # by place in the stretch: whether that slot holds a call
    workload: type_u8


@dataclass(frozen=True, slots=True)
class _Told:
    """What stands in one stretch of a file: slots that hold, and the calls in them."""

    slots: type_slots
    calls: Operations
    number: int


class StoredLedger:
    """The ledger of one worker. `place`: where it was written, if not beside the harness."""

    def __init__(self, path: Path, place: Elsewhere | None, *, keys: int, beside: Path) -> None:
        self.worker = worker_of(path)
        self._path, self._place, self._keys, self._beside = path, place, keys, beside
        self._forget()
        self.health: LedgerHealth = scanned(
            path, self._note, again=self._forget, at_once=keys
        ).health()

    def _forget(self) -> None:
        self._sound: list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], int]] = []
        self._calls = SetAside(SLOT, self._beside)
        self._chains = SetAside(SLOT, self._beside)
        self.reports: list[Operations] = []
        self.last_told_ns = self._place.place.begin_ns if self._place else 0
        self.last_intended_ns: int | None = None

    def _note(self, stretch: Soundness, told: Operations) -> None:
        number = len(self._sound)
        bits = np.packbits(stretch.intent), np.packbits(stretch.outcome)
        self._sound.append((*bits, len(stretch.slots)))
        if not len(told):
            return
        kept = kept_of(stretch.slots, stretch.intent, stretch.outcome)
        for key, aside in ((told.record, self._calls), (chain_seq(told), self._chains)):
            of = key // np.uint32(self._keys)
            away = np.flatnonzero(of != number)
            if len(away):
                aside.add(kept[away], of[away].astype(np.int64))
        here = self._on_run_clock(told)
        reports = here.where(here.kind == Kind.REPORT)
        self.reports += [reports] if len(reports) else []
        last_ns = int(here.intended_ns.max())
        self.last_intended_ns = max(last_ns, self.last_intended_ns or last_ns)
        if self._place is not None:
            self.last_told_ns = max(self.last_told_ns, self._place.last_ns(told))

    @property
    def stretches(self) -> set[int]:
        """Those of which anything is known."""
        return {*range(len(self._sound)), *self._calls.stretches, *self._chains.stretches}

    def stretch(self, number: int) -> Stretch:
        """One of them, by the number of its first key over the keys of one."""
        first = number * self._keys
        known, workload = np.zeros(self._keys, np.bool_), np.zeros(self._keys, np.uint8)
        slots, own = np.zeros(0, SLOT), Operations.concatenate([])
        if number < len(self._sound):
            intent, outcome, count = self._sound[number]
            slots = read_slots(self._path, first, count)
            if len(slots) != count:
                raise DamagedEvidence(f"{self._path.name}: it was cut while it was read")
            holds, ends = (np.unpackbits(b, count=count).view(np.bool_) for b in (intent, outcome))
            slots = kept_of(slots, holds, ends)
            own = operations_of(self.worker, slots)
            known[:count] = holds
            workload[np.flatnonzero(holds)] = own.workload
            own = self._on_run_clock(own)
        told = _Told(slots, own, number)
        return Stretch(
            self._with(self._calls, told, own.record),
            self._with(self._chains, told, chain_seq(own)),
            known,
            workload,
        )

    def _with(self, aside: SetAside, told: _Told, key: type_u32) -> Operations:
        """Those whose key is of the stretch, and what was set aside for it, in their order."""
        here = key // np.uint32(self._keys) == told.number
        more = aside.of(told.number)
        if here.all() and not len(more):
            return told.calls
        before = more["seq"] < told.number * self._keys
        parts = (more[before], told.slots[here], more[~before])
        return self._on_run_clock(operations_of(self.worker, *parts))

    def _on_run_clock(self, told: Operations) -> Operations:
        return self._place.on_run_clock(told) if self._place is not None else told
