"""Where calls come as they were made, a shorter way is taken: it finds what the long one finds."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.arrivals import Arrivals, arrivals_of
from harness.core.operation import Kind, Outcome
from harness.core.operations import Operations
from harness.core.records import Records, records_of
from harness.core.recovery_point import Classes, classify, held_by
from tests.core.oracle_point import Row
from tests.core.test_recovery_point import survivors

LIMITS = {1: 30, 2: 0}
KINDS = [int(kind) for kind in Kind]


def some(random: np.random.Generator, *, creates_only: bool, own: float) -> Operations:
    """Calls of one worker in the order in which they were made; most about a record before them."""
    count = int(random.integers(1, 40))
    seq = np.sort(random.choice(90, count, replace=False)).astype(np.uint32)
    before = random.choice(seq, count)
    record = np.where(random.random(count) < own, seq, np.minimum(before, seq))
    if random.random() < 0.2:
        record[random.integers(0, count)] = random.integers(0, 120)  # before its time, or nobody's
    at = random.integers(0, 60, count)
    small = {
        name: random.choice(values, count).astype(np.uint8)
        for name, values in {
            "workload": [1, 1, 2, 3], "stage": [0, 1, 2, 3, 4, 9], "flags": [0, 1, 2, 2, 3, 6],
            "detail": [0, 1, 2, 10, 12, 22], "sends": [1, 2], "outcome": [0, 1, 1, 1, 1, 2, 3],
        }.items()
    }  # fmt: skip
    kind = np.full(count, Kind.CREATE) if creates_only else random.choice(KINDS, count)
    return Operations(
        worker=np.zeros(count, np.uint16), seq=seq, record=record.astype(np.uint32),
        kind=kind.astype(np.uint8), answer=np.zeros(count, np.uint32),
        value_cents=random.integers(0, 9, count).astype(np.uint32),
        digest=random.integers(0, 3, count).astype(np.uint64), intended_ns=at,
        sent_ns=at + random.integers(0, 9, count),
        done_ns=np.where(small["outcome"] == Outcome.NONE, 0, at + random.integers(0, 50, count)),
        **small,
    )  # fmt: skip


def the_long_way(calls: Operations) -> Operations:
    """The same, and one call of another worker after them: it stands behind all that they give."""
    stranger = calls.at(np.array([0], dtype=np.intp))
    stranger = replace(
        stranger, worker=np.array([7], np.uint16), seq=np.array([500], np.uint32),
        record=np.array([500], np.uint32), kind=np.array([Kind.CREATE], np.uint8),
        flags=np.array([2], np.uint8),
    )  # fmt: skip
    return Operations.concatenate([calls, stranger])


def but_the_last(of: Arrivals | Records | Classes, name: str) -> list[object]:
    values: list[object] = getattr(of, name).tolist()
    return values[:-1]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([0.3, 0.8, 1.0]))
def test_arrivals_are_put_together_alike(seed: int, creates_only: bool, own: float) -> None:
    calls = some(np.random.default_rng(seed), creates_only=creates_only, own=own)
    before = [getattr(calls, f.name).copy() for f in fields(Operations)]
    short, long = arrivals_of(calls, LIMITS), arrivals_of(the_long_way(calls), LIMITS)
    for f in fields(Arrivals):
        assert getattr(short, f.name).tolist() == but_the_last(long, f.name), f.name
        assert getattr(short, f.name).dtype == getattr(long, f.name).dtype
    for f, column in zip(fields(Operations), before, strict=True):  # nor is a call changed
        assert getattr(calls, f.name).tolist() == column.tolist()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([0.8, 1.0]))
def test_records_and_their_classes_are_found_alike(
    seed: int, creates_only: bool, own: float
) -> None:
    random = np.random.default_rng(seed)
    calls = some(random, creates_only=creates_only, own=own)
    rows = [
        Row(0, int(key), int(random.choice([1, 2, 9])), *random.integers(0, 3, 3).tolist())
        for key in random.choice(calls.seq, int(random.integers(0, 30)))
    ]
    short, long = records_of(calls), records_of(the_long_way(calls))
    assert not long.alone
    ordinary = (calls.kind == Kind.CREATE) & (calls.record == calls.seq)
    assert short.alone is bool(ordinary.all())
    for name in (f.name for f in fields(Records)):
        if name not in ("keys", "calls", "call_record", "alone"):
            assert getattr(short, name).tolist() == but_the_last(long, name), name
    assert short.call_record.tolist() == but_the_last(long, "call_record")
    stored = survivors(rows)
    found, wanted = (classify(of, held_by(of, stored)) for of in (short, long))
    for name in (f.name for f in fields(Classes)):
        assert getattr(found, name).tolist() == but_the_last(wanted, name), name
