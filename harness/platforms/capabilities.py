"""The capabilities that a scenario can ask for, as small protocols.

A platform lists the ones it has by name in `PlatformFacts.capabilities`; a scenario lists what
it requires. What is lacking is skipped with the reason, never green.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.core.plan import PlatformFacts
from harness.platforms.commands import Commands
from harness.platforms.documents import Documents
from harness.platforms.shown import Shown

NAMES = (
    "nodes", "database", "database.standby", "database.damage", "backups", "secrets", "audit",
    "ingress", "application", "filestore", "cache", "integrations", "clean-room", "tenants",
    "alerts", "database.read", "filestore.read", "faults.command", "faults.cluster",
    "faults.container-pause", "faults.container-disconnect",
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
    filestore: Path | None  # where it is a folder of this machine
    s3_url: str
    s3_credentials_file: Path | None  # an AWS shared credentials file
    s3_bucket: str
    partners_url: str  # the stand-ins' memory, "" where there is none
    queue_inside_url: str = ""  # beside the queue's door, open or closed; "" where there is none


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
    def names(self) -> tuple[str, ...]:
        """The nodes that hold a copy; there may be nodes that hold none."""

    def leader(self) -> str | None:
        """Node of the current leader that takes writes, None when there is none."""

    def protected(self) -> Wholeness:
        """Standby streaming and synchronous as configured; WAL archive not behind."""

    def application_dsn(self) -> str:
        """Libpq string of the application's own role to whoever takes writes; passfile inside."""

    def superuser_dsn(self, node: str = "") -> str:
        """The same for the superuser; of one node where it is named, whatever its role."""

    def switchover(self, to: str = "") -> str:
        """Planned. Returns the node that leads when it takes writes. Raises PlatformError."""

    def reinitialize(self, node: str) -> None:
        """Throw a node's data away and copy it anew from the leader; `nodes.is_back` tells when.

        Raises PlatformError, and for the leader.
        """

    def corruption(self, node: str) -> tuple[str, ...]:
        """Every relation of every database walked by pg_amcheck: a sentence for each damage.

        Raises PlatformError when the node cannot be asked: silence is not soundness.
        """

    def checksum_failures(self, node: str) -> int:
        """What the node itself has counted so far, in all databases."""

    def corrupt_page(self, node: str, table: str) -> Instant:
        """Garbage in a heap page of a table, so that it is really there; observed by reading it.

        Raises FaultError where the page still reads well afterwards.
        """


@dataclass(frozen=True, slots=True)
class Backup:
    """A base backup, as the store lists it; nobody has looked into it yet."""

    backup_id: str  # sorts by age
    taken_utc: str  # ISO 8601, as its own record says; "" where it has none
    release: str  # of the application when it was taken; "" where its record does not say
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """How far base backup and archive carry, by what really lies in the store."""

    backup_id: str
    first_segment: str  # where the WAL after the backup begins
    last_segment: str  # the last one that follows without a gap
    missing: tuple[str, ...]  # segments between the last one and those the leader has finished
    last_commit_utc: str  # the latest commit in the unbroken chain, ISO 8601 with microseconds
    last_commit_monotonic_ns: int  # the same on the run's clock, within a millisecond


@dataclass(frozen=True, slots=True)
class Wanted:
    """The instant to restore to: just before a transaction, at a time, or as far as it goes."""

    before_xid: int | None = None
    until_utc: str = ""  # ISO 8601 with microseconds


@dataclass(frozen=True, slots=True)
class Restored:
    """Where a restore ended, by the restored database's own word."""

    backup_id: str
    reached_utc: str  # its last replayed commit, ISO 8601 with microseconds
    complete: bool  # the wanted instant was reached; False: the archive ended before
    told: str


class Backups(Protocol):
    def candidates(self) -> tuple[Backup, ...]:
        """Everything that looks like a base backup, newest first, sound or not."""

    def take(self) -> Backup:
        """A new gated base backup. Raises PlatformError when a gate says no."""

    def verify(self, backup_id: str) -> Wholeness:
        """Fetched, decrypted, compared with its manifest: a sentence for what is wrong."""

    def close_archive(self) -> None:
        """Have the leader finish its segment, and wait until it believes it archived.

        Harmless when no leader runs.
        """

    def reach(self, backup_id: str) -> Reach:
        """How far this backup and the archive carry. Works without any database running."""

    def stop_databases(self) -> None:
        """All of them, and the application's hold on them. Harmless when they are stopped."""

    def restore(self, backup_id: str, wanted: Wanted) -> Restored:
        """Put base backup and WAL in the place of the stopped databases' data, from the store.

        Ends with one leader that takes writes, the standby being rebuilt, the application
        running. May be repeated from the start after any death. Raises PlatformError.
        """

    def stop_archive(self) -> Instant:
        """A fault: from now on segments are reported as archived, and are not."""

    def archive_is_stopped(self) -> bool: ...
    def mend_archive(self) -> None:
        """Archive for real again, and take the base backup that the gap asks for."""

    def lose_key_copy(self) -> str:
        """A fault: one of the backup key's copies is gone. Says which; harmless when it is."""

    def mend_key(self) -> None:
        """Every copy there again, from one that is left. Raises PlatformError when none is."""


