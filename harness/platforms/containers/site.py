"""The place that the reference stack's capabilities are asked about: containers of this Docker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from harness.errors import NotReady, PlatformError
from harness.platforms.containers import (
    commands,
    daemon,
    names,
    own_ingress,
    ready,
    secret_files,
    state,
)
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import INGRESS, MEMBERS

_DOORS = ("python3", "-m", "harness.platforms.reference.inside", "doors")
_FORGET = (
    "from harness.platforms.embedded import etcd; etcd.delete_below({'etcd': 2379}, '/service/')"
)
_ANSWER_S = 20.0
_STOP_S = 40  # PostgreSQL is asked to stop, and archives the rest
_POLL_S = 0.2
_TAIL = 400  # lines


@dataclass(frozen=True, slots=True)
class ContainersSite:
    """One environment of one platform, by its layout."""

    layout: Layout
    ports: Ports

    def run(
        self, part: str, words: Sequence[str], *, stdin: bytes = b"", within_s: float = 60.0
    ) -> bytes:
        """In the part's container; of the application in the first that runs."""
        running = self.replicas(part)
        if not running:
            raise PlatformError(f"{part} does not run, and cannot be asked {words[0]}")
        return commands.run(self.container(running[0]), words, stdin=stdin, within_s=within_s)

    def is_running(self, part: str) -> bool:
        """Also while it is paused: then it answers nobody. See nodes.py for who stands still."""
        return any(
            daemon.state_of(self.container(name)).running for name in names.containers_of(part)
        )

    def replicas(self, part: str) -> tuple[str, ...]:
        return tuple(name for name in names.containers_of(part) if self.is_running(name))

    def put_secrets(self, changed: Mapping[str, str]) -> None:
        secret_files.put(self.layout, changed)

    def restart(self, part: str, *, within_s: float) -> None:
        """One container after the other; each is ready before the next one goes."""
        deadline = time.monotonic() + within_s
        for name in names.containers_of(part):
            with daemon.asking(f"restarting {name}"):
                daemon.client().containers.get(self.container(name)).restart(timeout=_STOP_S)
            self._await(name, partial(ready.is_ready, self, name), deadline)

    def set_doors(self, *, closed: bool, queue_closed: bool) -> None:
        if not self._has_our_ingress():
            own_ingress.set_doors(self.layout, closed=closed, queue_closed=queue_closed)
            return
        told = json.dumps({"closed": closed, "queue_closed": queue_closed}).encode()
        self.run(INGRESS, _DOORS, stdin=told, within_s=_ANSWER_S)

    def doors(self) -> tuple[bool, bool]:
        if not self._has_our_ingress():
            return own_ingress.doors(self.layout)
        answer = self.run(INGRESS, _DOORS, stdin=b"{}", within_s=_ANSWER_S)
        try:
            told = json.loads(answer)
            closed, queue_closed = told["closed"], told["queue_closed"]
        except (ValueError, KeyError, TypeError) as error:
            raise PlatformError("the ingress does not say how its doors stand") from error
        if not isinstance(closed, bool) or not isinstance(queue_closed, bool):
            raise PlatformError("the ingress does not say how its doors stand")
        return closed, queue_closed

    def logs(self, part: str) -> str:
        told = []
        for name in names.containers_of(part):
            with daemon.asking(f"the log of {name}"):
                container = daemon.client().containers.get(self.container(name))
                told.append(container.logs(tail=_TAIL).decode(errors="replace"))
        return "".join(told)

    def forget_cluster(self) -> None:
        self.run(names.CONSENSUS, ("python3", "-c", _FORGET), within_s=_ANSWER_S)

    def member_of(self, node: str) -> str:
        if node in MEMBERS:
            return node
        if node in names.NODES:
            return names.NODES[node][0]
        raise PlatformError(f"no database is on a node {node!r} here", next_step="a or b")

    def node_of(self, member: str) -> str:
        for node, parts in names.NODES.items():
            if member in parts:
                return node
        raise PlatformError(f"no node has a database {member!r}", next_step=", ".join(MEMBERS))

    def container(self, name: str) -> str:
        """As Docker knows it."""
        return names.container(self.layout.root.name, name, self.layout.environment)

    @property
    def network(self) -> str:
        """The one that its containers are on."""
        return names.network(self.layout.root.name, self.layout.environment)

    def _has_our_ingress(self) -> bool:
        return state.load(self.layout).options.ingress.is_role

    def _await(self, name: str, look: Callable[[], bool], deadline: float) -> None:
        while not look():
            if time.monotonic() >= deadline:
                raise NotReady(
                    f"{name} was not ready in time after its restart",
                    next_step=f"docker logs {self.container(name)}",
                )
            time.sleep(_POLL_S)
