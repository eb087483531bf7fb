"""Operations by the column: the ledger as arrays, which every judgement starts from."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

SLOT = np.dtype(
    [
        # intent: written, with its CRC, before the send
        ("intended_ns", "<u8"),
        ("sent_ns", "<u8"),
        ("digest", "<u8"),  # CREATE: content_digest; ATTACH: first 8 bytes of the SHA-1
        ("seq", "<u4"),
        ("record", "<u4"),  # seq of the CREATE that made the record, same worker
        ("value_cents", "<u4"),  # money that stands behind a CREATE; 0 for canaries
        ("workload", "u1"),
        ("kind", "u1"),
        ("stage", "u1"),  # the stage that this call moves its record to
        ("flags", "u1"),
        ("intent_crc", "<u4"),  # CRC-32 of the 40 bytes before it
        # outcome: written after it
        ("done_ns", "<u8"),
        ("answer", "<u4"),  # REPORT: the count that was answered
        ("outcome_crc", "<u4"),  # CRC-32 of bytes 0..56 and 60..63
        ("detail", "u1"),
        ("sends", "u1"),
        ("outcome", "u1"),
        ("state", "u1"),  # 0 empty, 1 intent, 2 done; the last byte to be written
    ]
)
"""One ledger slot: 64 bytes, little-endian."""
assert SLOT.itemsize == 64

type_u8 = npt.NDArray[np.uint8]
type_u32 = npt.NDArray[np.uint32]
type_u64 = npt.NDArray[np.uint64]
type_i64 = npt.NDArray[np.int64]
type_bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Operations:
    """Columns of equal length, one row a call. Times are int64 nanoseconds on the run's clock.

    `done_ns` is 0 where no outcome was recorded; such a row's `outcome` is NONE.
    """

    worker: npt.NDArray[np.uint16]
    seq: type_u32
    record: type_u32
    workload: type_u8
    kind: type_u8
    stage: type_u8
    flags: type_u8
    detail: type_u8
    sends: type_u8
    outcome: type_u8
    answer: type_u32
    value_cents: type_u32
    digest: type_u64
    intended_ns: type_i64
    sent_ns: type_i64
    done_ns: type_i64

    def __len__(self) -> int:
        return len(self.seq)

    def where(self, mask: type_bool) -> Operations:
        """The rows of `mask`."""
        return self if mask.all() else self.at(np.flatnonzero(mask))

    def at(self, rows: npt.NDArray[np.intp]) -> Operations:
        """These rows, in this order."""
        return Operations(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @classmethod
    def from_slots(cls, worker: int, slots: npt.NDArray[np.void]) -> Operations:
        """Rows of one worker's slots (dtype SLOT) whose state is not 0."""
        alive = slots["state"] > 0
        live = slots if alive.all() else slots[alive]
        columns: dict[str, npt.NDArray[np.generic]] = {
            "worker": np.full(len(live), worker, dtype=np.uint16)
        }
        for f in fields(cls):
            if f.name == "worker":
                continue
            column = live[f.name]
            columns[f.name] = (
                column.astype(np.int64) if f.name.endswith("_ns") else np.ascontiguousarray(column)
            )
        return cls(**columns)  # type: ignore[arg-type]

    @classmethod
    def concatenate(cls, parts: list[Operations]) -> Operations:
        """All rows of `parts`, in their order; no parts gives no rows."""
        if not parts:
            return cls.from_slots(0, np.zeros(0, dtype=SLOT))
        return cls(
            **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)}
        )


def of_kind(operations: Operations, *kinds: int) -> type_bool:
    """Which calls are of one of these kinds."""
    found = np.zeros(len(operations), dtype=np.bool_)
    for kind in kinds:
        found |= operations.kind == kind
    return found
