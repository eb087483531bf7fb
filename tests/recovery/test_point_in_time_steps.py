"""Back to the last good instant: what is promised, what is restored, and what a lie looks like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core.proofs import Proof
from harness.core.targets import Targets
from harness.core.timeline import MarkName
from harness.errors import PlatformError
from harness.evidence import events, layout, lines
from harness.faults import bad_release
from harness.faults.bad_release import Release
from harness.platforms.capabilities import Backup, Reach, Wholeness
from harness.recovery import point_in_time
from harness.recovery.carried import carried
from harness.recovery.facts import Course
from harness.recovery.ground import Ground
from tests.recovery.books import TRIAL, Books, books, server
from tests.shop.stand import Postgres

__all__ = ["books", "server"]  # fixtures

WANTED = "2026-11-22T06:00:30.000000+00:00"
REACH = Reach(
    "20261122T055500", "000000010000000000000004", "000000010000000000000007", (), WANTED, 7
)


@dataclass
class Store:
    """What a runbook asks of the backups."""

    reached: Reach = REACH
    backups: tuple[Backup, ...] = (
        Backup("20261122T055500", "2026-11-22T05:55:00+00:00", "2", True),
    )
    unsound: tuple[str, ...] = ()

    def candidates(self) -> tuple[Backup, ...]:
        return self.backups

    def verify(self, backup_id: str) -> Wholeness:
        wrong = backup_id in self.unsound
        return Wholeness(not wrong, ("the manifest names other bytes",) if wrong else ())

    def close_archive(self) -> None:
        pass

    def reach(self, _backup_id: str) -> Reach:
        return self.reached


def ground_on(dsn: str, run: Path, store: Store) -> Ground:
    platform = SimpleNamespace(
        endpoints=lambda: SimpleNamespace(dsn=dsn),
        backups=store,
        database=SimpleNamespace(superuser_dsn=lambda: dsn),
        audit=None,
    )
    course = Course("point-in-time", "r1", str(run), {}, Targets(()))
    return Ground.of(platform, course)  # type: ignore[arg-type]


def proofs(run: Path, check: str) -> list[Proof]:
    found = lines.read_lines(run / layout.PROOFS, Proof)
    return [proof for proof in found if proof.check == check]


@pytest.fixture
def restored(server: Postgres, books: Books) -> Callable[[], str]:
    """A copy of the books as they are now, to stand in for a restore to this instant."""
    names = iter(("copy1", "copy2"))

    def copied() -> str:
        name = next(names)
        with server.connect("postgres") as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (TRIAL,),
            )
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {TRIAL}")
        return server.dsn(name)

    return copied


def last_commit(dsn: str) -> str:
    """The newest commit that left a row there, asked in another way than the runbook does."""
    import psycopg

    statement = (
        "SELECT to_char(max(pg_xact_commit_timestamp(xmin)) AT TIME ZONE 'UTC',"
        " 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00') FROM sale_order"
    )
    with psycopg.connect(dsn) as database:
        return str(database.execute(statement).fetchone()[0])


def damaged_ground(server: Postgres, run: Path, store: Store | None = None) -> Ground:
    """Released badly, the instant found, the archive measured; WAL carries all of it."""
    dsn = server.dsn(TRIAL)
    bad_release.deploy(dsn, Release(over_s=0.0))
    far = replace(REACH, last_commit_utc="2999-01-01T00:00:00.000000+00:00")
    ground = ground_on(dsn, run, store or Store(far))
    point_in_time._find(ground)
    ground.facts["backup"] = REACH.backup_id
    point_in_time._measure(ground)
    return ground


def ended_at(ground: Ground, dsn: str) -> Ground:
    """The same runbook, after a restore that ended in the database of `dsn`."""
    after = replace(ground, platform=SimpleNamespace(endpoints=lambda: SimpleNamespace(dsn=dsn)))
    after.facts["reached_utc"] = last_commit(dsn)
    after.facts["complete"] = "True"
    return after


def test_a_restore_to_just_before_the_damage_is_believed(
    server: Postgres, restored: Callable[[], str], tmp_path: Path
) -> None:
    copy = restored()
    ground = damaged_ground(server, tmp_path)
    point_in_time._compare(ended_at(ground, copy))
    (proof,) = proofs(tmp_path, "restored-wanted")
    assert proof.ok, proof.told
    assert "50 of the 50 newest records" in proof.told


def test_a_restore_that_promised_no_record_shows_nothing(
    server: Postgres, restored: Callable[[], str], tmp_path: Path
) -> None:
    copy = restored()
    ground = damaged_ground(server, tmp_path)
    ground.facts["tail"] = "[]"
    point_in_time._compare(ended_at(ground, copy))
    (proof,) = proofs(tmp_path, "restored-wanted")
    assert proof.ok is None


def test_sabotage_a_restore_that_misses_the_last_minute_is_named(
    server: Postgres, books: Books, restored: Callable[[], str], tmp_path: Path
) -> None:
    early = restored()
    with server.connect(TRIAL) as database:
        Books(books.dsn, database).order(7)
        database.execute("SELECT pg_sleep(0.15)")  # the tail leaves out the last tenth of a second
    ground = damaged_ground(server, tmp_path)
    point_in_time._compare(ended_at(ground, early))
    (proof,) = proofs(tmp_path, "restored-wanted")
    assert proof.ok is False
    assert "it misses the last" in proof.told
    assert "of the 50 newest records before it are there" in proof.told
    assert "50 of the 50" not in proof.told


def test_a_restore_that_says_that_it_ended_early_is_believed(
    server: Postgres, restored: Callable[[], str], tmp_path: Path
) -> None:
    copy = restored()
    ground = ended_at(damaged_ground(server, tmp_path), copy)
    ground.facts["complete"] = "False"
    point_in_time._compare(ground)
    (proof,) = proofs(tmp_path, "restored-wanted")
    assert proof.ok is False


def test_sabotage_its_own_word_alone_is_not_believed(
    server: Postgres, books: Books, restored: Callable[[], str], tmp_path: Path
) -> None:
    """It says that it has reached the instant, and its records are not there."""
    early = restored()
    with server.connect(TRIAL) as database:
        Books(books.dsn, database).order(1)
        database.execute("SELECT pg_sleep(0.15)")
    ground = ended_at(damaged_ground(server, tmp_path), early)
    ground.facts["reached_utc"] = ground.facts["wanted_utc"]
    point_in_time._compare(ground)
    (proof,) = proofs(tmp_path, "restored-wanted")
    assert proof.ok is False


def test_sabotage_a_restore_that_brings_the_damage_back_ends_the_runbook(
    server: Postgres, tmp_path: Path, books: Books
) -> None:
    ground = damaged_ground(server, tmp_path)
    with pytest.raises(PlatformError, match="damaged too"):
        point_in_time._compare(ended_at(ground, books.dsn))
    (proof,) = proofs(tmp_path, "restored-wanted")
    assert proof.ok is False


def test_a_gap_is_named_with_its_length_its_moment_and_its_segments(
    server: Postgres, books: Books, tmp_path: Path
) -> None:
    """The archive ends where the last of these orders was made; more were made after it."""
    protected = last_commit(books.dsn)
    books.order(5)
    absent = ("000000010000000000000008", "000000010000000000000009")
    short = replace(
        REACH, last_commit_utc=protected, missing=absent, last_commit_monotonic_ns=5_000_000
    )
    ground = damaged_ground(server, tmp_path, Store(short))
    (proof,) = proofs(tmp_path, "archive-continuous")
    assert proof.ok is False
    assert f"nothing after {protected} is protected" in proof.told
    assert "2 segments reported as archived are not in the store" in proof.told
    (mark,) = events.read(tmp_path / layout.EVENTS).timeline.all(MarkName.UNPROTECTED)
    assert mark.earliest_ns < 5_000_000 < mark.latest_ns
    assert ground.facts["promised_utc"] == protected
    assert float(ground.facts["gap_s"]) > 0
    assert "as far as the archive carries" in str(point_in_time._measured(ground))


def test_a_whole_chain_is_no_gap() -> None:
    found = carried(REACH, WANTED)
    assert (found.is_whole, found.gap_s, found.promised_utc) == (True, 0.0, WANTED)
    assert "without a gap" in found.told


def test_an_archive_that_holds_nothing_promises_only_the_backup() -> None:
    at_backup = "2026-11-22T05:55:00.000000+00:00"
    found = carried(replace(REACH, last_segment="", last_commit_utc=at_backup), WANTED)
    assert (found.is_whole, found.gap_s) == (False, 330.0)
    assert "no later segment is in the store" in found.told


def test_segments_that_lack_only_after_the_instant_are_told_all_the_same() -> None:
    found = carried(replace(REACH, missing=("000000010000000000000009",)), WANTED)
    assert found.is_whole
    assert "not beyond" in found.told


def test_backups_that_are_poisoned_or_hold_the_damage_are_refused_by_name(tmp_path: Path) -> None:
    newest = Backup("20261122T060100", "2026-11-22T06:01:00+00:00", "2", True)
    poisoned = Backup("20261122T055900", "2026-11-22T05:59:00+00:00", "2", True)
    store = Store(backups=(newest, poisoned, *Store().backups), unsound=(poisoned.backup_id,))
    ground = ground_on("", tmp_path, store)
    ground.facts["wanted_utc"] = WANTED
    point_in_time._choose(ground)
    assert ground.facts["backup"] == REACH.backup_id
    told = [proof.told for proof in proofs(tmp_path, "backup-chosen")]
    assert "after the damage began" in told[0]
    assert "the manifest names other bytes" in told[1]
    assert "passes every check" in told[2]


def test_without_a_sound_backup_nothing_is_stopped(tmp_path: Path) -> None:
    store = Store(unsound=(REACH.backup_id,))
    ground = ground_on("", tmp_path, store)
    ground.facts["wanted_utc"] = WANTED
    with pytest.raises(PlatformError, match="no base backup"):
        point_in_time._choose(ground)
    assert [p.ok for p in proofs(tmp_path, "backup-chosen")] == [True, False]
