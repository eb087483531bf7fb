"""The audit log: which credential let whom in, or did not. Append-only, a JSON line an entry.

A client that authenticates with every call would fill it with one line a call, so an entry stands
for all uses by the same client since the last flush: how many, the first and the last of them.
No entry holds a secret. What a killed replica noted since its last flush (a quarter of a second)
is lost with it.
"""

from __future__ import annotations

import json
import os
import time
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Of the request at hand; "" outside of requests.
user_agent: ContextVar[str] = ContextVar("user_agent", default="")
AGENT_MAX = 200
CLIENTS_AT_ONCE = 1000


class Credential(StrEnum):
    """What was shown at the door."""

    PASSWORD = "password"  # noqa: S105  a word, not one of them
    API_KEY = "api-key"
    SESSION = "session-cookie"


@dataclass(slots=True)
class Uses:
    """Times are on the machine's monotonic clock, in ns."""

    first_ns: int
    at_ns: int
    uses: int


@dataclass(frozen=True, slots=True)
class Client:
    """Uses of one client are one entry."""

    credential: Credential
    who: str
    agent: str
    accepted: bool


class AuditLog:
    """One replica's. Without a path it notes nothing."""

    def __init__(self, path: Path | None, replica: str) -> None:
        self._path = path
        self._replica = replica
        self._noted: dict[Client, Uses] = {}

    def note(self, credential: Credential, who: str, *, accepted: bool) -> None:
        """A credential was checked just now."""
        if self._path is None:
            return
        now_ns = time.monotonic_ns()
        client = Client(credential, who[:AGENT_MAX], user_agent.get()[:AGENT_MAX], accepted)
        known = self._noted.get(client)
        if known is not None:
            known.at_ns = now_ns
            known.uses += 1
            return
        if len(self._noted) >= CLIENTS_AT_ONCE:
            self.flush()
        self._noted[client] = Uses(now_ns, now_ns, 1)

    def flush(self) -> None:
        """Everything noted so far is in the file when this returns."""
        if self._path is None or not self._noted:
            return
        noted, self._noted = self._noted, {}
        lines = "".join(self._line(client, uses) for client, uses in noted.items())
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, lines.encode())
        finally:
            os.close(descriptor)

    def _line(self, client: Client, uses: Uses) -> str:
        now, since_ns = datetime.now(UTC), time.monotonic_ns() - uses.at_ns
        at_utc = (now - timedelta(microseconds=since_ns // 1000)).isoformat(timespec="microseconds")
        utc = now.isoformat(timespec="milliseconds")
        entry = {
            **asdict(uses),
            "utc": utc,
            "at_utc": at_utc,
            **asdict(client),
            "replica": self._replica,
        }
        return json.dumps(entry) + "\n"
