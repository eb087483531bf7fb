"""What renewing any class of credentials needs: the new secrets, the former ones, who is to know.

A class is renewed in the order that costs least: the new secret is taken by the component that
checks it, then told to those who use it, and only then are sessions made with the old one ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.platforms.embedded.cluster import DatabaseNode
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.database import PatroniDatabase
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.shown import Shown

CLIENTS_READ_S = 0.15  # customers' programs look at their files every tenth of a second
_REPLICA_S = 30.0

Key = tuple[str, str]  # an access key's id, and its secret


class Replica(Protocol):
    """One replica of the application, asked by itself. None: it cannot tell."""

    @property
    def name(self) -> str: ...
    def serves(self) -> bool: ...
    def lets_in(self, password: str) -> bool | None:
        """Whether it takes the administrator's password or key."""

    def lets_in_by_key(self, key: str) -> bool | None:
        """The same by a bearer's key: since version 19, and a way of its own."""

    def log_in(self, password: str) -> str | None:
        """The id of a new web session of the administrator; None when none was begun."""

    def has_ended_session(self, session_id: str) -> bool:
        """Whether it refuses a web session, by its own word."""


class Stack(Protocol):
    """A platform's components, as far as a secret concerns them. Raises PlatformError."""

    @property
    def layout(self) -> Layout:
        """Of the environment that serves."""

    @property
    def ports(self) -> Mapping[str, int]:
        """`ingress`, `queue_door` and `s3`: where a thief would come."""

    @property
    def queue_port(self) -> int:
        """Where the queue is administered."""

    @property
    def dialect(self) -> int: ...
    @property
    def database(self) -> PatroniDatabase: ...
    def live_databases(self) -> tuple[DatabaseNode, ...]:
        """Those that are to be asked; a dead one learns of everything when it comes back."""

    def live_replicas(self) -> tuple[Replica, ...]:
        """Those that are to be asked; a dead one reads its configuration when it starts."""

    def write_files(self, secrets: Secrets) -> None:
        """To all who are pointed to a file, customers' programs among them."""

    def tell_replicas(self, secrets: Secrets) -> None:
        """They read it at once, and forget whom they had let in."""

    def renew(self, what: str, secrets: Secrets, *, held: int) -> None:
        """`password` or `api-key` into the application's database, or all `sessions` ended."""

    def keep_queue(self, secrets: Secrets) -> None:
        """What the queue reads at its next start; a running one is told by CONFIG SET."""

    def offer_store_keys(self, keys: Sequence[Key]) -> None:
        """From now on these are the archive's keys at the store, and no others. Repeatable."""

    def shown(self) -> Iterator[Shown]:
        """What its parts show to whoever may look, where that is not on this machine."""

    def tell_archive(self, secrets: Secrets) -> None:
        """Whoever writes to the store signs with the new key from now on."""


@dataclass(frozen=True, slots=True, repr=False)
class Renewal:
    """One renewal under way."""

    stack: Stack
    secrets: Secrets  # the new ones
    former: Mapping[str, tuple[str, ...]]  # by field of Secrets, oldest first
    held: int  # a descriptor that keeps the next renewal waiting

    def __repr__(self) -> str:
        return "Renewal(...)"

    def old(self, field: str) -> str:
        """The secret that was replaced, "" where there was none."""
        return self.former.get(field, ("",))[-1]

    def write_files(self) -> None:
        self.stack.write_files(self.secrets)

    def tell_replicas(self) -> None:
        self.stack.tell_replicas(self.secrets)

    def renew(self, what: str) -> None:
        self.stack.renew(what, self.secrets, held=self.held)

    def await_replicas(self) -> None:
        for replica in self.stack.live_replicas():
            await_ready(
                f"{replica.name}, with the new secret,",
                replica.serves,
                within_s=_REPLICA_S,
                next_step=f"see the log of {replica.name}",
            )

    def await_password(self, new: str, old: str, lets_in: LetsIn) -> None:
        """Every live replica takes the one and refuses the other, in this way.

        A replica remembers for each way of its own whom it let in there.
        """
        for replica in self.stack.live_replicas():

            def settled(replica: Replica = replica) -> bool:
                if lets_in(replica, new) is not True:
                    return False
                return not old or lets_in(replica, old) is False

            await_ready(
                f"{replica.name}, with the new secret alone,",
                settled,
                within_s=_REPLICA_S,
                next_step=f"see the log of {replica.name}",
            )


LetsIn = Callable[[Replica, str], bool | None]


def pause_for_clients() -> None:
    """Nobody says when a customer's program has read its file: it is given the time it takes."""
    time.sleep(CLIENTS_READ_S)
