"""Is a node's data sound? By PostgreSQL's own walk, and by the checksum of every page on disk.

The two see different things. pg_amcheck reads through the server's buffers and follows every
tuple and every index entry; it does not see a page that is damaged on disk under a sound copy in
the buffers. The checksums (pages.py) see every page as it lies on disk.
"""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass

import psycopg

from harness.errors import NotReady, PlatformError
from harness.platforms.embedded import namespace, postgres, programs
from harness.platforms.embedded.credentials import SecretFiles
from harness.platforms.embedded.disk import Disk
from harness.platforms.embedded.node import clean_environment
from harness.platforms.embedded.pages import DamagedPage
from harness.platforms.embedded.waiting import await_ready

Connection = psycopg.Connection[tuple[object, ...]]
_WALK_S = 120.0
_TRIES, _BETWEEN_S = 5, 1.0
_EXTENSION_S = 20.0
_FOUND = 2  # pg_amcheck's exit code for damage
_GLOBAL_TABLESPACE = 1664
# what a check meets on a standby or beside DDL, and what says nothing about the data
_DISTURBANCES = ("conflict with recovery", "deadlock detected", "could not open relation")
_SUBJECT = re.compile(r'^(?:heap table|btree index) "(?P<name>.+?)"(?P<place>,.*)?:$')


@dataclass(frozen=True, slots=True)
class Copy:
    """One node's copy of the data: its server, and its files."""

    node: str
    port: int
    disk: Disk
    files: SecretFiles
    leader_port: int | None  # None: nobody takes writes just now


def damages(copy: Copy) -> tuple[str, ...]:
    """A sentence for each damage. Raises PlatformError when it could not be looked at."""
    walked = _walked(copy)
    found, looked_at = copy.disk.damaged_pages()
    if not looked_at:
        raise PlatformError(f"node {copy.node}: no page lies where its data should be")
    named = {
        f"{name}: block {page.block} is not what its checksum says"
        for page in found
        if (name := _name_of(copy, page)) is not None
    }
    return (*walked, *sorted(named))


def checksum_failures(copy: Copy) -> int:
    """What the node has counted since its statistics began, in all databases."""
    question = "SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database"
    try:
        with postgres.connected(copy.port, copy.files) as connection:
            row = connection.execute(question).fetchone()
    except psycopg.Error as error:
        raise PlatformError(f"node {copy.node} does not say its checksum failures") from error
    return int(str(row[0])) if row else 0


def install(copy: Copy, extension: str, *, database: str) -> None:
    """On the leader, where it is lacking; returns when this node has it too."""
    if _has(copy.port, copy.files, database, extension):
        return
    if copy.leader_port is not None:
        try:
            with postgres.connected(copy.leader_port, copy.files, database=database) as leader:
                leader.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}".encode())
        except psycopg.Error as error:
            raise PlatformError(
                f"{extension} cannot be installed in {database}: {error}"
            ) from error
    await_ready(
        f"{extension} in {database} on node {copy.node}",
        lambda: _has(copy.port, copy.files, database, extension),
        within_s=_EXTENSION_S,
    )


def _has(port: int, files: SecretFiles, database: str, extension: str) -> bool:
    with postgres.connected(port, files, database=database) as connection:
        question = "SELECT 1 FROM pg_extension WHERE extname = %s"
        return connection.execute(question, [extension]).fetchone() is not None


def _walked(copy: Copy) -> tuple[str, ...]:
    """By pg_amcheck, of every table, TOAST table and B-tree of every database."""
    try:
        with postgres.connected(copy.port, copy.files) as connection:
            rows = connection.execute("SELECT datname FROM pg_database WHERE datallowconn")
            databases = [str(row[0]) for row in rows]
        for database in databases:  # it would pass over one that lacks the extension
            install(copy, "amcheck", database=database)
    except (psycopg.Error, NotReady) as error:
        raise PlatformError(f"node {copy.node} cannot be walked: {error}") from error
    for _ in range(_TRIES):
        done = _amcheck(copy)
        if done.returncode == 0:
            return ()
        if done.returncode != _FOUND:
            break
        if not any(word in done.stdout for word in _DISTURBANCES):
            return _sentences(done.stdout)
        time.sleep(_BETWEEN_S)
    told = (done.stderr or done.stdout).strip()[-300:]
    raise PlatformError(f"pg_amcheck could not walk node {copy.node}: {told}")


def _amcheck(copy: Copy) -> subprocess.CompletedProcess[str]:
    home = copy.files.folder
    source = postgres.dsn_of_node(
        copy.port, copy.files.superuser_pass, user=postgres.SUPERUSER, database="template1"
    )
    words = [
        "--all", "--no-password", f"--maintenance-db={source}", "-h", "127.0.0.1",
        "-p", str(copy.port), "-U", postgres.SUPERUSER,
    ]  # fmt: skip
    environment = {**clean_environment(home), "PGPASSFILE": str(copy.files.superuser_pass)}
    try:
        return subprocess.run(
            [*namespace.as_user(), programs.postgres("pg_amcheck"), *words], cwd=home,
            env=environment, capture_output=True, text=True, errors="replace", check=False,
            timeout=_WALK_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise PlatformError(
            f"pg_amcheck did not walk node {copy.node} within {_WALK_S:g} s"
        ) from error


def _sentences(output: str) -> tuple[str, ...]:
    """pg_amcheck's report, one sentence a subject; details and hints are left out.

    >>> _sentences('''heap table "shop.public.sale_order", block 3, offset 7:
    ...     xmin 4294967 precedes relation freeze threshold
    ... btree index "shop.public.sale_order_pkey":
    ...     ERROR:  invalid page in block 2 of relation "base/5/16389"
    ...     HINT:  none
    ... ''')
    ('shop.public.sale_order, block 3, offset 7: xmin 4294967 precedes relation freeze threshold',
     'shop.public.sale_order_pkey: invalid page in block 2 of relation "base/5/16389"')
    """
    sentences: list[str] = []
    subject = ""
    for line in output.splitlines():
        if heading := _SUBJECT.match(line):
            subject = heading["name"] + (heading["place"] or "")
        elif subject and line.strip():
            sentences.append(f"{subject}: {line.strip().removeprefix('ERROR:').strip()}")
            subject = ""
    return tuple(sentences) or (output.strip()[-300:],)


def _name_of(copy: Copy, page: DamagedPage) -> str | None:
    """database.schema.relation; None where nothing is kept there any more (dropped meanwhile)."""
    tablespace = 0 if page.database_oid else _GLOBAL_TABLESPACE
    try:
        with postgres.connected(copy.port, copy.files) as connection:
            row = connection.execute(
                "SELECT datname FROM pg_database WHERE oid = %s", [page.database_oid]
            ).fetchone()
        database = str(row[0]) if row else "postgres"
        with postgres.connected(copy.port, copy.files, database=database) as connection:
            row = connection.execute(
                "SELECT format('%%s.%%s', n.nspname, c.relname) FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.oid = pg_filenode_relation(%s, %s)",
                [tablespace, page.filenode],
            ).fetchone()
    except psycopg.Error as error:
        raise PlatformError(
            f"node {copy.node}: a page of file {page.filenode} is damaged, and the node does not"
            f" say whose it is: {error}"
        ) from error
    return f"{database}.{row[0]}{page.fork}" if row else None
