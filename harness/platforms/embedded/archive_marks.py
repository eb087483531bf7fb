"""What a member's own archiver says, read from its data folder: also when nothing runs.

A light module: an agent that is asked for this must not load what unpacks and measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.platforms.embedded import wal_names


def marked(pgdata: Path, *, kinds: tuple[str, ...]) -> frozenset[str]:
    """Segments that bear such a mark (.ready, .done); none where there are no data."""
    return frozenset(
        path.stem
        for path in _marks(pgdata)
        if path.suffix in kinds and wal_names.is_segment(path.stem)
    )


def archived_histories(pgdata: Path) -> frozenset[str]:
    """History files that are marked as archived."""
    return frozenset(
        path.stem
        for path in _marks(pgdata)
        if path.suffix == ".done" and wal_names.is_history(path.stem)
    )


def ship_again(pgdata: Path, name: str) -> None:
    """What is marked as archived waits for the archiver again. Harmless where nothing is marked."""
    done = _status(pgdata) / f"{name}.done"
    if done.exists():
        done.rename(done.with_suffix(".ready"))


def led(pgdata: Path) -> bool:
    """Neither follows nor is being copied."""
    following = (pgdata / "standby.signal").exists() or (pgdata / "backup_label").exists()
    return pgdata.is_dir() and not following


def _marks(pgdata: Path) -> Iterator[Path]:
    folder = _status(pgdata)
    return folder.iterdir() if folder.is_dir() else iter(())


def _status(pgdata: Path) -> Path:
    return pgdata / "pg_wal" / "archive_status"
