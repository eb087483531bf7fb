"""The SQL of `readback.keys`: a key as a number, 64 of them as a block, many blocks as a message.

`keys` selects worker << 31 | seq, NULL where there is none, and the letters of its text. May not
live here: judgement.
"""

from __future__ import annotations

from typing import LiteralString

import numpy as np
import numpy.typing as npt
from psycopg import sql

from harness.readback.queries import pattern_of

HIGH_BITS = 15  # of a block's number, within a message: so at most 393,216 bytes of it

KEYED: dict[str, tuple[str, str, LiteralString]] = {  # table, column, and which of its rows
    "orders": ("sale_order", "client_order_ref", "true"),
    "point-of-sale": ("pos_order", "pos_reference", "true"),
    "invoices": ("account_move", "ref", "move_type = 'out_invoice'"),
}

# A leading zero makes it too long, and 0x1F has one, which alone may be as short as its number.
_QUICKLY: LiteralString = """
SELECT split_part({ref}, '-', 3)::int::bigint << 31 | split_part({ref}, '-', 4)::int,
       CASE WHEN {ref} LIKE {led_by_zero} THEN 1000000 ELSE octet_length({ref}) END
FROM {table} WHERE {ref} LIKE {prefix} AND {of_all}
"""

_CHECKED: LiteralString = """
SELECT CASE WHEN {ref} ~ {pattern}
            THEN split_part({ref}, '-', 3)::int::bigint << 31 | split_part({ref}, '-', 4)::int END,
       0
FROM {table} WHERE {ref} LIKE {prefix} AND {of_all}
"""

# The offset keeps a key from being cut out of its text twice, for its block and for its bit; as a
# word the planner takes it for the nothing that it is, and several workers may ask.
_BLOCKS: LiteralString = """
SELECT block >> 15,
       string_agg(int2send((block & 32767)::int2) || int8send(bits)
                  || int2send(least(rows, 32767)::int2), ''::bytea),
       sum(rows)::bigint, sum(letters)::bigint
FROM (
    SELECT key >> 6 AS block, bit_or(1::bigint << (key & 63)::int) AS bits, count(*) AS rows,
           sum(letters) AS letters
    FROM ({keys} OFFSET '0') keyed (key, letters) GROUP BY 1
) blocked GROUP BY 1
"""

_REPEATED: LiteralString = """
SELECT string_agg(int8send(key) || int8send(times), ''::bytea)
FROM (
    SELECT key, count(*) AS times FROM ({keys} OFFSET '0') keyed (key, letters)
    WHERE key >> 6 IN (SELECT unnest({blocks}::bigint[])) GROUP BY 1 HAVING count(*) > 1
) repeated
"""

_IDS = "SELECT min(id), max(id) FROM {table} WHERE {ref} LIKE {prefix} AND {of_all}"

# Blocks of 80 million keys without a file for what does not fit; a server that has more keeps it.
ROOM: LiteralString = """
SELECT set_config('work_mem', '64MB', true)
WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB')
"""
NO_MORE_ROOM: LiteralString = "SET LOCAL work_mem TO DEFAULT"


def exact_prefix(run_id: str) -> bool:
    """Whether LIKE takes the run's prefix letter by letter."""
    return not set(run_id) & set("_%\\")


def quickly(store: str, run_id: str) -> sql.Composed:
    """Fails on what is no number, and takes others' spellings of one: see `readback.keys`."""
    return _keys(_QUICKLY, store, run_id)


def checked(store: str, run_id: str) -> sql.Composed:
    """Each key held against the pattern; NULL where it does not match."""
    return _keys(_CHECKED, store, run_id)


def ids_of(store: str, run_id: str) -> sql.Composed:
    """The first and the last id of a run's records."""
    return _keys(_IDS, store, run_id)


def blocks_of(keys: sql.Composable) -> sql.Composed:
    """Rows of high bits, packed blocks, rows, letters; the first two are NULL without a key."""
    return sql.SQL(_BLOCKS).format(keys=keys)


def repeated_of(keys: sql.Composable, blocks: npt.NDArray[np.int64]) -> sql.Composed:
    """One value: each key of these blocks that more than one row has, and how many have it."""
    return sql.SQL(_REPEATED).format(keys=keys, blocks=sql.Literal(blocks.tolist()))


def _keys(query: LiteralString, store: str, run_id: str) -> sql.Composed:
    table, column, of_all = KEYED[store]
    return sql.SQL(query).format(
        ref=sql.Identifier(column),
        table=sql.Identifier(table),
        prefix=sql.Literal(f"pd-{run_id}-%"),
        led_by_zero=sql.Literal(f"pd-{run_id}-%-0_%"),
        pattern=sql.Literal(pattern_of(run_id)),
        of_all=sql.SQL(of_all),
    )
