"""Does the archive protect what it reports? By what really lies in the store, at the end."""

from __future__ import annotations

from harness.core import checks
from harness.inspection.scene import Inspection, Scene
from harness.platforms.having import having
from harness.recovery.carried import missing_told, wal_told


def is_continuous(scene: Scene) -> None:
    """The newest backup, and every segment that was reported as archived since."""
    backups = having(scene.platform.backups, "backups")
    backups.close_archive()
    check, subject = checks.archive_continuous.name, "at the end"
    candidates = backups.candidates()
    if not candidates:
        scene.prove(check, "archive", subject, False, "there is no base backup to begin from")
        return
    reach = backups.reach(candidates[0].backup_id)
    stopped, absent = backups.archive_is_stopped(), missing_told(reach)
    told = (
        f"base backup {reach.backup_id} and {wal_told(reach)} carry to "
        f"{reach.last_commit_utc or 'the backup itself'}"
    )
    if stopped or absent:
        told += f"; {absent or 'segments are reported as archived, and are not'}"
    ok = False if stopped or absent else True if reach.last_segment else None
    scene.prove(check, "archive", subject, ok, told)


INSPECTIONS: dict[str, Inspection] = {checks.archive_continuous.name: is_continuous}
