"""Presence against plain counting: gaps, repeats, several workers, the borders of blocks."""

from __future__ import annotations

import doctest
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core import presence
from harness.core.presence import Presence, presence_of

_SEQ = st.one_of(
    st.integers(0, 200),
    st.sampled_from([63, 64, 65, 127, 128, 999_999, 1_000_000, 99_999_999, 999_999_999]),
    st.integers(0, 999_999_999),
)
_KEYS = st.lists(st.tuples(st.sampled_from([0, 1, 9, 10, 9999]), _SEQ), max_size=60)
type_keys = list[tuple[int, int]]


def of(keys: type_keys) -> Presence:
    workers = np.array([worker for worker, _ in keys], np.uint16)
    return presence_of(workers, np.array([seq for _, seq in keys], np.uint32))


def plain(there: Presence) -> list[tuple[int, int]]:
    return [(int(worker), int(seq)) for worker, seq in zip(*there.keys(), strict=True)]


def test_examples() -> None:
    tried = doctest.testmod(presence)
    assert (tried.failed, tried.attempted > 3) == (0, True)


@settings(deadline=None)
@given(_KEYS, st.randoms())
def test_keys_are_counted_as_plain_counting_does(keys: type_keys, chance) -> None:
    there, counted = of(keys), Counter(keys)
    assert (there.rows, there.distinct) == (len(keys), len(counted))
    assert plain(there) == sorted(counted)
    repeated = sorted(key for key, times in counted.items() if times > 1)
    assert [divmod(int(number), 1 << 31) for number in there.again] == repeated
    assert there.times.tolist() == [counted[key] for key in repeated]
    assert (np.diff(there.blocks) > 0).all()
    assert there.bits.all()
    shuffled = list(keys)
    chance.shuffle(shuffled)
    assert of(shuffled).same_as(there)


@settings(deadline=None)
@given(_KEYS, _KEYS)
def test_what_is_missing_is_what_sets_say(mine: type_keys, theirs: type_keys) -> None:
    left = of(mine).minus(of(theirs))
    assert plain(left) == sorted(set(mine) - set(theirs))
    assert left.rows == left.distinct
    assert of(mine).same_as(of(theirs)) == (Counter(mine) == Counter(theirs))
    assert of(mine + theirs).minus(of(mine)).distinct == len(set(theirs) - set(mine))


@settings(deadline=None)
@given(_KEYS)
def test_digits_are_those_of_the_texts(keys: type_keys) -> None:
    assert of(keys).digits() == sum(len(f"{worker}{seq}") for worker, seq in keys)


@pytest.mark.parametrize("edge", [10**n for n in range(1, 10)])
def test_digits_where_a_block_holds_both_lengths(edge: int) -> None:
    keys = [(3, seq) for seq in range(max(0, edge - 70), min(edge + 70, 10**9))]
    assert of(keys).digits() == sum(len(f"{worker}{seq}") for worker, seq in keys)


def test_many_rows_are_taken_piece_by_piece() -> None:
    """More than fit into the cache at once, out of order, so that pieces share blocks."""
    chance = np.random.default_rng(6)
    number = chance.permutation(100_000)
    workers, seqs = (number % 3).astype(np.uint16), (number // 3 + 11).astype(np.uint32)
    there = presence_of(workers, seqs)
    assert (there.rows, there.distinct) == (100_000, 100_000)
    assert plain(there) == sorted(zip(workers.tolist(), seqs.tolist(), strict=True))
    again = np.concatenate([seqs, seqs[[5, 99_000, 5]]])
    twice = presence_of(np.concatenate([workers, workers[[5, 99_000, 5]]]), again)
    assert twice.rows == 100_003
    assert sorted(twice.times.tolist()) == [2, 3]
    assert not twice.same_as(there)
    assert not there.minus(twice).distinct


def test_a_key_takes_a_quarter_of_a_byte_among_its_neighbours() -> None:
    there = presence_of(np.zeros(64_000, np.uint16), np.arange(64_000, dtype=np.uint32))
    assert there.blocks.nbytes + there.bits.nbytes == 16_000
