"""Keys alone: the database says which are there, a bit each, and how often. Exact.

Blocks of 64 keys are put together where the data lies, and many of them into one message: a fifth
of a byte a key that stands among its neighbours. What the keys say is held against the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import errors, sql

from harness.core.presence import BLOCK_BITS, Presence, split
from harness.readback import key_queries

_LAST_WORKER, _LAST_SEQ = 9999, 999_999_999  # as the pattern of a key has it
_WORD = np.dtype([("block", ">u2"), ("bits", ">u8"), ("count", ">u2")])
_REPEATED = np.dtype([("key", ">i8"), ("times", ">i8")])
_NONE = np.zeros(0, np.int64)
_SPELT_OTHERWISE = (errors.InvalidTextRepresentation, errors.NumericValueOutOfRange)


@dataclass(frozen=True, slots=True)
class Found:
    """`foreign`: rows whose key is not one that a worker writes; no part of `there`."""

    there: Presence
    foreign: int


def of_store(database: psycopg.Connection, store: str, run_id: str) -> Found:
    """What a store holds of one run. In a snapshot: two statements must see the same rows.

    First in the quick way, which takes any number for a key. It is believed only where all keys
    together are as long as they must be: another spelling of a number is longer. Else each
    key is held against the pattern.
    """
    if key_queries.exact_prefix(run_id):
        try:
            with database.transaction():
                there, length, _ = _asked(database, key_queries.quickly(store, run_id))
        except _SPELT_OTHERWISE:
            there = None
        if there is not None and _is_canonical(there, length, run_id):
            return Found(there, 0)
    there, _, foreign = _asked(database, key_queries.checked(store, run_id))
    return Found(there, foreign)


def of_numbers(database: psycopg.Connection, source: sql.Composable) -> Presence:
    """Of a table with its keys in columns: `source` selects worker << 31 | seq, and an int."""
    return _asked(database, source)[0]


def contradiction(store: str, keys: Presence, rows: Presence, run_id: str) -> str:
    """A sentence where the rows that were read are not those of the keys; "" where they are."""
    if keys.same_as(rows):
        return ""
    for what, which in (("is not among its rows", keys.minus(rows)),
                        ("is among its rows alone", rows.minus(keys))):  # fmt: skip
        if which.distinct:
            worker, seq = split(which.blocks[:1] << BLOCK_BITS | _first_bit(which))
            return (
                f"{store}: of {keys.rows} keys {which.distinct} {what}, "
                f"pd-{run_id}-{worker[0]}-{seq[0]} the first of them"
            )
    return f"{store}: {keys.rows} rows by key, {rows.rows} by row"


def _asked(database: psycopg.Connection, source: sql.Composable) -> tuple[Presence, int, int]:
    """Keys, the sum of their lengths, and how many rows have none."""
    at, bits, counts, length, foreign = [_NONE], [_NONE.view(np.uint64)], [_NONE], 0, 0
    database.execute(key_queries.ROOM)
    with database.cursor(binary=True) as cursor:
        for high, packed, rows, letters in cursor.execute(key_queries.blocks_of(source)):
            length += letters
            if high is None:
                foreign += rows
                continue
            words = np.frombuffer(packed, _WORD)
            at.append(np.int64(high) << key_queries.HIGH_BITS | words["block"])
            bits.append(words["bits"].astype(np.uint64))
            counts.append(words["count"].astype(np.int64))
    database.execute(key_queries.NO_MORE_ROOM)
    block, word, count = np.concatenate(at), np.concatenate(bits), np.concatenate(counts)
    again = _repeated(database, source, block[count != np.bitwise_count(word)])
    order = np.argsort(block)
    return Presence(block[order], word[order], *again), length, foreign


def _repeated(
    database: psycopg.Connection, source: sql.Composable, blocks: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of blocks with more rows than keys: which keys, and how often."""
    if not len(blocks):
        return _NONE, _NONE
    with database.cursor(binary=True) as cursor:
        ((packed,),) = cursor.execute(key_queries.repeated_of(source, blocks)).fetchall()
    found = np.frombuffer(packed or b"", _REPEATED)
    order = np.argsort(found["key"])
    return found["key"][order].astype(np.int64), found["times"][order].astype(np.int64)


def _is_canonical(there: Presence, length: int, run_id: str) -> bool:
    """Each key is spelt as a worker spells it: in the range of its numbers, and no longer."""
    worker, seq = split(there.blocks << BLOCK_BITS)  # the last seq is the last of its block, too
    if (worker > _LAST_WORKER).any() or (seq > _LAST_SEQ).any():
        return False
    return length == there.rows * len(f"pd-{run_id}--") + there.digits()


def _first_bit(which: Presence) -> int:
    word = int(which.bits[0])
    return (word & -word).bit_length() - 1
