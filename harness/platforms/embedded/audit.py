"""The capability `audit`: what the platform itself wrote down of an accepted use.

    class                     source                                         resolution
    database-role             PostgreSQL's log: a connection was authorized  1 ms
                              a session that a rotation ended: its last      1 us
                              statement, read as it was ended
    the application's three   the replicas' audit logs                       exact
    backup-writer             the date of the object that was put            1 s
    queue                     the id of the stream's entry                   1 ms

Everything but the replicas' logs is told on the wall clock; it is brought to the run's clock by
reading both now. Replicas on another machine have a monotonic clock of their own, so there their
entries are read by the wall clock, too. Logs of every environment are read: entering a clean room
forgets nothing.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from xml.etree.ElementTree import Element, ParseError
from xml.etree.ElementTree import fromstring as parse_xml

import redis

from harness.errors import PlatformError
from harness.platforms.capabilities import AuditedUse
from harness.platforms.embedded import credentials, log_heads, role_renewal, s3
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.log_heads import Heads, lines_with
from harness.platforms.embedded.s3_client import S3Error

_NS = 1_000_000_000
_CLOCKS_NS = 1_000_000  # the two clocks are compared now, and may have drifted since
_APPLICATION = {
    "application-password": "password",
    "api-key": "api-key",
    "session-cookie": "session-cookie",
}
_AUTHORIZED = re.compile(
    r"^(\S+ \S+) UTC \[\d+\] LOG:  connection authorized: user=(\S+) .*application_name=(\S+)"
)
_POSTGRES_LOGS, _AUDIT_LOGS = "pg?.log", "audit-*.jsonl"
_SESSIONS_LOG = "audit-sessions.jsonl"
_ENVIRONMENTS = "clean-[0-9]*"  # beside the original, which is the root itself


Entry = Mapping[str, object]


class Logs(Protocol):
    """Where a platform's logs are read. Raises PlatformError where one cannot be."""

    def of_databases(self, marker: str) -> Iterator[str]:
        """Lines of PostgreSQL's logs that name the marker."""

    def of_replicas(self, marker: str) -> Iterator[str]:
        """The same of the application's audit logs."""

    def of_rotations(self, marker: str) -> Iterator[str]:
        """The same of the sessions that a rotation ended."""

    def used_ns(self, entry: Entry) -> int:
        """When a replica's entry was used last, on the run's clock."""

    def heads(self, lines: Mapping[str, int] | None) -> Heads:
        """Of every log there is."""


