"""The capability `audit` of a reference stack: its parts' own logs, read where they are kept.

The replicas' audit logs lie beside the documents, the databases' beside their data, so both outlive
a container. A member that cannot be asked is an error: silence is not absence. Of an environment
that was left, the logs are read as they were preserved, under the names that they had.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.errors import PlatformError
from harness.platforms.embedded import forensics, log_heads, role_renewal
from harness.platforms.embedded.audit import Entry, PlatformAudit, monotonic_ns
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.log_heads import Heads, lines_with
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import KEEPER, MEMBERS, Site

_LOGS = ("python3", "-m", "harness.platforms.reference.inside", "logs")
_WITHIN_S = 60.0
_DATABASES, _REPLICAS = "database-*/database.log", "audit/*.jsonl"  # of those that were left


def audit(layout: Layout, ports: Ports, site: Site) -> PlatformAudit:
    """Of the environment that serves; the queue is asked at its door."""
    doors = {**ports.named(), "queue": ports.queue_door}
    return PlatformAudit(layout, doors, SiteLogs(layout, site))


def kept_logs(layout: Layout) -> Path:
    """Where a clean room's preparation puts the logs of the environment that is left."""
    return layout.root / forensics.FOLDER / "logs"


@dataclass(frozen=True, slots=True)
class SiteLogs:
    """By an exec in whoever has them; what a rotation ended is put down here."""

    layout: Layout
    site: Site

    def of_databases(self, marker: str) -> Iterator[str]:
        yield from _lines_in(self._left(_DATABASES), marker)
        for member in MEMBERS:
            yield from self._lines(member, marker)

    def of_replicas(self, marker: str) -> Iterator[str]:
        yield from _lines_in(self._left(_REPLICAS), marker)
        yield from self._lines(KEEPER, marker)

    def of_rotations(self, marker: str) -> Iterator[str]:
        return _lines_in(self._sessions(), marker)

    def used_ns(self, entry: Entry) -> int:
        """The replica may be another machine's: its wall clock is the one that we share."""
        return monotonic_ns(datetime.fromisoformat(str(entry["at_utc"])))

    def heads(self, lines: Mapping[str, int] | None) -> Heads:
        here = {**self._sessions(), **self._left(_DATABASES), **self._left(_REPLICAS)}
        found = log_heads.heads(here, lines)
        ours = None if lines is None else {
            log.removeprefix(self._prefix): count for log, count in lines.items()
            if log.startswith(self._prefix)
        }  # fmt: skip
        for part in (KEEPER, *MEMBERS):
            told = self._ask(part, {"heads": ours}).get("heads")
            if not isinstance(told, dict):
                raise self._not_understood(part)
            for log, (count, sha) in told.items():
                found[self._prefix + log] = int(count), str(sha)
        return found

    @property
    def _prefix(self) -> str:
        """Of the names of what this environment writes."""
        return f"{self.layout.environment}/" if self.layout.environment else ""

    def _sessions(self) -> dict[str, Path]:
        """Of the original environment, and of this one where it is another."""
        root = self.layout.root
        files = {Path(role_renewal.sessions_log(at)) for at in (Layout(root), self.layout)}
        return {str(file.relative_to(root)): file for file in files}

    def _left(self, pattern: str) -> dict[str, Path]:
        """What the environment before this one wrote; none where there was none."""
        kept = kept_logs(self.layout)
        found = sorted(kept.glob(pattern)) if self.layout.environment else []
        return {str(file.relative_to(kept)): file for file in found}

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


def _lines_in(files: Mapping[str, Path], marker: str) -> Iterator[str]:
    for file in files.values():
        if file.exists():
            yield from lines_with(file, marker)
