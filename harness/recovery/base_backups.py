"""Base backups in a runbook: the one to restore from, and the one that protects afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.core import checks
from harness.errors import PlatformError
from harness.platforms.capabilities import Backup
from harness.platforms.having import having
from harness.recovery.ground import Ground
from harness.recovery.steps import Step

_CHECK = checks.backup_chosen.name
_CHOSEN, _TAKEN = "backup", "new_backup"


def any_age(_backup: Backup) -> str:
    """Nothing speaks against a candidate but its own content."""
    return ""


def choose(ground: Ground, unfit: Callable[[Backup], str] = any_age) -> None:
    """Newest first; one that is unfit, or fails its checks, is named and left alone.

    Leaves `facts["backup"]`. Raises PlatformError when none is left.
    """
    began_ns = time.monotonic_ns()
    backups = having(ground.platform.backups, "backups")
    for candidate in backups.candidates():
        subject = f"backup {candidate.backup_id}"
        why, survived = unfit(candidate), ""
        if not why:
            found = backups.verify(candidate.backup_id)
            why = "" if found.whole else "; ".join(found.missing) or "its checks say no more"
            survived = "".join(f"; {what}" for what in found.missing)
        if not why:
            took_s = (time.monotonic_ns() - began_ns) / 1e9
            told = (
                f"{subject} of {candidate.taken_utc or 'an unknown time'}, under release "
                f"{candidate.release or 'unknown'}, passes every check; clean point after "
                f"{took_s:.1f} s{survived}"
            )
            ground.prove(_CHECK, "backup", subject, True, told)
            ground.facts[_CHOSEN] = candidate.backup_id
            return
        ground.prove(_CHECK, "refused", subject, True, f"{subject} refused: {why}")
        ground.say(f"{subject} refused: {why}")
    ground.prove(_CHECK, "backup", "any", False, "no base backup that could be taken is sound")
    raise PlatformError("no base backup passes its checks", next_step="look for one elsewhere")


def _take(ground: Ground) -> None:
    """Not twice, when the harness died between taking it and seeing it."""
    if _TAKEN not in ground.facts:
        ground.facts[_TAKEN] = having(ground.platform.backups, "backups").take().backup_id


def _taken(ground: Ground) -> str | None:
    backup = ground.facts[_TAKEN]
    found = having(ground.platform.backups, "backups").verify(backup)
    if not found.whole:
        raise PlatformError(f"base backup {backup}: {'; '.join(found.missing)}")
    return f"base backup {backup}: taken, fetched and verified"


BACK_UP = Step("back-up", "Take a base backup, fetch it and verify it", _take, _taken, limit_s=180)
