"""PostgreSQL: its settings, its roles, and the seeded database that both nodes start from.

It listens on loopback alone, asks everybody for a password, and has no Unix socket (a path could
be too long for one, and /tmp is nobody's home).
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from harness.errors import PlatformError
from harness.platforms.embedded import namespace, programs
from harness.platforms.embedded.credentials import READER, SecretFiles, Secrets
from harness.platforms.embedded.node import clean_environment

DATABASE = "shop"
SUPERUSER = "postgres"
_CONNECT_S = 2
# A node whose power is cut says no goodbye: who waits for its answer has to ask whether it lives.
_LIVES = "keepalives_idle=2 keepalives_interval=1 keepalives_count=3 tcp_user_timeout=5000"
_REWIND_FUNCTIONS = (
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
)


def parameters() -> dict[str, object]:
    """The same on both nodes; Patroni keeps them in etcd."""
    return {
        "max_connections": 150,
        "shared_buffers": "128MB",
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "wal_level": "replica",
        "wal_log_hints": "on",
        "wal_keep_size": "256MB",
        "max_wal_senders": 10,
        "max_replication_slots": 10,
        "wal_receiver_status_interval": "1s",
        "wal_retrieve_retry_interval": "200ms",
        "min_wal_size": "80MB",
        "max_wal_size": "1GB",
        "archive_mode": "always",
        "archive_timeout": "60s",
        "synchronous_commit": "on",
        "log_min_error_statement": "panic",  # a failing statement's text may hold what is secret
        "log_lock_waits": "on",
        "log_line_prefix": "%m [%p] ",
        "log_connections": "authorization",  # with the application's name: who used which role
        "track_commit_timestamp": "on",  # which transaction was the last good one
        # what initdb writes down; said here too, Patroni finds nothing changed when it takes over
        "autovacuum_worker_slots": 16,
        "dynamic_shared_memory_type": "posix",
        "datestyle": "ISO, MDY",
        "default_text_search_config": "pg_catalog.english",
        "lc_messages": "C",
        "lc_monetary": "C",
        "lc_numeric": "C",
        "lc_time": "C",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }


def as_configuration(settings: Mapping[str, object]) -> str:
    """Lines of a postgresql.conf."""
    quoted_ = {name: str(value).replace("'", "''") for name, value in settings.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in quoted_.items())


def run(words: list[str], *, home: Path, stdin: str = "", within_s: float = 60.0) -> str:
    """A PostgreSQL program as a user that it accepts; its output. Raises PlatformError."""
    command = [*namespace.as_user(), programs.postgres(words[0]), *words[1:]]
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, errors="replace", check=False,
            timeout=within_s, env=clean_environment(home), cwd=home, umask=0o077,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise PlatformError(f"{words[0]} did not end within {within_s:g} s") from error
    if done.returncode != 0:
        raise PlatformError(f"{words[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def initdb(pgdata: Path, password_file: Path) -> None:
    words = [
        "initdb", "-D", str(pgdata), "--username", SUPERUSER, "--pwfile", str(password_file),
        "--encoding", "UTF8", "--locale", "C", "--data-checksums", "--auth", "scram-sha-256",
        "--no-sync", "--no-instructions",
    ]  # fmt: skip
    run(words, home=pgdata.parent)
    pgdata.joinpath("pg_hba.conf").write_text(
        "\n".join(hba("127.0.0.1/32")) + "\n", encoding="ascii"
    )


def hba(addresses: str) -> tuple[str, ...]:
    """A password from everybody, and replication for those alone who need it."""
    return (
        f"host all all {addresses} scram-sha-256",
        f"host replication replicator,{SUPERUSER} {addresses} scram-sha-256",
    )


def roles(connection: psycopg.Connection[tuple[object, ...]], secrets: Secrets) -> None:
    """Who may do what."""
    _log_in(connection, "replicator", secrets.replicator, "REPLICATION")
    _log_in(connection, "rewind", secrets.rewind)
    for function in _REWIND_FUNCTIONS:
        connection.execute(f"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO rewind")
    application_roles(connection, secrets)


def application_roles(connection: psycopg.Connection[tuple[object, ...]], secrets: Secrets) -> None:
    """Those that Patroni does not make by itself. The shop owns its database; the read-back only
    reads.
    """
    _log_in(connection, "shop", secrets.shop)
    _log_in(connection, READER, secrets.readback)
    connection.execute(
        sql.SQL("GRANT pg_read_all_data, pg_monitor TO {}").format(sql.Identifier(READER))
    )
    connection.execute(f"CREATE DATABASE {DATABASE} OWNER shop")


def _log_in(
    connection: psycopg.Connection[tuple[object, ...]],
    role: str,
    password: str,
    rights: LiteralString = "",
) -> None:
    connection.execute(
        sql.SQL("CREATE ROLE {} LOGIN " + rights + " PASSWORD {}").format(
            sql.Identifier(role), verifier(connection, role, password)
        )
    )


def verifier(connection: psycopg.Connection[Any], role: str, password: str) -> sql.Literal:
    """All that the server is given of a password: a statement can reach a log."""
    made = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return sql.Literal(made.decode())


def renew_passwords(pgdata: Path, secrets: Secrets) -> None:
    """New passwords in a copied data folder, before anybody can connect (single-user mode).

    They travel by stdin: no argument list, no log.
    """
    renewed = {
        SUPERUSER: secrets.postgres,
        "replicator": secrets.replicator,
        "rewind": secrets.rewind,
        "shop": secrets.shop,
        READER: secrets.readback,
    }
    lines = [f"ALTER ROLE {role} PASSWORD '{word}'" for role, word in renewed.items()]
    words = [
        "postgres", "--single", "-D", str(pgdata), "-c", "exit_on_error=true",
        "-c", "log_min_error_statement=panic", "-c", "fsync=off",
        "-c", "synchronous_standby_names=",  # a copied setting would wait for a standby for ever
        "postgres",
    ]  # fmt: skip
    try:
        run(words, home=pgdata.parent, stdin="\n".join(lines) + "\n")
    except PlatformError as error:
        raise PlatformError("the copied data's passwords cannot be renewed") from error


def system_identifier(pgdata: Path) -> str:
    return _control(pgdata, "Database system identifier:")


def drop_spare_wal(pgdata: Path, since: str) -> None:
    """Of a cleanly stopped cluster: what neither a start nor a backup needs, so copies are small.

    A start needs the last checkpoint's segment, a backup everything from segment `since` on.
    Segments after the last one were only recycled.
    """
    last = _control(pgdata, "Latest checkpoint's REDO WAL file:")
    for segment in (pgdata / "pg_wal").iterdir():
        if segment.is_file() and segment.name != last and not since <= segment.name < last:
            segment.unlink()


def _control(pgdata: Path, label: str) -> str:
    for line in run(["pg_controldata", "-D", str(pgdata)], home=pgdata.parent).splitlines():
        if line.startswith(label):
            return line.split()[-1]
    raise PlatformError(f"pg_controldata of {pgdata} says no {label}")


def dsn(ports: Sequence[int], passfile: Path, *, user: str, database: str = DATABASE) -> str:
    """Over all nodes, to the one that takes writes. Holds no secret."""
    hosts, numbers = ",".join("127.0.0.1" for _ in ports), ",".join(str(port) for port in ports)
    return (
        f"host={hosts} port={numbers} dbname={database} user={user} "
        f"passfile={quoted(str(passfile))} target_session_attrs=read-write "
        f"connect_timeout={_CONNECT_S} {_LIVES} application_name=peakdrill"
    )


def dsn_of_node(port: int, passfile: Path, *, user: str, database: str = DATABASE) -> str:
    """To one node alone, whatever its role. Holds no secret."""
    return (
        f"host=127.0.0.1 port={port} dbname={database} user={user} "
        f"passfile={quoted(str(passfile))} connect_timeout={_CONNECT_S} "
        f"{_LIVES} application_name=peakdrill"
    )


def quoted(text: str) -> str:
    """As libpq reads a value in a connection string."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@contextmanager
def connected(
    port: int, files: SecretFiles, *, database: str = "postgres"
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """As the superuser on one node; autocommit. Raises psycopg.OperationalError."""
    conninfo = (
        f"host=127.0.0.1 port={port} dbname={database} user={SUPERUSER} "
        f"passfile={quoted(str(files.superuser_pass))} connect_timeout={_CONNECT_S} "
        f"{_LIVES} application_name=peakdrill options='-c statement_timeout=5000'"
    )
    with psycopg.connect(conninfo, autocommit=True) as connection:
        yield connection


def takes_writes(port: int, files: SecretFiles) -> bool:
    return _says(port, files, "SELECT NOT pg_is_in_recovery()")


def answers(port: int, files: SecretFiles) -> bool:
    """Also true of a standby; it knows this start's passwords, so it has begun to follow."""
    return _says(port, files, "SELECT true")


def _says(port: int, files: SecretFiles, question: LiteralString) -> bool:
    try:
        with connected(port, files) as connection:
            row = connection.execute(question).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])