class Ingress(Protocol):
    def close(self, *, queue: bool = False) -> None:
        """Every request is answered 503 at the door. Harmless when it is closed.

        The queue's own door stays open, so that a marketplace can still hand in its orders,
        unless `queue` asks for that one too.
        """

    def open(self) -> None: ...
    def is_closed(self) -> bool:
        """Asked from outside, as a customer: 503, and no replica was reached."""

    def is_open(self) -> bool:
        """Asked from outside: the application answers."""


class Filestore(Documents, Protocol):
    """Documents where the application reads them, and their copies in object storage."""

    def mirrored(self, store_fname: str) -> bytes | None:
        """The copy in object storage, None where there is none."""

    def mirrored_names(self) -> frozenset[str]:
        """Every store_fname that object storage holds."""

    def mirror_is_complete(self) -> bool:
        """Every file that is on disk now is in object storage too."""


class Secrets(Protocol):
    """The classes of credentials that can leak, and their rotation."""

    def classes(self) -> tuple[str, ...]:
        """database-role, backup-writer, application-password, api-key, session-cookie, queue."""

    def hand_out(self, credential: str, file: Path) -> None:
        """Write what a thief would have to `file` (0600, outside any run directory): JSON with
        `kind`, where to use it, and the secret.
        """

    def rotate(self, credential: str) -> None:
        """A new secret, in every component that needs it; the old one refused, sessions ended.

        Returns when that was observed. May be repeated. Raises PlatformError.
        """

    def known(self) -> tuple[tuple[str, str], ...]:
        """(what it opens, the secret) of now and of before: to search for, never to be written.

        Names that go with a secret (a role, an access key's id) are none.
        """

    def shown(self) -> Iterator[Shown]:
        """What the platform's parts show to whoever may look, beyond this machine's processes and
        the files in the platform's directory. To be searched for secrets. Raises PlatformError.
        """


@dataclass(frozen=True, slots=True)
class AuditedUse:
    """The platform's own record of an accepted use of a credential."""

    credential: str
    at_ns: int  # on the run's clock
    uncertainty_ns: int  # of that record's own resolution
    source: str  # "postgresql log", "application audit log", ...


class Audit(Protocol):
    def last_use(self, credential: str, marker: str) -> AuditedUse | None:
        """The last accepted use that carries the attacker's `marker`, None where there is none."""

    def entries(self) -> int:
        """How many lines the audit logs hold: they must never become fewer."""

    def heads(self, lines: Mapping[str, int] | None = None) -> Mapping[str, tuple[int, str]]:
        """Log -> its first so many lines (all that it has, where none are named), their SHA-256.

        A log is only ever added to: what it began with, it begins with for ever.
        """


class CleanRoom(Protocol):
    """A second environment on the same platform that shares nothing with the first."""

    def name(self) -> str:
        """Of the environment that serves: "" the original, else "clean-1"."""

    def preserve(self, into: Path) -> tuple[tuple[str, str], ...]:
        """Forensics: the old environment stands still; (file, SHA-256) of volumes, logs and WAL.

        The same list is `into`/manifest.txt. What customers handed to the queue is taken over.
        """

    def preserved(self, names: Sequence[str]) -> Mapping[str, str]:
        """SHA-256 of these files of the manifest, hashed anew; without those that are gone."""

    def prepare(self) -> str:
        """New nodes, credentials, data folders and ports; nothing serves yet. Its name."""

    def restore(self, backup_id: str, wanted: Wanted) -> Restored:
        """Into the prepared environment, from the store alone, documents included."""

    def enter(self) -> None:
        """From now on the platform *is* the clean environment; the old one is dead."""

    def shared(self) -> tuple[str, ...]:
        """What both environments have in common: sentences; () when nothing."""

    def inside(self, credential: str) -> str:
        """Where a class of credentials is used in the environment that serves, doors or not."""


class Platform(Protocol):
    """What every platform answers. Capabilities beyond are attributes, None when lacking."""

    @property
    def directory(self) -> Path:
        """Home of the platform's state: the undo journal lives in `directory/undo`."""

    @property
    def nodes(self) -> Nodes | None: ...
    @property
    def database(self) -> Database | None: ...
    @property
    def backups(self) -> Backups | None: ...
    @property
    def ingress(self) -> Ingress | None: ...
    @property
    def filestore(self) -> Filestore | None: ...
    @property
    def secrets(self) -> Secrets | None: ...
    @property
    def audit(self) -> Audit | None: ...
    @property
    def clean_room(self) -> CleanRoom | None: ...
    @property
    def commands(self) -> Commands | None: ...
    def facts(self) -> PlatformFacts: ...
    def endpoints(self) -> Endpoints: ...
    def whole(self) -> Wholeness: ...
    def down(self) -> None: ...
