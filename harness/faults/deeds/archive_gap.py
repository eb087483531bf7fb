"""The WAL archive has stopped in silence, and damage came on top; undone by archiving for real.

What the bad release itself did is an entry of its own in the journal: see logical_corruption.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.faults.deeds import Deed
from harness.faults.deeds.logical_corruption import is_damaged
from harness.faults.journal import Entry
from harness.platforms.capabilities import Backups, Platform
from harness.platforms.having import having

NAME = "archive-gap"


def _backups(platform: Platform) -> Backups:
    return having(platform.backups, "backups")


def _seen(platform: Platform, _parameters: Mapping[str, str]) -> bool:
    return _backups(platform).archive_is_stopped() or is_damaged(platform)


def _begin(platform: Platform, _entry: Entry) -> None:
    """Mending takes a base backup: not where the recovery has mended it already."""
    if _backups(platform).archive_is_stopped():
        _backups(platform).mend_archive()


DEED = Deed(
    name=NAME,
    describe=lambda _entry: "the WAL archive stores segments again, and a base backup was taken",
    holds=lambda platform, _entry: _backups(platform).archive_is_stopped(),
    begin=_begin,
    is_undone=lambda platform, _entry: not _backups(platform).archive_is_stopped(),
    seen=_seen,
    held=False,
)
