"""A second environment of containers: a network, volumes and containers of its own.

The store, the doors and the partners move over: off the old network, on to the new one, started
anew. The old consensus is ended last of all: while one runs, nobody takes the platform for a
leftover.
"""

from __future__ import annotations

import secrets as random_words
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial

from harness.errors import NotReady, PlatformError
from harness.platforms.containers import (
    commands,
    daemon,
    in_common,
    names,
    parts,
    ready,
    secret_files,
    state,
)
from harness.platforms.containers.site import ContainersSite
from harness.platforms.containers.state import State
from harness.platforms.embedded import credentials
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.ports import reserved_for
from harness.platforms.reference import member_agent
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.rooms import MOUNTED, Serving
from harness.platforms.reference.site import KEEPER, MEMBERS, QUEUE

_OWN = ("pg_0", "pg_1", "patroni_0", "patroni_1", "queue", "application")
_FIRST = (names.CONSENSUS, QUEUE, KEEPER)  # in a new environment
_STILL = (*MEMBERS, *names.REPLICAS, QUEUE, KEEPER)  # what ends first of the old one
_STOP_S, _OUTSIDE_STOP_S = 40, 10
_STAGE_S, _POLL_S = 60.0, 0.2
_WITNESS = "witness"


@dataclass(frozen=True, slots=True)
class ContainerRooms:
    """Of one platform; `base` is its original environment."""

    base: Layout

    def serving(self) -> Serving:
        now = self._state
        return Serving(now.environment, now.ports, now.asked)

    def site(self, environment: str, ports: Ports) -> ContainersSite:
        return ContainersSite(Layout(self.base.root, environment), ports)

    def queue_port(self, environment: str, ports: Ports) -> int:  # noqa: ARG002  it is published
        return _published(ports.queue, QUEUE)

    def application_port(self, environment: str, ports: Ports) -> int:  # noqa: ARG002
        return _published(ports.application, names.REPLICAS[0])

    def stand_still(self) -> None:
        self._stop([names.container(self._id, name) for name in _STILL])

    def look_into(self, volume: str, words: Sequence[str], *, within_s: float) -> bytes:
        """On no network, as nobody in particular, and able to write nothing."""
        now, found = self._state, daemon.client()
        name = f"{names.container(self._id, _WITNESS)}-{random_words.token_hex(4)}"
        mounted = {names.volume(self._id, volume): {"bind": MOUNTED, "mode": "ro"}}
        with daemon.asking(f"looking into the volume {volume}"):
            container = found.containers.run(
                now.options.images.keeper, entrypoint=["sleep"], command=[f"{within_s + 60:g}"],
                name=name, detach=True, network_mode="none", user=parts.USER, cap_drop=["ALL"],
                security_opt=["no-new-privileges"], volumes=mounted, read_only=True,
                labels={**self._labels(now), names.PART: _WITNESS},
            )  # fmt: skip
        try:
            return commands.run(name, words, within_s=within_s)
        finally:
            with daemon.asking(f"removing {name}"):
                container.remove(force=True)

    def furnish(self, environment: str) -> Ports:
        layout, now = Layout(self.base.root, environment), self._state
        state.make(layout)
        ports = self._ports(layout, now)
        theirs = replace(now, environment=environment, ports=ports)
        secret_files.write_all(layout, credentials.load(layout))
        self._network(theirs)
        with ThreadPoolExecutor(max_workers=len(names.OUTSIDE)) as pool:
            list(pool.map(lambda name: self._move(name, theirs), names.OUTSIDE))
        self._begin([KEEPER], layout, theirs)  # it makes the filestore's folder
        self._begin([*_FIRST, *MEMBERS, *names.REPLICAS], layout, theirs)
        site = self.site(environment, ports)
        for name in (*names.OUTSIDE, *_FIRST):
            _await(name, partial(ready.is_ready, site, name))
        for member in MEMBERS:
            _await(f"{member} at a standstill", partial(_is_held, site, member))
        self._stop([names.container(self._id, names.CONSENSUS)])
        return ports

    def lead(self, environment: str) -> None:
        """The ingress is on the new network alone, so its routes' names mean the new replicas."""
        network = names.network(self._id, environment)
        for name in names.OUTSIDE:
            seen = daemon.state_of(names.container(self._id, name))
            if seen.networks != (network,):
                raise PlatformError(f"{name} is on {', '.join(seen.networks) or 'no network'}")

    def become(self, environment: str, ports: Ports, backup_id: str) -> None:
        now = self._state
        theirs = replace(now, environment=environment, ports=ports, backup_id=backup_id)
        state.save(self.base, theirs)

    def addresses(self, environment: str) -> tuple[str, ...]:
        inside = {**dict.fromkeys(MEMBERS, 5432), QUEUE: 6379}
        return tuple(
            f"{names.container(self._id, name, environment)}:{port}"
            for name, port in inside.items()
        )

    def shared(self, environment: str) -> tuple[str, ...]:
        return in_common.between(self.base, Layout(self.base.root, environment))

    @property
    def _id(self) -> str:
        return self.base.root.name

    @property
    def _state(self) -> State:
        return state.load(self.base)

    def _labels(self, now: State) -> dict[str, str]:
        return names.labels(now.platform_id, self.base.root, now.starter)

    def _ports(self, layout: Layout, now: State) -> Ports:
        """Those of the doors stay; the others are chosen once, and kept."""
        file = layout.home / "ports.json"
        if file.exists():
            return state.read_ports(file)
        kept = {f.name: getattr(now.ports, f.name) for f in fields(Ports) if f.name not in _OWN}
        with reserved_for(_OWN, {}) as chosen:
            ports = Ports(**kept, **chosen)
        state.write_ports(file, ports)
        return ports

    def _network(self, theirs: State) -> None:
        name, found = names.network(self._id, theirs.environment), daemon.client()
        with daemon.asking("making a network"):
            if not found.networks.list(names=[f"^{name}$"]):
                found.networks.create(name, driver="bridge", labels=self._labels(theirs))

    def _move(self, name: str, theirs: State) -> None:
        """Off the old network, and started anew with the secrets of now."""
        container, found = names.container(self._id, name), daemon.client()
        old, new = names.network(self._id), names.network(self._id, theirs.environment)
        with daemon.asking(f"moving {name} to the new environment"):
            found.containers.get(container).stop(timeout=_OUTSIDE_STOP_S)
            there = daemon.state_of(container).networks
            if new not in there:
                found.networks.get(new).connect(container, aliases=[name])
            if old in there:
                found.networks.get(old).disconnect(container, force=True)
            found.api.start(container)

    def _begin(self, which: Sequence[str], layout: Layout, theirs: State) -> None:
        """Those that are not there are made; those that do not run are started."""

        def begin(name: str) -> None:
            from docker.errors import NotFound

            container = names.container(self._id, name, theirs.environment)
            try:
                with daemon.asking(f"starting {name}"):
                    try:
                        daemon.client().api.start(container)  # harmless where it runs
                    except NotFound:
                        part = parts.part_of(layout, theirs, name)
                        parts.start(theirs, part, self._labels(theirs))
            except PlatformError as error:
                raise PlatformError(f"{name} of the new environment: {error.what}") from error

        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(begin, which))

    def _stop(self, containers: Sequence[str]) -> None:
        """All at once; returns when the daemon says that none of them runs."""

        def stop(container: str) -> None:
            if daemon.state_of(container).running:
                with daemon.asking(f"ending {container}"):
                    daemon.client().containers.get(container).stop(timeout=_STOP_S)

        with ThreadPoolExecutor(max_workers=len(containers)) as pool:
            list(pool.map(stop, containers))
        if left := [name for name in containers if daemon.state_of(name).running]:
            raise PlatformError(f"{', '.join(left)} runs on, although it was ended")


def _is_held(site: ContainersSite, member: str) -> bool:
    try:
        return member_agent.is_held(site, member)
    except PlatformError:  # it is just starting
        return False


def _published(port: int, name: str) -> int:
    if not port:
        raise PlatformError(
            f"{name} has no port on this machine beside its door",
            next_step="peakdrill platform down, then up: the platform is of an older version",
        )
    return port


def _await(what: str, look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _STAGE_S
    while not look():
        if time.monotonic() >= deadline:
            raise NotReady(f"{what} of the new environment was not ready within {_STAGE_S:g} s")
        time.sleep(_POLL_S)
