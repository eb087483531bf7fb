"""Contract: a node is lost and comes back; the lead changes hands; nothing acknowledged is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from harness.errors import FaultError, PlatformError
from harness.platforms.capabilities import Database, Nodes, Platform
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.having import having
from tests.contracts.stands import await_whole, needs

pytestmark = pytest.mark.timeout(900)
LEADER_S, BACK_S = 90.0, 300.0
AHEAD = "SELECT pg_logical_emit_message(false, 'peakdrill', repeat('x', 1000000))"


class Writer(threading.Thread):
    """Inserts one row after the other, and remembers those whose commit was answered."""

    def __init__(self, dsn: str) -> None:
        super().__init__(daemon=True)
        self.dsn = dsn
        self.acknowledged: list[int] = []
        self.ended = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.ended.is_set():
            try:
                with psycopg.connect(self.dsn, autocommit=True) as connection:
                    while not self.ended.is_set():
                        number += 1
                        connection.execute("INSERT INTO acknowledged VALUES (%s)", (number,))
                        self.acknowledged.append(number)
            except psycopg.Error:
                self.ended.wait(0.05)


def two(platform: Platform) -> tuple[Nodes, Database]:
    needs(platform, "nodes", "database", "database.standby")
    return having(platform.nodes, "nodes"), having(platform.database, "database")


def test_nothing_is_dead_before_anything_was_killed(kept: Platform) -> None:
    nodes, database = two(kept)
    names = nodes.names()
    assert len(set(names)) == len(names) >= 2
    assert [nodes.is_dead(name) for name in names] == [False] * len(names)
    primary, standby = nodes.resolve("primary"), nodes.resolve("standby")
    assert {primary, standby} == set(database.names()) <= set(names)
    assert primary != standby
    assert database.leader() == primary
    assert nodes.is_back(primary)
    assert nodes.is_back(standby)
    assert nodes.resolve(standby) == standby


@pytest.mark.parametrize("wrong", ["", "moon", "PRIMARY", "../a"])
def test_a_node_that_there_is_not_matches_nothing(kept: Platform, wrong: str) -> None:
    nodes, database = two(kept)
    for asked in (nodes.resolve, nodes.kill):
        with pytest.raises(FaultError):
            asked(wrong)
    for look in (database.corruption, database.reinitialize, database.checksum_failures):
        with pytest.raises(PlatformError):
            look(wrong)


@pytest.mark.parametrize("role", ["standby", "primary"])
def test_a_node_is_lost_and_comes_back(kept: Platform, role: str) -> None:
    nodes, database = two(kept)
    dsn = database.superuser_dsn()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS acknowledged (number int PRIMARY KEY)")
        connection.execute("TRUNCATE acknowledged")
    lost = nodes.resolve(role)
    other = next(n for n in (nodes.resolve("primary"), nodes.resolve("standby")) if n != lost)
    writer = Writer(dsn)
    writer.start()
    try:
        await_ready("some writes", lambda: len(writer.acknowledged) > 50, within_s=60)
        death = nodes.kill(lost)
        assert death.earliest_ns < death.latest_ns
        assert nodes.is_dead(lost)
        assert not nodes.is_back(lost)
        assert not kept.whole().whole
        assert any(lost in told or "does not" in told for told in kept.whole().missing)
        with pytest.raises(FaultError, match="dead"):
            nodes.kill(lost)
        with pytest.raises(FaultError):
            nodes.resolve("standby")
        await_ready("a leader", lambda: database.leader() == other, within_s=LEADER_S)
        before = len(writer.acknowledged)
        await_ready("writes", lambda: len(writer.acknowledged) > before + 50, within_s=LEADER_S)
        nodes.start(lost)
        nodes.start(lost)  # harmless
        await_ready("the node", lambda: nodes.is_back(lost), within_s=BACK_S, poll_s=0.5)
        assert not nodes.is_dead(lost)
        await_whole(kept)
    finally:
        writer.ended.set()
        nodes.start(lost)
        writer.join()
    with psycopg.connect(dsn, autocommit=True) as connection:
        rows = {row[0] for row in connection.execute("SELECT number FROM acknowledged")}
        connection.execute("DROP TABLE acknowledged")
    assert set(writer.acknowledged) - rows == set()


@contextmanager
def ahead_of_its_standby(dsn: str) -> Iterator[None]:
    """Somebody writes what waits for no standby, so whoever dies meanwhile has to be rewound."""
    ended = threading.Event()

    def write() -> None:
        with suppress(psycopg.Error), psycopg.connect(dsn, autocommit=True) as connection:
            while not ended.is_set():
                connection.execute(AHEAD)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


def test_a_node_comes_back_while_nobody_trades(kept: Platform) -> None:
    """The next record begins a segment, as after the archive's timeout, and nobody writes it."""
    nodes, database = two(kept)
    lost, other = nodes.resolve("primary"), nodes.resolve("standby")
    try:
        with ahead_of_its_standby(database.superuser_dsn(lost)):
            nodes.kill(lost)
        await_ready("a leader", lambda: database.leader() == other, within_s=LEADER_S)
        with psycopg.connect(database.superuser_dsn(other), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            connection.execute("SELECT pg_switch_wal()")
        nodes.start(lost)
        await_ready("the node", lambda: nodes.is_back(lost), within_s=BACK_S, poll_s=0.5)
        await_whole(kept)
    finally:
        nodes.start(lost)


def test_the_lead_changes_hands_as_planned_and_comes_back(kept: Platform) -> None:
    _, database = two(kept)
    first = database.leader()
    assert first is not None
    second = database.switchover()
    assert second != first
    assert database.leader() == second
    assert database.switchover(second) == second  # harmless
    await_whole(kept)
    assert database.switchover(first) == first
    assert database.leader() == first
    with pytest.raises(PlatformError):
        database.switchover("moon")
