"""Numbers that stand in ledgers, in stored looks and in SQL: what once had a meaning keeps it."""

from __future__ import annotations

import numpy as np

from harness.core.evidence import Part
from harness.core.operation import Detail, Flag, Kind, Outcome, Stage, Workload
from harness.core.operations import SLOT, Operations


def test_the_codes_of_the_ledger_never_change() -> None:
    assert {w.value: w.code for w in Workload} == {
        "order-capture": 1, "point-of-sale": 2, "stock-reservation": 3, "fulfilment": 4,
        "marketplace-integration": 5, "finance-reporting": 6,
    }  # fmt: skip
    assert [Workload.of_code(w.code) for w in Workload] == list(Workload)
    assert [o.value for o in Outcome] == [0, 1, 2, 3]
    assert [k.value for k in Kind] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [s.value for s in Stage] == [0, 1, 2, 3, 4, 9]
    assert [f.value for f in (Flag.NONE, Flag.CANARY, Flag.FINAL, Flag.IDEMPOTENT)] == [0, 1, 2, 4]
    assert [d.value for d in Detail] == [
        0, 1, 2, 10, 11, 12, 13, 14, 15, 20, 21, 22, 30, 31, 32, 33, 34, 35, 40, 41, 42, 50, 51,
    ]  # fmt: skip


def test_the_bits_of_what_is_intact_are_those_that_the_queries_write() -> None:
    parts = (
        Part.LINES, Part.MOVES, Part.RESERVATION, Part.LEDGER_ENTRY, Part.DOCUMENT, Part.PARTNER_CALL,
    )  # fmt: skip
    assert parts == (1, 2, 4, 8, 16, 32)


def test_no_workers_have_no_rows_and_no_worker_number_one() -> None:
    none = Operations.concatenate([])
    assert len(none) == 0
    slots = np.zeros(2, dtype=SLOT)
    slots["state"] = 1, 0
    one = Operations.from_slots(3, slots)
    assert one.worker.tolist() == [3]
    both = Operations.concatenate([one, none])
    assert both.seq.tolist() == [0]
