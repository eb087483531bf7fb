"""How far base backup and archive really carry, against the instant that is wanted.

What the archive reports about itself is not asked: a silent archive reports that all is well. The
segments that lie in the store are, and what the last of them holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.platforms.capabilities import Reach

_LISTED = 3  # segments a sentence


@dataclass(frozen=True, slots=True)
class Carried:
    """The wanted instant, and the one that can be promised."""

    wanted_utc: str  # the first damage: everything before it is wanted
    promised_utc: str  # the same, or the last commit that the chain holds
    reach: Reach

    @property
    def is_whole(self) -> bool:
        return self.promised_utc == self.wanted_utc

    @property
    def gap_s(self) -> float:
        """From the last protected commit to the wanted instant; 0 when the chain reaches it."""
        return seconds_between(self.promised_utc, self.wanted_utc)

    @property
    def told(self) -> str:
        """With the figures, for a person who has never seen a WAL segment."""
        reach = self.reach
        chain = f"base backup {reach.backup_id} and {wal_told(reach)}"
        absent = missing_told(reach)
        if self.is_whole and not absent:
            return f"{chain} follow without a gap to the wanted instant {self.wanted_utc}"
        if self.is_whole:
            return (
                f"{chain} carry to the wanted instant {self.wanted_utc}, and not beyond: {absent}"
            )
        return (
            f"nothing after {self.promised_utc} is protected: the chain of {chain} ends there, "
            f"{self.gap_s:.1f} s before the wanted instant {self.wanted_utc}; "
            f"{absent or 'no later segment is in the store'}"
        )


def carried(reach: Reach, wanted_utc: str) -> Carried:
    """The damage itself is in the chain: then all before it is too."""
    whole = bool(reach.last_commit_utc) and seconds_between(wanted_utc, reach.last_commit_utc) >= 0
    return Carried(wanted_utc, wanted_utc if whole else reach.last_commit_utc, reach)


def wal_told(reach: Reach) -> str:
    """The segments that follow the base backup without a hole."""
    if not reach.last_segment:
        return "no WAL segment"
    return f"WAL {reach.first_segment} to {reach.last_segment}"


def missing_told(reach: Reach) -> str:
    """The segments that were reported as archived and are not in the store, "" when none is."""
    if not reach.missing:
        return ""
    names = ", ".join(reach.missing[:_LISTED])
    more = ", ..." if len(reach.missing) > _LISTED else ""
    return (
        f"{len(reach.missing)} segments reported as archived are not in the store ({names}{more})"
    )


def seconds_between(earlier_utc: str, later_utc: str) -> float:
    return (datetime.fromisoformat(later_utc) - datetime.fromisoformat(earlier_utc)).total_seconds()
