"""What is embedded's own of a node that is lost: what Patroni says of it, and the next start."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from harness.platforms.embedded import EmbeddedPlatform, attach, find, patroni, up
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.parts import node_of
from harness.platforms.embedded.waiting import await_ready
from tests.conftest import missing_in_the_end, processes_naming

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]


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


def test_a_lost_node_leaves_no_shared_memory_to_the_machine(platform: EmbeddedPlatform) -> None:
    """It has room for four thousand such segments, and then no PostgreSQL starts any more."""
    ours = Path("/proc/self/ns/ipc").readlink()
    told = (said.split(": ", 1) for said in processes_naming(platform.directory))
    servers = [Path("/proc") / pid for pid, said in told if "/postgres " in said.split("-D")[0]]
    assert len(servers) == 2
    for server in servers:
        assert server.joinpath("ns/ipc").readlink() != ours
        theirs = {path.name for path in server.joinpath("root/dev/shm").glob("PostgreSQL.*")}
        assert theirs
        assert not theirs & {path.name for path in Path("/dev/shm").glob("PostgreSQL.*")}


def _ports(platform: EmbeddedPlatform) -> list[int]:
    told = platform.status()["ports"]
    assert isinstance(told, dict)
    return list(told.values())
