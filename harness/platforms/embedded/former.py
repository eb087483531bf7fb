"""Secrets of before: kept for their owner alone, so that they can be searched for.

And what is in use or intended: every secret of every environment of a platform, with what it opens.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import Layout, write_atomically

OPENS = {
    "shop": "database-role",
    "s3_archive_secret": "backup-writer",
    "admin_password": "application-password",
    "api_key": "api-key",
    "session": "session-cookie",
    "valkey": "queue",
}
_NAMES = {"s3_admin_key", "s3_archive_key"}  # they go with a secret, and are none
_KEPT, _INTENTION, _CURRENT = "former.json", "rotating.json", "secrets.json"


class Former:
    """Of one environment; `known` looks into all of them."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._file = layout.secrets / _KEPT

    @property
    def intention(self) -> Path:
        """The rotation that was begun and not seen through."""
        return self._layout.secrets / _INTENTION

    def read(self) -> dict[str, tuple[str, ...]]:
        """By field, oldest first."""
        return {field: tuple(words) for field, words in _object(self._file).items()}

    def keep(self, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        """Add what is about to be replaced; what is new already was added before."""
        kept = {field: list(words) for field, words in self.read().items()}
        for field, word in old.items():
            words = kept.setdefault(field, [])
            if word != new.get(field) and word not in words:
                words.append(word)
        write_atomically(self._file, json.dumps(kept))

    def known(self) -> tuple[tuple[str, str], ...]:
        """(what it opens, the secret): of now, of before, and of a rotation under way."""
        found: dict[str, str] = {}
        for folder in _folders(self._layout.root):
            for field, word in _words(folder):
                if field not in _NAMES:
                    found.setdefault(word, OPENS.get(field, field.replace("_", "-")))
        return tuple((opens, word) for word, opens in found.items())


def _folders(root: Path) -> list[Path]:
    """Of the first environment, and of each clean one below it."""
    return [folder for folder in (root / "secrets", *root.glob("*/secrets")) if folder.is_dir()]


def _words(folder: Path) -> Iterator[tuple[str, str]]:
    current = _object(folder / _CURRENT)
    yield from ((field.name, current[field.name]) for field in fields(Secrets) if current)
    for field, words in _object(folder / _KEPT).items():
        yield from ((field, word) for word in words)
    intended = _object(folder / _INTENTION).get("values", {})
    yield from intended.items()
    for copy in (folder / "backup-key", folder / "escrow" / "backup-key"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            word = copy.read_text(encoding="ascii").strip()
            if word:
                yield "backup_key", word


def _object(file: Path) -> dict[str, Any]:
    """Of a JSON file; empty where there is none."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return told if isinstance(told, dict) else {}
