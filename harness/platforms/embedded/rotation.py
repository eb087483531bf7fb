"""The capability `secrets`: which credentials can leak, what a thief would have, their rotation.

A rotation is written down before it begins: the new secret lies on disk before anything takes it,
and the former one is kept, so that whoever dies in the middle is taken up by the next rotation and
both can be searched for. One rotation at a time; an unfinished one is finished first.

No class here are the passwords that Patroni alone holds (superuser, replication, rewind, its REST
interface), the read-back's role, the store's administrator and the backup key: they leave node
and harness at no time, so nobody outside has one to lose. A clean environment gets new ones.
A web session that was begun with the administrator's password ends with the class of the sessions.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import psycopg
import redis

from harness.attack.leaked import Leaked, dump
from harness.errors import NotReady, PlatformError
from harness.platforms.embedded import (
    application,
    credentials,
    ingress,
    postgres,
    queue_renewal,
    renewal,
    role_renewal,
    s3,
    store_renewal,
)
from harness.platforms.embedded.admission import ADMIN_UID
from harness.platforms.embedded.credentials import ADMIN_LOGIN, Secrets
from harness.platforms.embedded.former import Former
from harness.platforms.embedded.layout import Layout, Options, write_atomically, write_private
from harness.platforms.embedded.local_stack import LocalStack
from harness.platforms.embedded.renewal import Renewal, Replica, Stack
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.shown import Shown

SESSION = "session"  # no field of Secrets: cookies that were handed out
_SESSION_S = 20.0
_BEARER_SINCE = 19


def _password(work: Renewal) -> None:
    """The database first: a customer's program that reads its file too early would be refused."""
    work.renew("password")
    work.write_files()
    renewal.pause_for_clients()
    work.tell_replicas()
    now, old = work.secrets.admin_password, work.old("admin_password")
    work.await_password(now, old, lambda replica, word: replica.lets_in(word))


def _api_key(work: Renewal) -> None:
    work.renew("api-key")
    work.write_files()
    work.tell_replicas()
    now, old = work.secrets.api_key, work.old("api_key")
    work.await_password(now, old, lambda replica, word: replica.lets_in(word))
    if work.stack.dialect >= _BEARER_SINCE:
        work.await_password(now, old, lambda replica, word: replica.lets_in_by_key(word))


def _sessions(work: Renewal) -> None:
    """Seen with a session that was begun for it, besides all that were handed out."""
    replicas = work.stack.live_replicas()
    known = [_begin_session(replicas, work.secrets), *work.former.get(SESSION, ())]
    work.renew("sessions")
    for replica in replicas:
        for session in known:
            await_ready(
                "a replica that has ended all sessions",
                partial(replica.has_ended_session, session),
                within_s=_SESSION_S,
            )


@dataclass(frozen=True, slots=True)
class Way:
    """How a class is rotated: its secrets by their names in Secrets, and what is done."""

    fields: tuple[str, ...]
    renew: Callable[[Renewal], None]


WAYS = {
    "database-role": Way(("shop",), role_renewal.renew),
    "backup-writer": Way(("s3_archive_key", "s3_archive_secret"), store_renewal.renew),
    "application-password": Way(("admin_password",), _password),
    "api-key": Way(("api_key",), _api_key),
    "session-cookie": Way((), _sessions),
    "queue": Way(("valkey",), queue_renewal.renew),
}


@dataclass(frozen=True, slots=True, repr=False)
class Intention:
    """A rotation that was begun and is not seen through yet."""

    credential: str
    values: dict[str, str]  # the new secrets, by field


class RotatedSecrets:
    """Of the environment that serves."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._layout = stack.layout
        self._former = Former(stack.layout)

    def classes(self) -> tuple[str, ...]:
        return tuple(WAYS)

    def hand_out(self, credential: str, file: Path) -> None:
        """As `harness.attack.leaked` has it. A cookie is a session begun for it, known from then
        on. Raises PlatformError.
        """
        self._known(credential)
        with self._alone():
            where, who, database, secret = self._told(credential)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(file, dump(Leaked(credential, where, who, database, secret)))

    def rotate(self, credential: str) -> None:
        """Returns when the old one was seen refused everywhere, and the new one accepted.

        May be repeated after any death: each call makes another secret, for one that a death left
        half told may have been seen by anybody. Raises PlatformError.
        """
        self._known(credential)
        with self._alone() as held:
            begun = self._begun()
            if begun is not None:
                self._carry_out(begun, held)
            self._carry_out(self._begin(credential), held)

    def known(self) -> tuple[tuple[str, str], ...]:
        """Of all environments of the platform, also what was intended and not set yet."""
        return self._former.known()

    def shown(self) -> Iterator[Shown]:
        return self._stack.shown()

    def _carry_out(self, begun: Intention, held: int) -> None:
        way, now = WAYS[begun.credential], credentials.load(self._layout)
        self._former.keep({field: getattr(now, field) for field in way.fields}, begun.values)
        new = replace(now, **begun.values)
        try:
            way.renew(Renewal(self._stack, new, self._former.read(), held))
        except (psycopg.Error, redis.RedisError) as error:
            raise PlatformError(
                f"the rotation of {begun.credential} was cut short: {type(error).__name__}",
                next_step="rotate it again: it goes on where it was",
            ) from error
        self._intention.unlink()

    def _begin(self, credential: str) -> Intention:
        made = Intention(credential, {name: credentials.draw() for name in WAYS[credential].fields})
        write_atomically(self._intention, json.dumps(asdict(made)))
        return made

    def _begun(self) -> Intention | None:
        try:
            return Intention(**json.loads(self._intention.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    @property
    def _intention(self) -> Path:
        return self._former.intention

    @contextlib.contextmanager
    def _alone(self) -> Iterator[int]:
        """The descriptor of the lock: a process that inherits it keeps the next one waiting."""
        file = self._layout.secrets / "rotation.lock"
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _told(self, credential: str) -> tuple[str, str, str, str]:
        """Where it is used, whose it is, Odoo's database, and the secret itself."""
        now, ports = credentials.load(self._layout), self._stack.ports
        door, database = ingress.url(ports), postgres.DATABASE
        if credential == "database-role":
            nodes = [("127.0.0.1", port) for port in self._stack.database.pg_ports]
            return application.address_of(nodes), role_renewal.ROLE, "", now.shop
        if credential == "backup-writer":
            return f"{s3.url(ports)}/{s3.BUCKET}", now.s3_archive_key, "", now.s3_archive_secret
        if credential == "application-password":
            return door, ADMIN_LOGIN, database, now.admin_password
        if credential == "api-key":
            return door, str(ADMIN_UID), database, now.api_key
        if credential == "queue":
            return ingress.queue_url(ports), "", "", now.valkey
        session = _begin_session(self._stack.live_replicas(), now)
        self._former.keep({SESSION: session}, {})
        return door, ADMIN_LOGIN, database, session

    def _known(self, credential: str) -> str:
        if credential not in WAYS:
            raise PlatformError(
                f"no class of credentials {credential!r} here", next_step=", ".join(WAYS)
            )
        return credential


def embedded(layout: Layout, ports: dict[str, int], options: Options) -> RotatedSecrets:
    """Of the embedded platform."""
    return RotatedSecrets(LocalStack(layout, ports, options))


def _begin_session(replicas: Sequence[Replica], known: Secrets) -> str:
    """By whichever replica answers."""
    for replica in replicas:
        session = replica.log_in(known.admin_password)
        if session:
            return session
    raise NotReady("no replica begins a session", next_step="see the logs of the application")
