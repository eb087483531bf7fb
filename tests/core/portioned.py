"""Evidence in portions: what a run too long to be held at once looks like, of evidence that is held.

evidence = in_portions(evidence, 7)     # seven keys of a worker at a time
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from harness.core.arrivals import chain_seq
from harness.core.evidence import Evidence, Portion, Survivors
from harness.core.operation import Kind
from harness.core.operations import Operations

_NOTHING = Operations.concatenate([])


@dataclass(frozen=True)
class InMemory:
    """All columns at hand, cut by stretches of keys."""

    operations: Operations
    found: Mapping[str, Survivors]
    keys: int

    def _stretch(self, worker: npt.NDArray, seq: npt.NDArray) -> npt.NDArray:
        return worker.astype(np.int64) << 40 | seq // np.uint32(self.keys)

    @cached_property
    def _stretches(self) -> npt.NDArray:
        o = self.operations
        every = [self._stretch(o.worker, o.record), self._stretch(o.worker, chain_seq(o))]
        every += [self._stretch(f.worker, f.seq) for f in self.found.values()]
        return np.unique(np.concatenate([*every, [0]]))

    def __len__(self) -> int:
        return len(self._stretches)

    @property
    def reports(self) -> Operations:
        return self.operations.where(self.operations.kind == Kind.REPORT)

    def aside(self, dtype: np.dtype) -> InLists:
        return InLists(dtype)

    def portion(self, number: int) -> Portion:
        o, this = self.operations, self._stretches[number]
        return Portion(
            o.where(self._stretch(o.worker, o.record) == this),
            o.where(self._stretch(o.worker, chain_seq(o)) == this),
            {
                name: rows_of(found, self._stretch(found.worker, found.seq) == this)
                for name, found in self.found.items()
            },
        )


class InLists:
    """Rows by their stretch, copied as a file would hold them."""

    def __init__(self, dtype: np.dtype) -> None:
        self._dtype, self._rows = dtype, {}

    def add(self, rows: npt.NDArray, stretch: npt.NDArray) -> None:
        assert rows.dtype == self._dtype
        for of in np.unique(stretch).tolist():
            self._rows[of] = self._rows.get(of, b"") + rows[stretch == of].tobytes()

    def of(self, stretch: int) -> npt.NDArray:
        return np.frombuffer(self._rows[stretch], dtype=self._dtype)


def rows_of(survivors: Survivors, mask: npt.NDArray) -> Survivors:
    return Survivors(**{f.name: getattr(survivors, f.name)[mask] for f in fields(survivors)})


def in_portions(evidence: Evidence, keys: int) -> Evidence:
    """The same evidence, of which no more than so many keys of a worker are seen at once."""
    found = {name: look.survivors for name, look in evidence.looks.items()}
    emptied = {
        name: replace(look, survivors=rows_of(look.survivors, np.zeros(len(look.survivors), bool)))
        for name, look in evidence.looks.items()
    }
    stored = InMemory(evidence.operations, found, keys)
    return replace(evidence, operations=_NOTHING, stored=stored, **emptied)
