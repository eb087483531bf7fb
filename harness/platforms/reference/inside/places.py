"""Where a database container keeps its things, and where it listens. Light: every agent loads it.

/data/pgdata              PostgreSQL's data
/data/hold, /data/held    stay down;  they are down
/data/archive-shut        nothing is archived: this environment does not serve yet
/data/log/database.log    what Patroni, PostgreSQL and the archive wrote
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PG_PORT, REST_PORT, ARCHIVE_PORT = 5432, 8008, 8432


@dataclass(frozen=True, slots=True)
class Hold:
    """`asked`: stay down. `held`: it is. Both lie below /data, so a hold survives a restart."""

    asked: Path
    held: Path

    def is_held(self) -> bool:
        return self.asked.exists() and self.held.exists()


def pgdata(data: Path) -> Path:
    return data / "pgdata"


def hold(data: Path) -> Hold:
    return Hold(asked=data / "hold", held=data / "held")


def archive_shut(data: Path) -> Path:
    return data / "archive-shut"


def await_restore(data: Path) -> None:
    """A new volume's databases begin held, and archive nothing: what comes is a restore.

    Once. Whoever is started again goes on as he was.
    """
    begun = data / "await-restore"
    if not begun.exists():
        archive_shut(data).touch()
        hold(data).asked.touch()
        begun.touch()


def log(data: Path, name: str = "database.log") -> Path:
    """Its folder is there when this returns."""
    folder = data / "log"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / name