@dataclass(frozen=True, slots=True)
class PlatformAudit:
    """Of the whole platform; store and queue are those of the environment that serves."""

    layout: Layout
    ports: Mapping[str, int]  # s3, and `queue`
    logs: Logs

    def last_use(self, credential: str, marker: str) -> AuditedUse | None:
        """Raises PlatformError where a source cannot be asked: silence is not absence."""
        seen = tuple(self._source(credential)(credential, marker))
        return max(seen, key=lambda use: use.at_ns) if seen else None

    def entries(self) -> int:
        """Lines of PostgreSQL's logs and of the audit logs, in all environments."""
        return sum(count for count, _ in self.heads().values())

    def heads(self, lines: Mapping[str, int] | None = None) -> Mapping[str, tuple[int, str]]:
        """A torn last line is not there yet; a log that is gone is left out."""
        return self.logs.heads(lines)

    def _source(self, credential: str) -> Callable[[str, str], Iterator[AuditedUse]]:
        if credential in _APPLICATION:
            return self._by_application
        sources = {
            "database-role": self._by_database,
            "backup-writer": self._by_store,
            "queue": self._by_queue,
        }
        if credential not in sources:
            raise PlatformError(f"no class of credentials {credential!r} is audited here")
        return sources[credential]

    def _by_application(self, credential: str, marker: str) -> Iterator[AuditedUse]:
        for entry in _entries(self.logs.of_replicas(marker)):
            known = entry.get("credential") == _APPLICATION[credential]
            if known and entry.get("accepted") and entry.get("agent") == marker:
                at_ns = self.logs.used_ns(entry)
                yield AuditedUse(credential, at_ns, _CLOCKS_NS, "application audit log")

    def _by_database(self, credential: str, marker: str) -> Iterator[AuditedUse]:
        for line in self.logs.of_databases(marker):
            found = _AUTHORIZED.match(line)
            if found and found[2] == role_renewal.ROLE and found[3] == marker:
                at = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
                yield _use(credential, at, timedelta(milliseconds=1), "postgresql log")
        for entry in _entries(self.logs.of_rotations(marker)):
            if entry.get("agent") == marker:
                at_ns = int(str(entry["at_ns"]))
                yield AuditedUse(credential, at_ns, _CLOCKS_NS, "sessions ended by the rotation")

    def _by_store(self, credential: str, marker: str) -> Iterator[AuditedUse]:
        """The latest of all objects; there may be many, so they are not told one by one."""
        latest = max(self._dates(f"attack/{marker}/"), default="")
        if latest:
            at = datetime.fromisoformat(latest)
            yield _use(credential, at, timedelta(seconds=1), "date of the object in the store")

    def _dates(self, prefix: str) -> Iterator[str]:
        """ISO 8601, all in the same form, so they sort as text."""
        store = s3.admin(self.ports, credentials.load(self.layout))
        asked = {"list-type": "2", "prefix": prefix, "max-keys": "1000"}
        while True:
            try:
                answer = store.call("GET", "", query=asked)
                page = parse_xml(answer.body)  # noqa: S314  our own store's answer
            except (S3Error, ParseError) as error:
                raise PlatformError(f"the store cannot be asked: {error}") from error
            yield from (node.text or "" for node in page.iter() if _is(node, "LastModified"))
            more = [node.text for node in page.iter() if _is(node, "NextContinuationToken")]
            if not more or not more[0]:
                return
            asked = {**asked, "continuation-token": more[0]}

    def _by_queue(self, credential: str, marker: str) -> Iterator[AuditedUse]:
        word = credentials.load(self.layout).valkey
        queue = redis.Redis(port=self.ports["queue"], password=word, socket_timeout=2.0)
        try:
            last: Any = queue.xrevrange(f"attack:{marker}", count=1)
        except redis.RedisError as error:
            raise PlatformError(f"the queue cannot be asked: {type(error).__name__}") from error
        finally:
            queue.close()
        for number, _ in last:
            at_ms = int(number.split(b"-")[0])
            at = datetime.fromtimestamp(at_ms // 1000, UTC) + timedelta(milliseconds=at_ms % 1000)
            yield _use(credential, at, timedelta(milliseconds=1), "the queue's stream")


@dataclass(frozen=True, slots=True)
class LocalLogs:
    """Files below the platform's folder, of each environment.

    A copy that forensics made is no log that anybody kept.
    """

    root: Path

    def of_databases(self, marker: str) -> Iterator[str]:
        return self._lines(_POSTGRES_LOGS, marker)

    def of_replicas(self, marker: str) -> Iterator[str]:
        return self._lines(_AUDIT_LOGS, marker)

    def of_rotations(self, marker: str) -> Iterator[str]:
        return self._lines(_SESSIONS_LOG, marker)

    def used_ns(self, entry: Entry) -> int:
        return int(str(entry["at_ns"]))

    def heads(self, lines: Mapping[str, int] | None) -> Heads:
        files = [file for name in (_POSTGRES_LOGS, _AUDIT_LOGS) for file in self._files(name)]
        return log_heads.heads({str(file.relative_to(self.root)): file for file in files}, lines)

    def _lines(self, name: str, marker: str) -> Iterator[str]:
        return (line for file in self._files(name) for line in lines_with(file, marker))

    def _files(self, name: str) -> list[Path]:
        found = [*self.root.glob(f"logs/{name}"), *self.root.glob(f"{_ENVIRONMENTS}/logs/{name}")]
        return sorted(found)


def embedded(layout: Layout, ports: Mapping[str, int]) -> PlatformAudit:
    """Of the embedded platform."""
    queue = {"queue": ports["valkey"]} if "valkey" in ports else {}
    return PlatformAudit(layout, {**ports, **queue}, LocalLogs(layout.root))


def monotonic_ns(at: datetime) -> int:
    """An instant of the wall clock on this machine's monotonic one."""
    ahead_ns = time.time_ns() - time.monotonic_ns()
    return round(at.timestamp() * 1e6) * 1000 - ahead_ns


def _entries(lines: Iterator[str]) -> Iterator[dict[str, object]]:
    """JSON lines; a torn last one is not there yet."""
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def _use(credential: str, at: datetime, resolution: timedelta, source: str) -> AuditedUse:
    """The instant was cut off to its resolution: it lies within half of it around the middle."""
    half_ns = round(resolution.total_seconds() * _NS) // 2
    return AuditedUse(credential, monotonic_ns(at) + half_ns, half_ns + _CLOCKS_NS, source)


def _is(node: Element, name: str) -> bool:
    """Whatever namespace it is in."""
    return node.tag.rpartition("}")[2] == name
