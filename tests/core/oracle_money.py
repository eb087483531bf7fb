"""Money, slowly: every order on its own, decided by the words of the definitions, for the tests."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from harness.core.operation import Kind, Outcome
from tests.core import oracle_point
from tests.core.oracle_point import Row, told_of

CHAIN = (Kind.CREATE, Kind.ADVANCE, Kind.ATTACH, Kind.CANCEL, Kind.TOUCH)
CLASSES = ("lost", "refused", "absent", "unanswered", "delayed")


@dataclass
class Call(oracle_point.Call):
    """With what money needs beside."""

    intended: int = 0
    final: bool = False
    dropped: bool = False  # by the generator, before the send


def doubtful(call: oracle_point.Call) -> bool:
    return call.outcome in (Outcome.UNKNOWN, Outcome.NONE)


def class_of(
    chain: list[Call],
    resyncs: list[Call],
    *,
    fault: int,
    limit: int,
    lost: bool,
    there: bool | None,
) -> str:
    """In which class one order stands; "" where it was served, or was no business of the fault."""
    if any(c.canary or c.dropped for c in chain):
        return ""
    if lost:
        return "lost"
    intended, done = min(c.intended for c in chain), max(c.done for c in chain)
    open_still = any(c.outcome is Outcome.NONE for c in chain)
    if intended < fault and done <= fault and not open_still:
        return ""
    acked = all(c.outcome is Outcome.ACKED for c in chain)
    answered = acked and any(c.final for c in chain)
    if answered and done - intended <= limit:
        return ""
    if answered or any(c.outcome is Outcome.ACKED for c in resyncs):
        return "delayed"
    if acked or any(doubtful(c) for c in [*chain, *resyncs]):
        return "absent" if there is False else "unanswered"
    return "refused"


def sums(
    calls: list[Call], rows: list[Row] | None, *, fault: int, limit: int
) -> tuple[dict[str, tuple[int, int]], int]:
    """(count, cents) of each class, and the bad seconds. `rows` None: nobody could look."""
    told = told_of(calls, rows or [])
    found = {name: [0, 0] for name in CLASSES}
    bad: set[int] = set()
    chains: dict[tuple[int, int], list[Call]] = defaultdict(list)
    resyncs: dict[tuple[int, int], list[Call]] = defaultdict(list)
    for call in calls:
        if call.kind in CHAIN:
            chains[call.worker, call.record].append(call)
        elif call.kind is Kind.RESYNC:
            resyncs[call.worker, call.record].append(call)
    for key, about in told.items():
        name = class_of(
            chains[key], resyncs[key], fault=fault, limit=limit,
            lost=rows is not None and bool(about.missing_calls()),
            there=None if rows is None else about.there,
        )  # fmt: skip
        if name:
            found[name][0] += 1
            found[name][1] += about.create.value
        if name not in ("", "lost") and about.create.value:
            bad.add(max(0, (min(c.intended for c in chains[key]) - fault) // 10**9))
    return {name: (count, cents) for name, (count, cents) in found.items()}, len(bad)
