"""Who is calling: passwords and keys, checked against the database, remembered for moments."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shop.audit import AuditLog, Credential
from shop.business.methods import User
from shop.credentials import key_index, verify_secret
from shop.database.session import Session, run
from shop.errors import AccessDenied, missing

if TYPE_CHECKING:
    from shop.database.pool import Pool

REMEMBER_S = 2.0
KEYS = (
    "SELECT k.user_id, k.key FROM res_users_apikeys k WHERE k.index = %s"
    " AND (k.expiration_date IS NULL OR k.expiration_date > now() AT TIME ZONE 'UTC')"
)
SELECT = "SELECT u.id, u.login, u.groups, u.password FROM res_users u WHERE u.active AND "


@dataclass(frozen=True, slots=True)
class Known:
    user: User
    credential: Credential
    until_s: float


class Users:
    """Checks are repeated every two seconds, so that a rotated secret stops working soon."""

    def __init__(self, pool: Pool, audit: AuditLog) -> None:
        self._pool = pool
        self._audit = audit
        self._known: dict[tuple[object, str], Known] = {}

    def forget(self) -> None:
        """Check everybody anew."""
        self._known.clear()

    async def authenticate(self, login: str, password: str) -> User | None:
        """The user of a login and a password, None when they do not fit."""
        for row in await self._rows(SELECT + "u.login = %s", login):
            if verify_secret(password, str(row[3] or "")):
                self._audit.note(Credential.PASSWORD, login, accepted=True)
                return _user(row)
        self._audit.note(Credential.PASSWORD, login, accepted=False)
        return None

    async def check(self, uid: int, password: str) -> User:
        """The user of an id and a password, as every RPC call states them."""
        known = self._recall((uid, password))
        if known:
            self._audit.note(known.credential, known.user.login, accepted=True)
            return known.user
        rows = await self._rows(SELECT + "u.id = %s::int4", uid)
        if not rows:
            raise missing("res.users", uid, uid)
        user, credential = _user(rows[0]), Credential.PASSWORD
        if not verify_secret(password, str(rows[0][3] or "")):
            if await self._key_owner(password) != uid:
                self._audit.note(credential, user.login, accepted=False)
                raise AccessDenied
            credential = Credential.API_KEY
        self._audit.note(credential, user.login, accepted=True)
        return self._remember((uid, password), user, credential)

    async def by_key(self, key: str) -> User | None:
        """The user of an API key."""
        known = self._recall(("key", key))
        if known:
            self._audit.note(known.credential, known.user.login, accepted=True)
            return known.user
        uid = await self._key_owner(key)
        rows = [] if uid is None else await self._rows(SELECT + "u.id = %s::int4", uid)
        if not rows:
            self._audit.note(Credential.API_KEY, "", accepted=False)
            return None
        user = _user(rows[0])
        self._audit.note(Credential.API_KEY, user.login, accepted=True)
        return self._remember(("key", key), user, Credential.API_KEY)

    async def by_id(self, uid: int) -> User:
        """The user of a session, which was checked when it began."""
        known = self._recall(("session", str(uid)))
        if known:
            return known.user
        rows = await self._rows(SELECT + "u.id = %s::int4", uid)
        if not rows:
            raise missing("res.users", uid, uid)
        return self._remember(("session", str(uid)), _user(rows[0]), Credential.SESSION)

    async def _key_owner(self, key: str) -> int | None:
        rows = await self._rows(KEYS, key_index(key))
        for owner, stored in rows:
            if verify_secret(key, str(stored)):
                return int(str(owner))
        return None

    async def _rows(self, sql: str, value: object) -> list[tuple[object, ...]]:
        async def work(session: Session) -> list[tuple[object, ...]]:
            return await session.rows(sql, [value])

        return await run(self._pool, work, atomic=False)

    def _recall(self, key: tuple[object, str]) -> Known | None:
        known = self._known.get(key)
        return known if known and known.until_s > time.monotonic() else None

    def _remember(self, key: tuple[object, str], user: User, credential: Credential) -> User:
        if len(self._known) > 256:
            self._known.clear()
        self._known[key] = Known(user, credential, time.monotonic() + REMEMBER_S)
        return user


def _user(row: tuple[object, ...]) -> User:
    return User(int(str(row[0])), str(row[1]), frozenset(str(row[2] or "").split()))
