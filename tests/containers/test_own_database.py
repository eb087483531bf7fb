"""A database that its own image looks after: nobody but PostgreSQL is asked who leads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from harness.errors import FaultError, PlatformError
from harness.platforms.containers.own_database import OwnDatabase, furnish
from harness.platforms.embedded import credentials, joining
from harness.platforms.embedded.cluster import DatabaseNode
from harness.platforms.embedded.layout import Layout
from tests.shop.stand import Postgres, free_port, postgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("own") / "pg") as running:
        with running.connect("postgres") as connection:
            connection.execute("CREATE ROLE postgres SUPERUSER LOGIN")
        yield running


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path)
    made.secrets.mkdir(parents=True)
    credentials.generate(made)
    return made


def of(layout: Layout, *ports: int, synchronous: bool = False) -> OwnDatabase:
    nodes = [DatabaseNode("ab"[i], f"database-{i}", port, 0) for i, port in enumerate(ports)]
    return OwnDatabase(tuple(nodes), layout, synchronous)


def test_who_takes_writes_leads_and_who_is_away_does_not_follow(
    server: Postgres, layout: Layout
) -> None:
    found = of(layout, server.port, free_port())
    assert found.leader() == "a"
    assert found.has_joined("a")
    assert not found.has_joined("b")
    assert not found.follows(found.cluster[0])  # it sends, it does not receive
    assert found.protected().missing == ("database-1 on node b does not stream from the leader",)
    primary = joining.resolve("primary", found.cluster, lambda _: False, found.leads)
    standby = joining.resolve("standby", found.cluster, lambda _: False, found.leads)
    assert (primary, standby) == ("a", "b")


def test_two_that_take_writes_are_no_leader(server: Postgres, layout: Layout) -> None:
    found = of(layout, server.port, server.port)
    assert found.leader() is None
    assert not found.has_joined("a")
    assert found.protected().missing == ("more than one database takes writes: a, b",)
    with pytest.raises(FaultError, match="no leader just now"):
        joining.resolve("primary", found.cluster, lambda _: False, found.leads)


def test_none_that_takes_writes_is_told(layout: Layout) -> None:
    found = of(layout, free_port(), free_port())
    assert found.leader() is None
    assert found.protected().missing == ("no database takes writes",)


def test_what_is_called_synchronous_has_to_confirm(server: Postgres, layout: Layout) -> None:
    alone = of(layout, server.port)
    assert alone.protected().whole
    (told,) = of(layout, server.port, synchronous=True).protected().missing
    assert "no standby confirms commits" in told


def test_roles_and_database_are_made_once_and_the_reader_only_reads(
    server: Postgres, layout: Layout
) -> None:
    known = credentials.load(layout)
    furnish(layout, server.port, known)
    furnish(layout, server.port, known)  # harmless
    with psycopg.connect(server.dsn("shop"), autocommit=True) as database:
        database.execute("CREATE TABLE made_later (x int)")
    where = f"host=127.0.0.1 port={server.port} dbname=shop user=readback"
    with psycopg.connect(where, autocommit=True) as reader:
        assert reader.execute("SELECT count(*) FROM made_later").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("INSERT INTO made_later VALUES (1)")
    with server.connect("postgres") as database:
        roles = database.execute(
            "SELECT rolname, rolreplication FROM pg_roles WHERE rolname = ANY(%s) ORDER BY 1",
            [["readback", "replicator"]],
        ).fetchall()
    assert roles == [("readback", False), ("replicator", True)]


def test_one_that_lets_nobody_in_is_told_without_a_secret(layout: Layout) -> None:
    known = credentials.load(layout)
    with pytest.raises(PlatformError, match="roles cannot be made") as caught:
        furnish(layout, free_port(), known)
    assert "/secrets/postgres" in str(caught.value.next_step)
    assert known.postgres not in repr(caught.value)


def test_what_only_its_own_manager_can_do_is_refused_by_name(layout: Layout) -> None:
    found = of(layout, free_port())
    deeds = {
        "switched over": found.switchover,
        "copied anew": lambda: found.reinitialize("a"),
        "walked for damage": lambda: found.corruption("a"),
        "asked for checksums": lambda: found.checksum_failures("a"),
        "damaged": lambda: found.corrupt_page("a", "product_product"),
    }
    for told, deed in deeds.items():
        with pytest.raises(PlatformError, match=told):
            deed()


def test_no_password_is_in_a_statement_that_a_log_could_keep(
    server: Postgres, layout: Layout
) -> None:
    known = credentials.load(layout)
    with server.connect("postgres") as connection:
        connection.execute("ALTER SYSTEM SET log_statement = 'all'")
        connection.execute("SELECT pg_reload_conf()")
    furnish(layout, server.port, known)
    log = server.log()
    assert "PASSWORD 'SCRAM-SHA-256$" in log
    assert known.shop not in log
    assert known.readback not in log
