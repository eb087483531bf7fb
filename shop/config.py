"""The shop's configuration: one JSON file, the only place of its secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

DIALECTS = (14, 18, 19)


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
        )
    except KeyError as error:
        raise ConfigError(f"{path}: {error.args[0]!r} is missing") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if config.dialect not in DIALECTS:
        raise ConfigError(f"{path}: dialect {config.dialect} is none of {DIALECTS}")
    return config
