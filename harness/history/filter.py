"""Which runs are asked for. Values only; what is None does not restrict."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.outcome import Outcome
from harness.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Filter:
    """All of what is named must hold. `since_utc` is ISO 8601, a date or an instant in UTC."""

    scenario: str | None = None
    release: str | None = None
    season: str | None = None
    size: str | None = None
    platform: str | None = None
    verdict: Verdict | str | None = None
    since_utc: str | None = None

    def takes(self, outcome: Outcome) -> bool:
        """Whether the run is among those asked for.

        >>> Filter(since_utc="2026-11-27").since_utc <= "2026-11-27T22:20:12Z"
        True
        """
        asked = (
            (self.scenario, outcome.scenario),
            (self.release, outcome.release),
            (self.season, outcome.season),
            (self.size, outcome.size),
            (self.platform, outcome.platform),
            (self.verdict, outcome.verdict.value),
        )
        since = self.since_utc is None or self.since_utc <= outcome.begun_utc
        return since and all(wanted is None or wanted == found for wanted, found in asked)
