"""Arrivals: chains of calls, put together as an attentive clerk would."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.arrivals import AT_ONCE_NS, Arrivals, arrivals_of
from harness.core.operation import Detail, Flag, Kind, Outcome
from harness.core.operations import SLOT, Operations

LIMIT_NS = {1: 2_000_000_000, 2: 500_000_000}
OUTCOMES = [Outcome.ACKED] * 6 + [Outcome.REFUSED, Outcome.UNKNOWN, Outcome.NONE]
DETAILS = [Detail.NONE, Detail.TIMEOUT, Detail.CONNECT_TIMEOUT, Detail.RESET, Detail.HTTP_503_SHED]
type_call = dict[str, int]


def call(worker: int, seq: int, record: int, **given: int) -> type_call:
    plain = {
        "worker": worker, "seq": seq, "record": record, "workload": 1, "kind": Kind.CREATE,
        "flags": 0, "outcome": Outcome.ACKED, "detail": 0, "intended_ns": 10, "sent_ns": 10,
        "done_ns": 20, "state": 2,
    }  # fmt: skip
    return plain | given


def operations(calls: list[type_call]) -> Operations:
    parts = []
    for worker in sorted({c["worker"] for c in calls}):
        mine = [c for c in calls if c["worker"] == worker]
        slots = np.zeros(len(mine), dtype=SLOT)
        for slot, told in zip(slots, mine, strict=True):
            for name, value in told.items():
                if name != "worker":
                    slot[name] = value
        parts.append(Operations.from_slots(worker, slots))
    return Operations.concatenate(parts)


def rows(found: Arrivals) -> list[tuple[int, ...]]:
    columns = (
        found.workload, found.canary, found.intended_ns, found.done_ns, found.answered,
        found.good, found.bad_at_ns, found.shed,
    )  # fmt: skip
    return sorted(zip(*(c.tolist() for c in columns), strict=True))


def slowly(calls: list[type_call]) -> list[tuple[int, ...]]:
    """The same, one arrival at a time."""
    chains: dict[tuple[int, int], list[type_call]] = {}
    for told in calls:
        is_read, is_canary = told["kind"] == Kind.READ, told["flags"] & Flag.CANARY
        if told["kind"] == Kind.RESYNC or (is_read and not told["flags"] & Flag.FINAL):
            continue
        first = told["seq"] if is_read or is_canary else told["record"]
        chains.setdefault((told["worker"], first), []).append(told)
    return sorted(one_slowly(chain) for chain in chains.values())


def one_slowly(chain: list[type_call]) -> tuple[int, ...]:
    intended = min(c["intended_ns"] for c in chain)
    done = max(c["done_ns"] for c in chain)
    failed = [c for c in chain if c["outcome"] != Outcome.ACKED]
    answered = not failed and any(c["flags"] & Flag.FINAL for c in chain)
    canary, workload = bool(chain[-1]["flags"] & Flag.CANARY), chain[-1]["workload"]
    good = answered and (canary or done - intended <= LIMIT_NS[workload])
    proof = min(c["sent_ns"] for c in chain)
    if failed:
        proof = max(proof_slowly(c) for c in failed)
    shed = any(c["detail"] == Detail.HTTP_503_SHED for c in failed)
    return (workload, canary, intended, done, answered, good, 0 if good else proof, shed)


def proof_slowly(told: type_call) -> int:
    hung = told["outcome"] == Outcome.NONE or told["detail"] in (
        Detail.TIMEOUT,
        Detail.CONNECT_TIMEOUT,
    )
    slow = told["done_ns"] - told["sent_ns"] > AT_ONCE_NS
    return told["sent_ns"] if hung or slow else told["done_ns"]


def some_calls(seed: int) -> list[type_call]:
    random, calls = Random(seed), []
    for worker in range(random.randint(1, 3)):
        seq = 0
        while seq < 30 and random.random() < 0.9:
            record, length, canary = seq, random.randint(1, 4), random.random() < 0.3
            intended, workload = random.randint(0, 10**9), random.randint(1, 2)
            sent = intended
            for place in range(1 if canary else length):
                outcome = random.choice(OUTCOMES)
                done = sent + random.choice([0, 10**6, AT_ONCE_NS, AT_ONCE_NS + 1, 10**9])
                flags = (Flag.CANARY if canary else 0) | (
                    Flag.FINAL if place == length - 1 or canary else 0
                )
                kind = random.choice(
                    [Kind.CREATE, Kind.ADVANCE, Kind.TOUCH, Kind.READ, Kind.RESYNC]
                )
                calls.append(
                    call(
                        worker, seq, random.randint(0, seq) if kind is Kind.READ else record,
                        workload=workload, kind=kind, flags=int(flags), outcome=outcome,
                        detail=random.choice(DETAILS) if outcome is not Outcome.ACKED else 0,
                        intended_ns=intended, sent_ns=sent,
                        done_ns=0 if outcome is Outcome.NONE else done,
                    )
                )  # fmt: skip
                sent, seq = done, seq + 1
    return calls


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_it_agrees_with_the_slow_clerk(seed: int) -> None:
    calls = some_calls(seed)
    assert rows(arrivals_of(operations(calls), LIMIT_NS)) == slowly(calls)


def good_of(*calls: type_call) -> list[bool]:
    found = arrivals_of(operations(list(calls)), LIMIT_NS)
    return found.good[np.argsort(found.intended_ns)].tolist()


FINAL = int(Flag.FINAL)


def test_the_last_call_says_that_it_is_the_last() -> None:
    assert good_of(call(0, 0, 0), call(0, 1, 0, kind=Kind.ADVANCE, flags=FINAL)) == [True]
    assert good_of(call(0, 0, 0), call(0, 1, 0, kind=Kind.ADVANCE)) == [False]


@pytest.mark.parametrize(("late_ns", "good"), [(0, True), (1, False)])
def test_the_limit_counts_from_the_intended_time(late_ns: int, good: bool) -> None:
    done = 10 + LIMIT_NS[1] + late_ns
    assert good_of(call(0, 0, 0, sent_ns=done - 5, done_ns=done, flags=FINAL)) == [good]


def test_a_canary_s_limit_is_its_time_out() -> None:
    slow = call(0, 0, 0, done_ns=10**12, flags=FINAL | Flag.CANARY)
    assert good_of(slow) == [True]


def test_a_read_of_an_order_is_an_arrival_of_its_own() -> None:
    order = call(0, 0, 0, flags=FINAL)
    read = call(0, 5, 0, kind=Kind.READ, flags=FINAL, intended_ns=30, outcome=Outcome.UNKNOWN)
    assert good_of(order, read) == [True, False]


def test_a_till_s_second_sync_is_outside_the_schedule() -> None:
    first = call(0, 0, 0, flags=FINAL, outcome=Outcome.REFUSED)
    again = call(0, 1, 0, kind=Kind.RESYNC)
    assert good_of(first, again) == [False]


def test_two_workers_have_keys_of_their_own() -> None:
    assert good_of(
        call(0, 0, 0, flags=FINAL),
        call(1, 0, 0, flags=FINAL, outcome=Outcome.UNKNOWN, intended_ns=11),
    ) == [True, False]


def test_no_calls_are_no_arrivals() -> None:
    assert len(arrivals_of(Operations.concatenate([]), LIMIT_NS)) == 0
