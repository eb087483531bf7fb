"""Presence: which keys are there, a bit a key, and which of them more than once. Exact.

A key is (worker, seq); worker << 31 | seq as a number. 64 neighbours are a block: a number for the
block, a word for its keys. What is dense, as a ledger's keys are, takes a quarter of a byte a key.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.core.operations import type_i64, type_u32, type_u64

SEQ_BITS, BLOCK_BITS = 31, 6
_BLOCK = 1 << BLOCK_BITS
_AT_ONCE = 1 << 15  # rows: the arrays of so many stay in the processor's cache
_ONE = np.uint64(1)
_POWERS = 10 ** np.arange(1, 10, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Presence:
    """`blocks` ascending, each once; `bits` is never 0. `again` ascending, `times` at least 2."""

    blocks: type_i64
    bits: type_u64
    again: type_i64
    times: type_i64

    @property
    def distinct(self) -> int:
        """How many keys are there."""
        return int(np.bitwise_count(self.bits).sum(dtype=np.int64))

    @property
    def rows(self) -> int:
        """How many rows have such a key: a key that is there twice has two."""
        return self.distinct + int((self.times - 1).sum())

    def same_as(self, other: Presence) -> bool:
        """The same keys, each as often."""
        mine = (self.blocks, self.bits, self.again, self.times)
        theirs = (other.blocks, other.bits, other.again, other.times)
        return all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))

    def minus(self, other: Presence) -> Presence:
        """Keys of this that are not in the other, once each: what was lost, or is new."""
        at = np.searchsorted(other.blocks, self.blocks)
        at = np.minimum(at, max(len(other.blocks) - 1, 0))
        bits = self.bits.copy()
        if len(other.blocks):
            bits &= ~np.where(other.blocks[at] == self.blocks, other.bits[at], np.uint64(0))
        left = bits != 0
        none = np.zeros(0, np.int64)
        return Presence(self.blocks[left], bits[left], none, none)

    def numbers(self) -> type_i64:
        """Each key as a number, once, ascending. Eight bytes a key: for what is few."""
        little = self.bits.astype("<u8").view(np.uint8).reshape(-1, 8)
        block, place = np.nonzero(np.unpackbits(little, axis=1, bitorder="little"))
        return self.blocks[block] << BLOCK_BITS | place

    def keys(self) -> tuple[type_i64, type_i64]:
        """Worker and seq of each key, once. Sixteen bytes a key: for what is few."""
        return split(self.numbers())

    def digits(self) -> int:
        """How many decimal digits all workers and seqs have together, a row each."""
        worker, seq = split(self.blocks << BLOCK_BITS)
        count = np.bitwise_count(self.bits).astype(np.int64)
        total = int((count * _digits(worker)).sum()) + int(count.sum())
        for power in _POWERS:
            below = np.clip(power - seq, 0, _BLOCK).astype(np.uint64)  # of the block, too small
            kept = np.where(below < _BLOCK, self.bits >> (below & np.uint64(63)), np.uint64(0))
            total += int(np.bitwise_count(kept).sum(dtype=np.int64))
        worker, seq = split(self.again)
        return total + int(((self.times - 1) * (_digits(worker) + _digits(seq))).sum())


def split(number: type_i64) -> tuple[type_i64, type_i64]:
    """Worker and seq of keys as numbers.

    >>> [int(part) for part in split(np.int64(3 << 31 | 17))]
    [3, 17]
    """
    return number >> SEQ_BITS, number & ((1 << SEQ_BITS) - 1)


def presence_of(worker: npt.NDArray[np.uint16], seq: type_u32) -> Presence:
    """Of rows in any order.

    >>> there = presence_of(np.array([0, 1, 0], np.uint16), np.array([5, 70, 5], np.uint32))
    >>> there.rows, there.distinct, there.numbers().tolist() == [5, 1 << 31 | 70]
    (3, 2, True)
    """
    ends = range(0, len(seq), _AT_ONCE)
    parts = [_blocks(worker[at : at + _AT_ONCE], seq[at : at + _AT_ONCE]) for at in ends]
    none = np.zeros(0, np.int64)
    block = np.concatenate([none, *(block for block, _ in parts)])
    bits = np.concatenate([none.view(np.uint64), *(bits for _, bits in parts)])
    order = np.argsort(block, kind="stable")
    there = Presence(*_merged(block[order], bits[order]), none, none)
    if there.distinct == len(seq):
        return there
    again, times = _repeated(worker, seq)
    return Presence(there.blocks, there.bits, again, times)


def _blocks(worker: npt.NDArray[np.uint16], seq: type_u32) -> tuple[type_i64, type_u64]:
    """Of so few rows that nothing of it leaves the processor's cache."""
    number = np.sort(worker.astype(np.int64) << SEQ_BITS | seq)
    bit = _ONE << (number & (_BLOCK - 1)).astype(np.uint64)
    return _merged(number >> BLOCK_BITS, bit)


def _merged(ascending: type_i64, bits: type_u64) -> tuple[type_i64, type_u64]:
    """Each block once."""
    if not len(ascending):
        return ascending, bits
    begins = np.flatnonzero(np.diff(ascending, prepend=-1))
    return ascending[begins], np.bitwise_or.reduceat(bits, begins)


def _repeated(worker: npt.NDArray[np.uint16], seq: type_u32) -> tuple[type_i64, type_i64]:
    number = np.sort(worker.astype(np.int64) << SEQ_BITS | seq)
    again, more = np.unique(number[1:][number[1:] == number[:-1]], return_counts=True)
    return again, more.astype(np.int64) + 1


def _digits(number: type_i64) -> type_i64:
    """How many decimal digits each has.

    >>> _digits(np.array([0, 9, 10, 9999])).tolist()
    [1, 1, 2, 4]
    """
    return 1 + np.searchsorted(_POWERS, number, side="right").astype(np.int64)
