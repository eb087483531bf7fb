"""Web sessions in files, as Odoo keeps them: apart from the database, lost apart from it.

Ending all of them also leaves word of the instant: a session that began before it is refused,
should its file come back out of a copy of the folder.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from typing import TYPE_CHECKING

from shop.audit import AuditLog, Credential

if TYPE_CHECKING:
    from pathlib import Path

SINCE = ".since"


class Sessions:
    """A file a session, beside the filestore, so that both replicas see it."""

    def __init__(self, filestore: Path, audit: AuditLog | None = None) -> None:
        self._folder = filestore.parent / f"{filestore.name}-sessions"
        self._audit = audit or AuditLog(None, "")

    def begin(self, uid: int) -> str:
        session_id = secrets.token_urlsafe(32).replace("-", "a").replace("_", "b")
        self._write(session_id, json.dumps({"uid": uid, "begun_s": time.time()}))
        return session_id

    def uid(self, session_id: str) -> int | None:
        """Whose it is; None when it is nobody's. What was shown is noted in the audit log."""
        if not session_id:
            return None
        uid = self._uid(session_id)
        self._audit.note(Credential.SESSION, str(uid or ""), accepted=uid is not None)
        return uid

    def end(self, session_id: str) -> None:
        if session_id.isalnum():
            with contextlib.suppress(OSError):
                (self._folder / session_id).unlink()

    def end_all(self) -> None:
        """None that began before is good for anything when this returns."""
        self._write(SINCE, json.dumps({"since_s": time.time()}))
        for path in self._folder.iterdir():
            if path.name != SINCE:
                path.unlink(missing_ok=True)

    def _uid(self, session_id: str) -> int | None:
        if not session_id.isalnum():
            return None
        try:
            told = json.loads((self._folder / session_id).read_text(encoding="utf-8"))
            return int(told["uid"]) if float(told["begun_s"]) > self._since_s() else None
        except (OSError, ValueError, KeyError):
            return None

    def _since_s(self) -> float:
        """When all sessions were ended last, in s since 1970; 0 when they never were."""
        try:
            text = (self._folder / SINCE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return 0.0
        return float(json.loads(text)["since_s"])

    def _write(self, name: str, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f".{secrets.token_hex(8)}.draft"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._folder / name)
