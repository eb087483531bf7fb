"""The actions of logical-corruption and archive-gap: armed, seen on every node, refused in vain."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.chaos import release
from harness.chaos.standing import Standing
from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError
from harness.evidence import events, layout
from harness.faults import bad_release, journal, undo
from harness.platforms.capabilities import Instant
from harness.recovery import last_good
from tests.recovery.books import SHOP, Books, books, server
from tests.shop.stand import Postgres

__all__ = ["books", "server"]  # fixtures


class Archive:
    """It stops when it is told to, unless it is deaf."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.stopped, self._deaf = False, deaf

    def stop_archive(self) -> Instant:
        self.stopped = not self._deaf
        return Instant(time.monotonic_ns(), time.monotonic_ns())

    def archive_is_stopped(self) -> bool:
        return self.stopped

    def mend_archive(self) -> None:
        self.stopped = False


def stage(
    monkeypatch: pytest.MonkeyPatch, run: Path, dsn: str, *, standby: str = "", deaf: bool = False
) -> SimpleNamespace:
    """A platform whose leader is one database; its standby is another where one is named."""
    nodes = {"a": dsn, "b": standby or dsn}
    platform = SimpleNamespace(
        directory=run.parent,
        endpoints=lambda: SimpleNamespace(dsn=dsn, database=""),
        database=SimpleNamespace(application_dsn=lambda: dsn, superuser_dsn=nodes.__getitem__),
        nodes=SimpleNamespace(resolve={"primary": "a", "standby": "b"}.__getitem__),
        backups=Archive(deaf=deaf),
    )
    monkeypatch.setattr(release, "standing", lambda: Standing(platform, run))
    monkeypatch.setattr(release, "make_conninfo", lambda conninfo, **_: conninfo)
    monkeypatch.setattr(release, "Release", lambda *shares: bad_release.Release(*shares, over_s=0))
    return platform


def marks(run: Path) -> list[Mark]:
    return list(events.read(run / layout.EVENTS).timeline.marks)


def names(run: Path) -> list[MarkName]:
    return [mark.name for mark in marks(run)]


def test_the_damage_is_armed_done_and_seen_and_undone_from_the_journal(
    monkeypatch: pytest.MonkeyPatch, run: Path, books: Books
) -> None:
    before = books.content()
    platform = stage(monkeypatch, run, books.dsn)
    told = release.release_badly()
    assert names(run) == [MarkName.FAULT_ARMED, MarkName.FAULT_ACTIVE]
    active = marks(run)[1]
    assert active.earliest_ns < active.latest_ns
    assert active.note == told
    assert last_good.damaged_orders(books.database) > 0
    assert [entry.fault for entry in journal.pending(run.parent)] == ["logical-corruption"]
    assert undo.replay(platform) == ["prices and order lines put back from their originals"]
    assert books.content() == before


def test_damage_that_the_standby_does_not_show_is_no_effect(
    monkeypatch: pytest.MonkeyPatch, run: Path, books: Books, server: Postgres
) -> None:
    platform = stage(monkeypatch, run, books.dsn, standby=server.dsn(SHOP))
    with pytest.raises(FaultError, match=r"node b \(standby\)"):
        release.release_badly(within_s=0.3)
    assert names(run) == [MarkName.FAULT_ARMED, MarkName.NO_EFFECT]
    undo.replay(platform)
    assert bad_release.is_undone(books.dsn)


def test_orders_that_are_damaged_already_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, run: Path, books: Books
) -> None:
    books.database.execute("UPDATE sale_order_line SET price_total = 1 WHERE id = 1")
    before = books.content()
    stage(monkeypatch, run, books.dsn)
    with pytest.raises(FaultError, match="already"):
        release.release_badly()
    assert books.content() == before
    assert journal.pending(run.parent) == ()


def test_a_silent_archive_comes_first_and_both_are_undone(
    monkeypatch: pytest.MonkeyPatch, run: Path, books: Books
) -> None:
    platform = stage(monkeypatch, run, books.dsn)
    release.stop_archive()
    with pytest.raises(FaultError, match="undone"):
        release.release_badly()  # a fault on top of another must say that it knows
    release.release_badly(beside="archive-gap")
    assert names(run) == [MarkName.FAULT_ARMED, MarkName.STEP, MarkName.FAULT_ACTIVE]
    faults = [entry.fault for entry in journal.pending(run.parent)]
    assert faults == ["archive-gap", "logical-corruption"]
    assert len(undo.replay(platform)) == 2
    assert not platform.backups.stopped
    assert bad_release.is_undone(books.dsn)


def test_an_archive_that_does_not_stop_is_no_effect(
    monkeypatch: pytest.MonkeyPatch, run: Path
) -> None:
    stage(monkeypatch, run, "", deaf=True)
    with pytest.raises(FaultError, match="still stores segments"):
        release.stop_archive()
    assert names(run) == [MarkName.FAULT_ARMED, MarkName.NO_EFFECT]


def test_trade_goes_on_for_the_gap_and_not_after_the_harness_let_go(
    monkeypatch: pytest.MonkeyPatch, run: Path
) -> None:
    monkeypatch.setattr(release, "standing", lambda: Standing(SimpleNamespace(), None))
    assert release.trade_on(0.2, 60.0) == 0.2
    monkeypatch.setattr(release, "is_released", lambda: True)
    with pytest.raises(FaultError, match="let go"):
        release.trade_on(60.0, 60.0)
