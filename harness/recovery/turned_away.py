"""What a repair in service costs the customers while it goes on, read from the growing ledgers.

A count for the person who decides, and no judgement: an order that was refused was never promised
to anybody, so it is no lost write. What a till kept and delivered later is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.core.operation import Flag, Kind, Outcome, Workload
from harness.core.operations import Operations
from harness.core.wording import money, noun
from harness.ledger.reader import read_ledgers


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one workload: records that customers asked for in the span, and those they did not get."""

    workload: Workload
    asked: int
    turned_away: int
    value_cents: int  # of those turned away


def turned_away(operations: Operations, begin_ns: int, end_ns: int) -> Iterator[Cost]:
    """By workload, for arrivals that were due within the span; canaries are nobody's orders."""
    due = (operations.intended_ns >= begin_ns) & (operations.intended_ns <= end_ns)
    asked = due & (operations.kind == Kind.CREATE) & ((operations.flags & Flag.CANARY) == 0)
    created = np.isin(operations.kind, (Kind.CREATE, Kind.RESYNC))
    taken = created & (operations.outcome == Outcome.ACKED)
    keys = operations.worker.astype(np.uint64) << np.uint64(32) | operations.record
    missing = asked & ~np.isin(keys, keys[taken])
    for workload in Workload:
        mine = operations.workload == workload.code
        if (asked & mine).any():
            yield Cost(
                workload,
                int((asked & mine).sum()),
                int((missing & mine).sum()),
                int(operations.value_cents[missing & mine].sum()),
            )


def told(ledgers: Path, begin_ns: int, end_ns: int, currency: str) -> str:
    """The sentence for the runbook's record. Raises OSError and DamagedEvidence."""
    operations, _ = read_ledgers(ledgers)
    costs = [_of(cost, currency) for cost in turned_away(operations, begin_ns, end_ns)]
    seconds = (end_ns - begin_ns) / 1e9
    return f"in the {seconds:.1f} s of the rotation: {', '.join(costs) or 'nobody came'}"


def _of(cost: Cost, currency: str) -> str:
    text = f"{cost.turned_away:,} of {cost.asked:,} {noun(cost.workload)} ({cost.workload})"
    worth = f", worth {money(cost.value_cents, currency)}" if cost.value_cents else ""
    return f"{text} turned away{worth}"
