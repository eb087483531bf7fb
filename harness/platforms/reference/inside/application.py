"""The role `application`: one replica of the shop.

It waits for the database, installs the schema where there is none (of two replicas one does, the
other waits for the lock and finds everything there), and serves. Its configuration is written
from what it was told and from the mounted secrets, and replaced when one of them changes: the
shop reads a replaced file by itself.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

import psycopg

from harness.errors import NotReady, PlatformError
from harness.platforms.embedded import application, programs
from harness.platforms.embedded.blueprint import Commands
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import write_atomically, write_private
from harness.platforms.embedded.postgres import DATABASE
from harness.platforms.reference.inside import running
from harness.platforms.reference.inside.settings import Settings

PORT = 8069
_NEEDED = ("shop", "admin_password", "api_key", "valkey")
_RENEWABLE = ("password", "api-key", "sessions")
_DATABASE_S = 600.0
_PAUSE_S = 0.5
_LOOK_EVERY_S = 0.5


def main(settings: Settings) -> int:
    """Until it is told to end. Raises PlatformError."""
    configuration = Configuration(settings)
    configuration.renew()
    install_where_none_is(settings)
    running.beside(configuration.keep_up)
    argv = [programs.python(), "-m", Commands().serve, str(configuration.file)]
    return running.run(argv, home=settings.data)


class Configuration:
    """The shop's file, as told and as the secrets are now."""

    def __init__(self, settings: Settings) -> None:
        self.file = file_of(settings)
        self._settings = settings
        self._written = ""

    def renew(self) -> bool:
        """Whether it had to be written. Raises PlatformError where a secret cannot be read."""
        wanted = text_now(self._settings)
        if wanted == self._written:
            return False
        write_atomically(self.file, wanted)
        self._written = wanted
        return True

    def keep_up(self) -> None:
        """Never returns. A secret that cannot be read just now leaves the old one in place."""
        told = ""
        while True:
            time.sleep(_LOOK_EVERY_S)
            try:
                if self.renew():
                    print("application: its configuration was replaced", flush=True)
                told = ""
            except (PlatformError, OSError) as error:
                told = _say_once(str(error), told)


def file_of(settings: Settings) -> Path:
    return settings.data / "application.json"


def text_now(settings: Settings) -> str:
    """With the secrets that are mounted now. Raises PlatformError where one cannot be read."""
    return text_of(settings, settings.secrets_of(*_NEEDED))


def text_of(settings: Settings, secrets: Secrets) -> str:
    """The shop's configuration file: where everything is, and the secrets that it may have."""
    name = settings.name
    database = settings.addresses("DATABASE")
    place = application.Place(
        name=name,
        host="0.0.0.0",
        port=PORT,
        dialect=settings.options.dialect,
        database=application.address_of([(node.host, node.port) for node in database]),
        queue=str(settings.address("QUEUE")),
        filestore=str(settings.filestore / DATABASE),
        partners=str(settings.address("PARTNERS")),
        partners_memory=str(settings.data),
        audit_log=str(audit_log(settings, name)),
    )
    return application.configuration(place, secrets)


def audit_log(settings: Settings, name: str) -> Path:
    """Beside the documents: it outlives the replica."""
    folder = settings.filestore / "audit"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"audit-{name}.jsonl"


def install_where_none_is(settings: Settings) -> None:
    """Wait for a database that takes writes; give it a schema if it has none.

    Raises NotReady when none comes, PlatformError.
    """
    deadline, told = time.monotonic() + _DATABASE_S, ""
    while time.monotonic() < deadline:
        try:
            if not _is_installed(settings):
                print("application: the database has no schema yet: installing it", flush=True)
                install(settings, [], {})
        except (psycopg.Error, PlatformError) as error:
            told = _say_once(f"the database: {error}", told)
            time.sleep(_PAUSE_S)
        else:
            return
    raise NotReady(f"no database took writes within {_DATABASE_S:g} s; last: {told}")


def _is_installed(settings: Settings) -> bool:
    nodes = [(node.host, node.port) for node in settings.addresses("DATABASE")]
    where = f"{application.address_of(nodes)} user=shop"
    with psycopg.connect(where, password=settings.secret("shop"), autocommit=True) as connection:
        row = connection.execute("SELECT to_regclass('ir_module_module') IS NOT NULL").fetchone()
    return bool(row and row[0])


def install(
    settings: Settings, words: Sequence[str], asked: Mapping[str, object]
) -> dict[str, object]:
    """Schema, seed and the credentials of now; harmless when they are there."""
    release = ["--release", words[0]] if words else []
    _run(settings, Commands().install, release, asked)
    return {}


def renew(
    settings: Settings, words: Sequence[str], asked: Mapping[str, object]
) -> dict[str, object]:
    """Into the database: the `password`, the `api-key`; or all `sessions` end."""
    if len(words) != 1 or words[0] not in _RENEWABLE:
        raise PlatformError(f"renew one of: {', '.join(_RENEWABLE)}")
    _run(settings, Commands().renew, words, asked)
    return {}


def _run(
    settings: Settings, module: str, words: Sequence[str], asked: Mapping[str, object]
) -> None:
    """A module of the shop, with the mounted secrets and those that were asked for instead."""
    if strange := set(asked) - {known.name for known in fields(Secrets)}:
        raise PlatformError(f"no secret is called {', '.join(sorted(strange))}")
    secrets = replace(
        settings.secrets_of(*_NEEDED), **{name: str(value) for name, value in asked.items()}
    )
    file = settings.data / f"{module}-{os.getpid()}.json"
    write_private(file, text_of(settings, secrets))
    application.run(settings.data, module, file, words)


def _say_once(what: str, told: str) -> str:
    if what != told:
        print(f"application: {what}", file=sys.stderr, flush=True)
    return what
