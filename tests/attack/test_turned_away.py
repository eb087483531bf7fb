"""Who was turned away while a repair went on: by hand-made ledgers."""

from __future__ import annotations

import numpy as np

from harness.core.operation import Flag, Kind, Outcome, Workload
from harness.core.operations import SLOT, Operations
from harness.recovery.turned_away import Cost, turned_away

ORDERS, SALES = Workload.ORDER_CAPTURE, Workload.POINT_OF_SALE
BEGIN, END = 1_000, 2_000


def calls(*rows: tuple[Workload, Kind, int, int, Outcome, Flag]) -> Operations:
    slots = np.zeros(len(rows), dtype=SLOT)
    for seq, (workload, kind, record, intended, outcome, flags) in enumerate(rows):
        slots[seq] = np.zeros((), dtype=SLOT)
        for name, value in (
            ("seq", seq), ("record", record), ("workload", workload.code), ("kind", kind),
            ("intended_ns", intended), ("outcome", outcome), ("flags", flags),
            ("value_cents", 4800), ("state", 2),
        ):  # fmt: skip
            slots[name][seq] = value
    return Operations.from_slots(0, slots)


def test_only_what_was_due_in_the_span_and_never_taken_is_counted() -> None:
    none = Flag.NONE
    found = tuple(
        turned_away(
            calls(
                (ORDERS, Kind.CREATE, 0, 999, Outcome.REFUSED, none),  # before
                (ORDERS, Kind.CREATE, 1, 1000, Outcome.REFUSED, none),
                (ORDERS, Kind.CREATE, 2, 1500, Outcome.UNKNOWN, none),
                (ORDERS, Kind.CREATE, 3, 1600, Outcome.NONE, none),
                (ORDERS, Kind.CREATE, 4, 1700, Outcome.ACKED, none),
                (ORDERS, Kind.ADVANCE, 4, 1700, Outcome.UNKNOWN, none),  # it was taken
                (ORDERS, Kind.CREATE, 6, 1800, Outcome.REFUSED, Flag.CANARY),
                (ORDERS, Kind.CREATE, 7, 2001, Outcome.REFUSED, none),  # after
                (SALES, Kind.CREATE, 8, 1100, Outcome.REFUSED, none),
                (SALES, Kind.RESYNC, 8, 3000, Outcome.ACKED, none),  # the till kept it
            ),
            BEGIN,
            END,
        )
    )
    assert found == (Cost(ORDERS, 4, 3, 14400), Cost(SALES, 1, 0, 0))


def test_where_nobody_came_nothing_is_told() -> None:
    assert tuple(turned_away(calls(), BEGIN, END)) == ()
