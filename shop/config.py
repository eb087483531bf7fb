"""The shop's configuration: one JSON file, the only place of its secrets."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("shop.config")

DIALECTS = (14, 18, 19)
Stamp = tuple[int, int, int]


class ConfigError(ValueError):
    """The file is not what the shop needs; the message says where."""


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """Where the queue is: redis://HOST:PORT/DB, and its password apart from the URL."""

    url: str
    password: str


@dataclass(frozen=True, slots=True)
class Config:
    """One replica's settings. `repr` shows no secret."""

    path: Path  # of the file; it may be replaced while the replica runs
    name: str
    host: str
    port: int
    dialect: int
    database: str
    dsn: str
    admin_login: str
    admin_password: str
    api_key: str
    queue: QueueConfig | None
    filestore: Path
    partners_url: str
    partners_memory: Path
    audit_log: Path | None

    def __repr__(self) -> str:
        return f"Config(name={self.name!r}, port={self.port}, dialect={self.dialect})"


def load_config(path: Path, dialect: int | None = None) -> Config:
    """Read CONFIG.json; `dialect` from the command line wins over the file's."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: an object is expected")
    try:
        queue = raw.get("queue")
        config = Config(
            path=path,
            name=str(raw["name"]),
            host=str(raw.get("host", "127.0.0.1")),
            port=int(raw["port"]),
            dialect=dialect or int(raw.get("dialect", 19)),
            database=str(raw["database"]),
            dsn=str(raw["dsn"]),
            admin_login=str(raw.get("admin_login", "admin")),
            admin_password=str(raw["admin_password"]),
            api_key=str(raw["api_key"]),
            queue=QueueConfig(str(queue["url"]), str(queue.get("password", ""))) if queue else None,
            filestore=Path(raw["filestore"]),
            partners_url=str(raw.get("partners_url", "")),
            partners_memory=Path(raw.get("partners_memory", "")),
            audit_log=Path(raw["audit_log"]) if raw.get("audit_log") else None,
        )
    except KeyError as error:
        raise ConfigError(f"{path}: {error.args[0]!r} is missing") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if config.dialect not in DIALECTS:
        raise ConfigError(f"{path}: dialect {config.dialect} is none of {DIALECTS}")
    return config


class ConfigFile:
    """A configuration file that is replaced while it is in use."""

    def __init__(self, path: Path, dialect: int) -> None:
        self._path = path
        self._dialect = dialect  # the command line may have overruled the file
        self._seen: Stamp | None = None  # the first look is never too late

    def newer(self) -> Config | None:
        """What it says now, where it was replaced since the last look."""
        stamp = self._stamp()
        if stamp is None or stamp == self._seen:
            return None
        try:
            config = load_config(self._path, self._dialect)
        except ConfigError as error:
            log.warning("%s", error)  # half written or wrong: the old one holds
            return None
        self._seen = stamp
        return config

    def _stamp(self) -> Stamp | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
