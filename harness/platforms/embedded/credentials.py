"""Secrets: made anew at each start, in files that only their owner can read, and nowhere else.

`repr` shows none of them, and no argument list or environment ever holds one.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded.layout import Layout, write_atomically

_BYTES = 24
READER = "readback"
ADMIN_LOGIN = "admin"


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Every password of one platform."""

    postgres: str
    replicator: str
    rewind: str
    shop: str
    readback: str
    patroni: str
    valkey: str
    admin_password: str
    api_key: str
    archive_token: str
    s3_admin_key: str
    s3_admin_secret: str
    s3_archive_key: str
    s3_archive_secret: str

    def __repr__(self) -> str:
        return "Secrets(...)"


@dataclass(frozen=True, slots=True)
class SecretFiles:
    """Where an outsider is pointed to instead of being told."""

    folder: Path

    @property
    def all(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def admin_password(self) -> Path:
        return self.folder / "application-password"

    @property
    def api_key(self) -> Path:
        return self.folder / "application-api-key"

    @property
    def valkey_password(self) -> Path:
        return self.folder / "queue-password"

    @property
    def archive_token(self) -> Path:
        return self.folder / "archive-token"

    @property
    def reader_pass(self) -> Path:
        return self.folder / "pgpass"

    @property
    def superuser_pass(self) -> Path:
        return self.folder / "pgpass-superuser"

    @property
    def application_pass(self) -> Path:
        return self.folder / "pgpass-application"

    @property
    def aws_credentials(self) -> Path:
        return self.folder / "aws-credentials"

    @property
    def s3_identities(self) -> Path:
        return self.folder / "s3.json"


def files_of(layout: Layout) -> SecretFiles:
    return SecretFiles(layout.secrets)


def generate(layout: Layout) -> Secrets:
    """Draw them and write every file that only carries secrets."""
    made = Secrets(**{field.name: draw() for field in fields(Secrets)})
    write(layout, made)
    return made


def draw() -> str:
    """A new secret."""
    return secrets.token_hex(_BYTES)


def write(layout: Layout, made: Secrets) -> None:
    """Every file that only carries secrets; whoever reads one sees the old or the new text."""
    files = files_of(layout)
    write_atomically(files.all, json.dumps(asdict(made)))
    write_atomically(files.archive_token, made.archive_token)
    write_atomically(files.reader_pass, f"127.0.0.1:*:*:{READER}:{made.readback}\n")
    write_atomically(files.superuser_pass, f"127.0.0.1:*:*:postgres:{made.postgres}\n")
    write_atomically(files.application_pass, f"127.0.0.1:*:*:shop:{made.shop}\n")
    write_atomically(files.aws_credentials, _aws(made))
    write_for_clients(layout, made)


def write_for_clients(layout: Layout, made: Secrets) -> None:
    """What customers' programs read: again and again, so a renewed secret reaches them."""
    files = files_of(layout)
    write_atomically(files.admin_password, made.admin_password)
    write_atomically(files.api_key, made.api_key)
    write_atomically(files.valkey_password, made.valkey)


def load(layout: Layout) -> Secrets:
    try:
        return Secrets(**json.loads(files_of(layout).all.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise PlatformError(
            f"the secrets of {layout.root} cannot be read: {error}",
            next_step="peakdrill platform down, then up",
        ) from error


def _aws(made: Secrets) -> str:
    return (
        f"[default]\naws_access_key_id = {made.s3_archive_key}\n"
        f"aws_secret_access_key = {made.s3_archive_secret}\n"
        f"[admin]\naws_access_key_id = {made.s3_admin_key}\n"
        f"aws_secret_access_key = {made.s3_admin_secret}\n"
    )
