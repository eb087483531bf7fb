"""The capabilities that a scenario can ask for, as small protocols.

A platform lists the ones it has by name in `PlatformFacts.capabilities`; a scenario lists what
it requires. What is lacking is skipped with the reason, never green.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.core.plan import PlatformFacts

NAMES = (
    "nodes", "database", "database.standby", "backups", "secrets", "ingress", "application",
    "filestore", "cache", "integrations", "tenants", "alerts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Instant:
    """Something took effect between two readings of the monotonic clock."""

    earliest_ns: int
    latest_ns: int


@dataclass(frozen=True, slots=True)
class Wholeness:
    """Redundant, archiving, backed up, serving; or why not, a sentence a part."""

    whole: bool
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where to look. Secrets are named by file, never by value.

    `dsn` is a libpq string over all database nodes with target_session_attrs=read-write and a
    passfile; it connects as the read-back's own role. `application_url` is the ingress.
    """

    application_url: str
    application_replicas: tuple[str, ...]
    database: str  # Odoo's database name
    login: str
    password_file: Path
    dsn: str
    kind: str  # shop | odoo
    version: int  # 14 | 18 | 19
    queue_url: str  # redis://127.0.0.1:PORT/0 without a password, "" where there is none
    queue_password_file: Path | None
    filestore: Path | None
    s3_url: str
    s3_credentials_file: Path | None  # an AWS shared credentials file
    s3_bucket: str
    partners_url: str  # the stand-ins' memory, "" where there is none


class Nodes(Protocol):
    def names(self) -> tuple[str, ...]: ...
    def resolve(self, selector: str) -> str:
        """'primary', 'standby' or a name -> a node's name. Raises FaultError when none matches."""

    def kill(self, node: str) -> Instant:
        """Every process of the node dies at once; returns when their death was observed."""

    def start(self, node: str) -> None:
        """Power back. Harmless when the node runs."""

    def is_dead(self, node: str) -> bool: ...
    def is_back(self, node: str) -> bool:
        """Its parts run and its database has rejoined and streams."""


class Database(Protocol):
    def leader(self) -> str | None:
        """Node of the current leader that takes writes, None when there is none."""

    def protected(self) -> Wholeness:
        """Standby streaming and synchronous as configured; WAL archive not behind."""


class Platform(Protocol):
    """What every platform answers. Capabilities beyond are attributes, None when lacking."""

    @property
    def directory(self) -> Path:
        """Home of the platform's state: the undo journal lives in `directory/undo`."""

    @property
    def nodes(self) -> Nodes | None: ...
    @property
    def database(self) -> Database | None: ...
    def facts(self) -> PlatformFacts: ...
    def endpoints(self) -> Endpoints: ...
    def whole(self) -> Wholeness: ...
    def down(self) -> None: ...
