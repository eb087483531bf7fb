"""Contract: backups are taken, looked into and measured; an archive that lies is found out."""

from __future__ import annotations

import psycopg
import pytest

from harness.errors import PlatformError
from harness.platforms.capabilities import Platform
from harness.platforms.having import having
from tests.contracts.stands import needs

pytestmark = pytest.mark.timeout(900)


def test_a_backup_is_taken_looked_into_and_reaches_as_far_as_the_archive(kept: Platform) -> None:
    needs(kept, "backups", "database")
    backups = having(kept.backups, "backups")
    assert any(backups.verify(b.backup_id).whole for b in backups.candidates())
    taken = backups.take()
    assert taken.encrypted
    assert taken.taken_utc
    candidates = backups.candidates()
    assert candidates[0] == taken
    assert [b.backup_id for b in candidates] == sorted(
        (b.backup_id for b in candidates), reverse=True
    )
    assert backups.verify(taken.backup_id).whole
    mark(kept)
    backups.close_archive()
    before = backups.reach(taken.backup_id)
    assert before.missing == ()
    assert before.first_segment <= before.last_segment
    mark(kept)
    backups.close_archive()
    after = backups.reach(taken.backup_id)
    assert after.missing == ()
    assert after.last_segment > before.last_segment
    assert after.last_commit_utc > before.last_commit_utc
    assert after.last_commit_monotonic_ns > before.last_commit_monotonic_ns


def test_a_backup_that_there_is_not_is_none(kept: Platform) -> None:
    needs(kept, "backups")
    backups = having(kept.backups, "backups")
    assert not backups.verify("20000101T000000").whole
    with pytest.raises(PlatformError):
        backups.reach("20000101T000000")


def test_a_copy_of_the_key_is_lost_and_made_anew(kept: Platform) -> None:
    needs(kept, "backups")
    backups = having(kept.backups, "backups")
    newest = next(b for b in backups.candidates() if backups.verify(b.backup_id).whole)
    lost = backups.lose_key_copy()
    try:
        assert lost
        seen = backups.verify(newest.backup_id)
        assert seen.whole  # by the other copy; and it is said
        assert any("copy" in told for told in seen.missing)
    finally:
        backups.mend_key()
    assert not any("copy" in told for told in backups.verify(newest.backup_id).missing)


def test_an_archive_that_only_says_so_is_found_out_and_mended(kept: Platform) -> None:
    needs(kept, "backups", "database")
    backups = having(kept.backups, "backups")
    taken = backups.take()
    assert not backups.archive_is_stopped()
    try:
        stopped = backups.stop_archive()
        assert stopped.earliest_ns < stopped.latest_ns
        mark(kept)
        backups.close_archive()
        assert backups.archive_is_stopped()
        assert backups.reach(taken.backup_id).missing
    finally:
        backups.mend_archive()
        backups.mend_archive()  # harmless
    assert not backups.archive_is_stopped()
    assert backups.reach(backups.candidates()[0].backup_id).missing == ()


def mark(platform: Platform) -> None:
    """A commit of our own, so that there is something to archive."""
    dsn = having(platform.database, "database").superuser_dsn()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS peakdrill_contract (told int)")
        connection.execute("INSERT INTO peakdrill_contract VALUES (1)")
        connection.execute("DROP TABLE peakdrill_contract")
