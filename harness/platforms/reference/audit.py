"""The capability `audit` of a reference stack: its parts' own logs, read where they are kept.

The replicas' audit logs lie beside the documents, the databases' beside their data, so both outlive
a container. A member that cannot be asked is an error: silence is not absence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.errors import PlatformError
from harness.platforms.embedded import log_heads, role_renewal
from harness.platforms.embedded.audit import Entry, PlatformAudit, monotonic_ns
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.log_heads import Heads, lines_with
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import KEEPER, MEMBERS, Site

_LOGS = ("python3", "-m", "harness.platforms.reference.inside", "logs")
_WITHIN_S = 60.0


def audit(layout: Layout, ports: Ports, site: Site) -> PlatformAudit:
    """Of the environment that serves; the queue is asked at its door."""
    doors = {**ports.named(), "queue": ports.queue_door}
    return PlatformAudit(layout, doors, SiteLogs(layout, site))


@dataclass(frozen=True, slots=True)
class SiteLogs:
    """By an exec in whoever has them; what a rotation ended is put down here."""

    layout: Layout
    site: Site

    def of_databases(self, marker: str) -> Iterator[str]:
        return (line for member in MEMBERS for line in self._lines(member, marker))

    def of_replicas(self, marker: str) -> Iterator[str]:
        return iter(self._lines(KEEPER, marker))

    def of_rotations(self, marker: str) -> Iterator[str]:
        file = self._sessions
        return lines_with(file, marker) if file.exists() else iter(())

    def used_ns(self, entry: Entry) -> int:
        """The replica may be another machine's: its wall clock is the one that we share."""
        return monotonic_ns(datetime.fromisoformat(str(entry["at_utc"])))

    def heads(self, lines: Mapping[str, int] | None) -> Heads:
        found = log_heads.heads({f"logs/{self._sessions.name}": self._sessions}, lines)
        for part in (KEEPER, *MEMBERS):
            told = self._ask(part, {"heads": lines}).get("heads")
            if not isinstance(told, dict):
                raise self._not_understood(part)
            found |= {log: (int(count), str(sha)) for log, (count, sha) in told.items()}
        return found

    @property
    def _sessions(self) -> Path:
        return Path(role_renewal.sessions_log(self.layout))

    def _lines(self, part: str, marker: str) -> list[str]:
        told = self._ask(part, {"marker": marker}).get("lines")
        if not isinstance(told, list) or not all(isinstance(line, str) for line in told):
            raise self._not_understood(part)
        return told

    def _ask(self, part: str, asked: Mapping[str, object]) -> dict[str, Any]:
        answer = self.site.run(part, _LOGS, stdin=json.dumps(asked).encode(), within_s=_WITHIN_S)
        try:
            told = json.loads(answer)
        except ValueError as error:
            raise self._not_understood(part) from error
        if not isinstance(told, dict):
            raise self._not_understood(part)
        return told

    def _not_understood(self, part: str) -> PlatformError:
        return PlatformError(
            f"{part} says of its logs what cannot be understood",
            next_step="see that its image is of this version of peakdrill",
        )
