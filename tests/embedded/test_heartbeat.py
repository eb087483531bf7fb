"""The heartbeat: it goes on beating whatever becomes of its member, and moves no point in time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

import psycopg
import pytest

from harness.errors import PlatformError
from harness.platforms.capabilities import Platform
from harness.platforms.embedded import archive, heartbeat
from harness.platforms.embedded.heartbeat import Heartbeat
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.having import having


class Enough(Exception):
    """Ends what would go on for ever."""


class Member:
    """A connection that breaks when it is told to, and counts what was asked."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def execute(self, words: str) -> None:
        if len(self.asked) == self.answers:
            raise psycopg.OperationalError("password=hush")
        self.asked.append(words)


def beating(*kinds: Member | Exception, pauses: int) -> Heartbeat:
    """By one connection after the other, until it has paused that often."""
    left, slept = list(kinds), list[float]()

    def connect() -> Member:
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > pauses:
            raise Enough

    return Heartbeat(connect, sleep=sleep)  # type: ignore[arg-type]


def test_it_goes_on_after_every_outage_and_tells_each_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    first, second = Member(2), Member(3)
    dead, secretless = psycopg.OperationalError("password=hush"), PlatformError("no such file")
    with pytest.raises(Enough):
        beating(dead, dead, first, dead, secretless, second, pauses=10).run()
    assert (len(first.asked), len(second.asked)) == (2, 3)
    told = capfd.readouterr().err.splitlines()
    outage = "heartbeat of the database: OperationalError"
    assert told == [outage, outage, "heartbeat of the database: PlatformError"]


def test_each_database_has_one_of_its_own(tmp_path: Path) -> None:
    class Told:
        databases = (5432, 5433)
        superuser_pass = tmp_path / "pass"

    beats = archive.heartbeats(Told())  # type: ignore[arg-type]
    assert [beat.connect.args for beat in beats] == [(5432,), (5433,)]  # type: ignore[attr-defined]


def position(asked: psycopg.Connection[tuple[object, ...]]) -> str:
    row = asked.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.platform
def test_whoever_leads_moves_on_while_nobody_trades(platform: Platform) -> None:
    """By itself; yet no commit, no time and nothing for the archive comes of it."""
    database = having(platform.database, "database")
    with psycopg.connect(database.superuser_dsn(), autocommit=True) as asked:
        asked.execute("CHECKPOINT")
        asked.execute("SELECT pg_switch_wal()")
        before, committed = position(asked), last_commit(asked)
        moved: Callable[[], bool] = lambda: position(asked) != before  # noqa: E731
        await_ready("a beat", moved, within_s=30)
        assert last_commit(asked) == committed
        connected = asked.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", (heartbeat.NAME,)
        ).fetchone()
        assert connected == (1,)


def last_commit(asked: psycopg.Connection[tuple[object, ...]]) -> object:
    return asked.execute("SELECT * FROM pg_last_committed_xact()").fetchone()
