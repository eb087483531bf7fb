"""Is every database node sound, and every base backup that was taken meanwhile?

A node that has merely rejoined after a switchover answers, streams, and still holds the damage:
so each is walked, whatever the runbook said of it.
"""

from __future__ import annotations

from datetime import datetime

from harness.core import checks
from harness.errors import PeakdrillError
from harness.inspection.scene import Inspection, Scene
from harness.platforms.capabilities import Backup, Backups
from harness.platforms.having import having

_CHECK = checks.nothing_corrupt.name
_LISTED = 3  # damages a sentence


def nothing_is_corrupt(scene: Scene) -> None:
    """A proof for each node that holds a copy, and a proof a backup."""
    for node in having(scene.platform.database, "database").names():
        ok, told = _node(scene, node)
        scene.prove(_CHECK, "node", f"node {node}", ok, told)
    backups = having(scene.platform.backups, "backups")
    meanwhile, chosen = _to_verify(backups.candidates(), scene.started_utc)
    for backup in chosen:
        ok, told = _backup(backups, backup, meanwhile=meanwhile)
        scene.prove(_CHECK, "backup", f"backup {backup.backup_id}", ok, told)
    if not chosen:
        scene.prove(_CHECK, "backup", "any backup", False, "the store holds no base backup at all")


def _node(scene: Scene, node: str) -> tuple[bool | None, str]:
    try:
        found = having(scene.platform.database, "database").corruption(node)
    except PeakdrillError as error:
        return None, f"node {node} could not be looked over: {error.what}"
    if not found:
        return True, f"node {node}: every relation walked, every page's checksum right"
    more = f"; and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return False, f"node {node} is still corrupt: {'; '.join(found[:_LISTED])}{more}"


def _to_verify(candidates: tuple[Backup, ...], started_utc: str) -> tuple[bool, tuple[Backup, ...]]:
    """Whether any was taken since the run began; those, or else the newest one.

    One whose own record does not say when it was taken may have been: it is looked into.
    """
    began = datetime.fromisoformat(started_utc)
    since = tuple(
        c for c in candidates if not c.taken_utc or datetime.fromisoformat(c.taken_utc) >= began
    )
    return bool(since), since or candidates[:1]


def _backup(backups: Backups, backup: Backup, *, meanwhile: bool) -> tuple[bool | None, str]:
    when = "taken since the run began" if meanwhile else "the newest: none was taken meanwhile"
    what = f"backup {backup.backup_id} ({when})"
    try:
        found = backups.verify(backup.backup_id)
    except PeakdrillError as error:
        return None, f"{what} could not be verified: {error.what}"
    if found.whole:
        return True, f"{what}: fetched, and sound"
    return False, f"{what} is refused: {'; '.join(found.missing)}"


INSPECTIONS: dict[str, Inspection] = {_CHECK: nothing_is_corrupt}
