"""What a part is told: its environment, which holds no secret, and a folder of secrets.

    PEAKDRILL_NAME          this part: the pod's or container's name
    PEAKDRILL_ADDRESS       where the others reach it: a pod's address, a container's alias
    PEAKDRILL_NAMESPACE     the tenant's; only on Kubernetes
    PEAKDRILL_DATABASE      HOST:PORT, or several with commas: whichever takes writes is used
    PEAKDRILL_QUEUE         HOST:PORT
    PEAKDRILL_STORE         HOST:PORT
    PEAKDRILL_PARTNERS      HOST:PORT
    PEAKDRILL_CONSENSUS     `kubernetes`, or etcd's HOST:PORT
    PEAKDRILL_ROUTES        `kubernetes`, or `file`: then PEAKDRILL_REPLICAS are the first
    PEAKDRILL_REPLICAS      HOST:PORT,HOST:PORT
    PEAKDRILL_HEALTH        a path at which a replica answers 200 only while its database does
    PEAKDRILL_DIALECT       19
    PEAKDRILL_SYNCHRONOUS   true
    PEAKDRILL_LEADER_TTL_S  20
    PEAKDRILL_AWAIT_RESTORE true: new databases begin held, and archive nothing
    PEAKDRILL_FORWARD, PEAKDRILL_BESIDE         of a drill's doors: see forward.py
    PEAKDRILL_SECRETS, PEAKDRILL_DATA, PEAKDRILL_FILESTORE   /secrets, /data, /filestore

A secret is a file that bears the name of a field of `credentials.Secrets`, or `backup-key`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded.credentials import Secrets, draw
from harness.platforms.embedded.layout import LEADER_TTL_S, Options

PREFIX = "PEAKDRILL_"
KUBERNETES = "kubernetes"
FILE = "file"
BACKUP_KEY = "backup-key"
_TRUTH = {"true": True, "false": False}
_DIALECT = 19


@dataclass(frozen=True, slots=True)
class Address:
    """Where a part listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment, read when it is asked: a part says which word of it is missing."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    @property
    def secrets(self) -> Path:
        return Path(self.text("SECRETS", "/secrets"))

    @property
    def data(self) -> Path:
        return Path(self.text("DATA", "/data"))

    @property
    def filestore(self) -> Path:
        return Path(self.text("FILESTORE", "/filestore"))

    @property
    def name(self) -> str:
        return self.text("NAME")

    @property
    def options(self) -> Options:
        return Options(
            synchronous=self.flag("SYNCHRONOUS", default=True),
            dialect=self.number("DIALECT", _DIALECT),
            leader_ttl_s=self.number("LEADER_TTL_S", LEADER_TTL_S),
        )

    def text(self, name: str, default: str | None = None) -> str:
        """A variable's value. Raises PlatformError where it is not set and has no default."""
        told = self.environ.get(PREFIX + name, "").strip()
        if told:
            return told
        if default is None:
            raise PlatformError(
                f"{PREFIX}{name} is not set", next_step="see deploy/reference, or the site's code"
            )
        return default

    def number(self, name: str, default: int | None = None) -> int:
        told = self.text(name, None if default is None else str(default))
        if not told.isdecimal():
            raise _wrong(name, told, "a whole number")
        return int(told)

    def flag(self, name: str, *, default: bool) -> bool:
        told = self.text(name, "true" if default else "false")
        if told not in _TRUTH:
            raise _wrong(name, told, "true or false")
        return _TRUTH[told]

    def address(self, name: str) -> Address:
        return address(name, self.text(name))

    def addresses(self, name: str) -> tuple[Address, ...]:
        """One or more, in the order in which they stand there."""
        return tuple(address(name, word) for word in self.text(name).split(","))

    def secret(self, name: str) -> str:
        """What the file says now: it is replaced when a secret is renewed."""
        file = self.secrets / name
        try:
            told = file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise PlatformError(
                f"the secret {name} cannot be read: {type(error).__name__}",
                next_step=f"it has to be a file in {self.secrets}",
            ) from error
        if not told:
            raise PlatformError(f"the secret {name} is empty: {file}")
        return told

    def secrets_of(self, *needed: str) -> Secrets:
        """`needed` as they are; for every other one a word that nobody knows.

        So whoever configures something with a secret that this part may not have, has configured
        nothing that anybody could use.
        """
        return Secrets(
            **{
                known.name: self.secret(known.name) if known.name in needed else draw()
                for known in fields(Secrets)
            }
        )


def address(name: str, told: str) -> Address:
    host, _, port = told.strip().rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise _wrong(name, told, "HOST:PORT")
    return Address(host, int(port))


def _wrong(name: str, told: str, wanted: str) -> PlatformError:
    return PlatformError(f"{PREFIX}{name} is {told!r}; wanted: {wanted}")
