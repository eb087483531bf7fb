"""A node is lost and comes back; nothing that was acknowledged is missing."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from harness.errors import FaultError
from harness.platforms.embedded import EmbeddedPlatform, attach, find, patroni, up
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.parts import node_of
from harness.platforms.embedded.waiting import await_ready
from tests.conftest import missing_in_the_end, processes_naming

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]


def superuser(platform: EmbeddedPlatform) -> str:
    told = platform.status()["database"]
    assert isinstance(told, dict)
    return str(told["superuser_dsn"])


class Writer(threading.Thread):
    """Inserts one row after the other, and remembers those whose commit was answered."""

    def __init__(self, dsn: str) -> None:
        super().__init__()
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


def test_nothing_is_dead_before_anything_was_killed(platform: EmbeddedPlatform) -> None:
    nodes = platform.nodes
    assert nodes.names() == ("a", "b")
    assert [nodes.is_dead(name) for name in nodes.names()] == [False, False]
    assert [nodes.is_back(name) for name in nodes.names()] == [True, True]
    assert {nodes.resolve("primary"), nodes.resolve("standby")} == {"a", "b"}
    for wrong in ("c", "moon"):
        with pytest.raises(FaultError):
            nodes.resolve(wrong)
        with pytest.raises(FaultError):
            nodes.kill(wrong)


def test_the_primary_is_lost_and_comes_back(platform: EmbeddedPlatform) -> None:
    dsn = superuser(platform)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE acknowledged (number int PRIMARY KEY)")
    lost = platform.nodes.resolve("primary")
    assert platform.database.leader() == lost
    writer = Writer(dsn)
    writer.start()
    try:
        await_ready("some writes", lambda: len(writer.acknowledged) > 50, within_s=30)
        death = platform.nodes.kill(lost)
        assert death.earliest_ns < death.latest_ns
        assert platform.nodes.is_dead(lost)
        assert not platform.nodes.is_back(lost)
        assert f"node {lost} is dead" in platform.whole().missing
        with pytest.raises(FaultError, match="dead already"):
            platform.nodes.kill(lost)
        await_ready(
            "a new leader", lambda: platform.database.leader() not in (None, lost), within_s=60
        )
        before = len(writer.acknowledged)
        await_ready("writes again", lambda: len(writer.acknowledged) > before + 50, within_s=30)
        platform.nodes.start(lost)
        platform.nodes.start(lost)  # harmless
        await_ready("the node", lambda: platform.nodes.is_back(lost), within_s=90)
        await_ready("the platform", lambda: platform.whole().whole, within_s=90)
    finally:
        writer.ended.set()
        writer.join()
        platform.nodes.start(lost)
    with psycopg.connect(dsn, autocommit=True) as connection:
        rows = {row[0] for row in connection.execute("SELECT number FROM acknowledged")}
        connection.execute("DROP TABLE acknowledged")
    assert set(writer.acknowledged) - rows == set()


def test_a_standby_that_was_away_for_a_moment_is_whole_once_that_lasts(
    platform: EmbeddedPlatform,
) -> None:
    """Patroni calls it synchronous from before, and takes that back at its next look."""
    await_ready("the platform", lambda: platform.whole().whole, within_s=90)
    lost = platform.nodes.resolve("standby")
    platform.nodes.kill(lost)
    platform.nodes.start(lost)
    await_ready("the platform", lambda: platform.whole().whole, within_s=90)
    assert platform.nodes.is_back(lost)
    until = time.monotonic() + 3 * patroni.LOOP_WAIT_S
    while time.monotonic() < until:
        assert platform.database.protected().missing == ()
        time.sleep(0.02)


def test_a_standby_whose_own_record_does_not_say_it_runs_is_not_synchronous(
    platform: EmbeddedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await_ready("the platform", lambda: platform.whole().whole, within_s=90)
    seen = patroni.members(platform.database.cluster)
    stale = tuple(replace(m, state="stopped") if m.role == "sync_standby" else m for m in seen)
    monkeypatch.setattr(patroni, "members", lambda _: stale)
    (told,) = platform.database.protected().missing
    assert "streams, and is not synchronous yet" in told


def test_a_second_platform_beside_the_first(
    platform: EmbeddedPlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path))
    second = up(synchronous=False, dialect=18)
    try:
        assert second.whole().missing == ()
        assert second.endpoints().version == 18
        assert not set(_ports(second)) & set(_ports(platform))
        found = find()
        assert found is not None
        assert found.directory == second.directory
        with psycopg.connect(second.endpoints().dsn) as connection:
            assert connection.execute("SELECT sync_state FROM pg_stat_replication").fetchall() == [
                ("async",)
            ]
        # all of its nodes are lost, also the one that a drill never kills: a crash
        for name in ("c", "a"):
            node_of(Layout(second.directory), name).kill()
        assert find() is None  # cleared, with the node that still ran
        assert not second.directory.exists()
    finally:
        second.down()
    assert processes_naming(second.directory) == []
    assert missing_in_the_end(attach(platform.directory)) == ()


def _ports(platform: EmbeddedPlatform) -> list[int]:
    told = platform.status()["ports"]
    assert isinstance(told, dict)
    return list(told.values())
