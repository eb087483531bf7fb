"""Web sessions in files, as Odoo keeps them: apart from the database, lost apart from it."""

from __future__ import annotations

import contextlib
import json
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Sessions:
    """A file a session, beside the filestore, so that both replicas see it."""

    def __init__(self, filestore: Path) -> None:
        self._folder = filestore.parent / f"{filestore.name}-sessions"

    def begin(self, uid: int) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        session_id = secrets.token_urlsafe(32).replace("-", "a").replace("_", "b")
        draft = self._folder / f".{session_id}"
        draft.write_text(json.dumps({"uid": uid}), encoding="utf-8")
        draft.replace(self._folder / session_id)
        return session_id

    def uid(self, session_id: str) -> int | None:
        if not session_id.isalnum():
            return None
        try:
            return int(json.loads((self._folder / session_id).read_text(encoding="utf-8"))["uid"])
        except (OSError, ValueError, KeyError):
            return None

    def end(self, session_id: str) -> None:
        if session_id.isalnum():
            with contextlib.suppress(OSError):
                (self._folder / session_id).unlink()
