"""A reference stack's components, as far as a secret concerns them.

New secrets are put where the parts mount them. Nobody believes that they have arrived: each part
that reads one is asked whether it has, before anything relies on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import PlatformError
from harness.platforms.embedded import credentials
from harness.platforms.embedded.cluster import DatabaseNode
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.database import PatroniDatabase
from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.embedded.renewal import Key, Replica
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.reference.database import database
from harness.platforms.reference.inside.told import digest
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import APPLICATION, KEEPER, MEMBERS, PARTS, STORE, Site
from harness.platforms.shown import Shown

_INSIDE = ("python3", "-m", "harness.platforms.reference.inside")
_OF_REPLICAS = ("shop", "admin_password", "api_key", "valkey")
_OF_ARCHIVE = ("s3_archive_key", "s3_archive_secret")
_RENEWED = {"password": ("admin_password",), "api-key": ("api_key",), "sessions": ()}
_ANSWER_S, _RENEW_S = 20.0, 60.0
_ARRIVES_S = 120.0  # a mounted secret is refreshed within seconds, or at the next minute's look


@dataclass(frozen=True, slots=True)
class SiteReplica:
    """One replica, asked by an exec in its own container."""

    site: Site
    name: str

    def serves(self) -> bool:
        return self._ask("serves") is True

    def lets_in(self, password: str) -> bool | None:
        return _truth(self._ask("lets-in", password))

    def lets_in_by_key(self, key: str) -> bool | None:
        return _truth(self._ask("lets-in-by-key", key))

    def log_in(self, password: str) -> str | None:
        answer = self._ask("log-in", password)
        return answer if isinstance(answer, str) else None

    def has_ended_session(self, session_id: str) -> bool:
        return self._ask("has-ended-session", session_id) is True

    def _ask(self, question: str, word: str = "") -> object:
        """None where it cannot be asked: that is no refusal."""
        asked = json.dumps({"question": question, "word": word}).encode()
        try:
            told = json.loads(
                self.site.run(self.name, [*_INSIDE, "asked"], stdin=asked, within_s=_ANSWER_S)
            )
        except (PlatformError, ValueError):
            return None
        return told.get("answer") if isinstance(told, dict) else None


@dataclass(frozen=True, slots=True)
class SiteComponents:
    """Of the environment that serves; a `renewal.Stack`."""

    layout: Layout
    doors: Ports
    options: Options
    site: Site

    @property
    def ports(self) -> Mapping[str, int]:
        return self.doors.named()

    @property
    def queue_port(self) -> int:
        """Its door: whoever administers it comes by it, too."""
        return self.doors.queue_door

    @property
    def dialect(self) -> int:
        return self.options.dialect

    @property
    def database(self) -> PatroniDatabase:
        return database(self.layout, self.doors, self.options, self.site)

    def live_databases(self) -> tuple[DatabaseNode, ...]:
        return tuple(node for node in self.database.cluster if self.site.is_running(node.member))

    def live_replicas(self) -> tuple[Replica, ...]:
        return tuple(SiteReplica(self.site, name) for name in self.site.replicas(APPLICATION))

    def write_files(self, secrets: Secrets) -> None:
        credentials.write(self.layout, secrets)

    def tell_replicas(self, secrets: Secrets) -> None:
        """Returns when each that runs has written its configuration anew: it reads that at once."""
        changed = _of(secrets, _OF_REPLICAS)
        self.site.put_secrets(changed)
        self._await_told(changed, lambda: self.site.replicas(APPLICATION))

    def renew(self, what: str, secrets: Secrets, *, held: int) -> None:  # noqa: ARG002
        """By one replica. `held` ends with us; what it does meanwhile may be done twice."""
        changed = json.dumps(_of(secrets, _RENEWED[what])).encode()
        replicas = self.site.replicas(APPLICATION)
        if not replicas:
            raise PlatformError(
                f"no replica of the application runs: {what} cannot be renewed",
                next_step="wait until one serves, then rotate again",
            )
        self.site.run(replicas[0], [*_INSIDE, "renew", what], stdin=changed, within_s=_RENEW_S)

    def keep_queue(self, secrets: Secrets) -> None:
        self.site.put_secrets(_of(secrets, ("valkey",)))

    def offer_store_keys(self, keys: Sequence[Key]) -> None:
        told = json.dumps({"keys": [list(key) for key in keys]}).encode()
        self.site.run(STORE, [*_INSIDE, "keys"], stdin=told, within_s=_ANSWER_S)

    def tell_archive(self, secrets: Secrets) -> None:
        """Both members' archives, and the mirror of the documents; each reads it at every use."""
        changed = _of(secrets, _OF_ARCHIVE)
        self.site.put_secrets(changed)
        self._await_told(
            changed, lambda: [part for part in (*MEMBERS, KEEPER) if self.site.is_running(part)]
        )

    def shown(self) -> Iterator[Shown]:
        """Every container's own log, and what an exec in it sees. Raises PlatformError."""
        for part in PARTS:
            names = self.site.replicas(part)
            if not names:
                raise PlatformError(f"{part} does not run: it cannot be searched")
            for name in names:
                yield Shown("log", f"the log of {name}", self.site.logs(name).encode())
                yield from self._shown_by(name)

    def _shown_by(self, name: str) -> Iterator[Shown]:
        answer = self.site.run(name, [*_INSIDE, "shown"], within_s=_RENEW_S)
        try:
            told = json.loads(answer)
            for kind, texts in (("log", told["logs"]), ("process", told["processes"])):
                for place, text in texts.items():
                    yield Shown(kind, f"{place} in {name}", text.encode("latin-1"))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise PlatformError(f"what {name} shows cannot be understood") from error

    def _await_told(self, changed: Mapping[str, str], parts: Callable[[], Sequence[str]]) -> None:
        """Each that runs; one that comes meanwhile mounts what is there by then."""
        asked = {"digests": {name: digest(word) for name, word in changed.items()}}
        stdin = json.dumps(asked).encode()

        def heard(part: str) -> bool:
            try:
                told = json.loads(
                    self.site.run(part, [*_INSIDE, "told"], stdin=stdin, within_s=_ANSWER_S)
                )
            except (PlatformError, ValueError):  # it may be ending
                return False
            return isinstance(told, dict) and told.get("told") is True

        def everybody() -> bool:
            named = parts()
            return bool(named) and all(heard(part) for part in named)

        await_ready(
            f"everybody who reads {', '.join(changed)}",
            everybody,
            within_s=_ARRIVES_S,
            poll_s=0.2,
            next_step="see whether the parts mount the secrets of now, then rotate again",
        )


def _of(secrets: Secrets, names: Sequence[str]) -> dict[str, str]:
    return {name: getattr(secrets, name) for name in names}


def _truth(answer: object) -> bool | None:
    return answer if isinstance(answer, bool) else None
