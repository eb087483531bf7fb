"""The order in which everything comes up, each part seen ready before the next one needs it.

what stands outside   store, consensus, queue, partners, ingress, keeper (it makes the filestore)
databases             a leader and a standby that streams
replicas              the first one installs the schema; the ingress routes both
a base backup         the first one, gated like every other
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path

from harness.errors import NotReady, PeakdrillError, PlatformError
from harness.inputs.containers_file import ODOO, ContainersOptions
from harness.platforms.containers import (
    clearing,
    daemon,
    databases,
    foreign,
    images,
    names,
    own_database,
    own_ingress,
    parts,
    ready,
    secret_files,
    state,
    whole,
)
from harness.platforms.containers.platform import ContainersPlatform
from harness.platforms.containers.site import ContainersSite
from harness.platforms.containers.state import State
from harness.platforms.embedded import credentials
from harness.platforms.embedded.layout import Layout, state_home
from harness.platforms.embedded.ports import reserved_for
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import KEEPER, MEMBERS
from harness.progress import Progress

LIMIT_S = 240.0
_STAGE_S = 120.0
_POLL_S = 0.2
_TOGETHER = 4  # containers that are started at once


def up(options: ContainersOptions, progress: Progress) -> tuple[Layout, State]:
    """Start a platform and return when it is whole.

    Raises Refused before anything was started, PlatformError when a part did not come up: then
    nothing is left, and the logs are kept.
    """
    daemon.client()
    images.ensure(options, progress)
    for platform_id in clearing.clear_leftovers():
        progress.say(f"containers: removed what a start that died left: {platform_id}")
    layout = state.new_layout()
    state.make(layout)
    try:
        with reserved_for([f.name for f in fields(Ports)], dict(options.ports)) as chosen:
            now = state.claimed(layout, options, Ports(**chosen))
        now = replace(now, versions=images.versions(options))
        secret_files.write_all(layout, credentials.generate(layout))
        Start(layout, now, progress).run()
        now = _begin_for_good(layout, now, progress)
        _await_whole(layout, now, progress)
        now = replace(now, phase=state.UP)
        state.save(layout, now)
    except BaseException as error:
        kept = _keep_logs(layout)
        clearing.remove(layout)
        if isinstance(error, PlatformError) and kept:
            raise type(error)(error.what, next_step=f"the logs are in {kept}") from error
        raise
    return layout, now


@dataclass
class Start:
    """One start of one platform."""

    layout: Layout
    state: State
    progress: Progress

    def run(self) -> None:
        """Returns when every container does its work. Raises PlatformError."""
        self.progress.phase("containers: starting", LIMIT_S)
        self._network()
        if not self.state.options.ingress.is_role:
            own_ingress.write_first(self.layout, self.state.options)
        self._start([KEEPER])  # the image that makes the filestore's folder is the first to see it
        self._start([part for part in names.SUPPORT if part != KEEPER])
        self._ready(names.SUPPORT)
        self.progress.phase("containers: the databases", _STAGE_S)
        self._databases()
        limit_s = self.state.options.application.ready_within_s
        self.progress.phase("containers: the application", limit_s)
        self._application()

    def _databases(self) -> None:
        options, asked = self.state.options, databases.of(self.site)
        if options.database.is_role:
            self._start(MEMBERS)
            self._ready(MEMBERS)
            self._await("a database that takes writes", lambda: asked.leader() is not None)
            return
        for member in MEMBERS:  # the second one may be copied from the first
            self._start([member])
            self._ready([member])
            if member == MEMBERS[0]:
                secrets = credentials.load(self.layout)
                own_database.furnish(self.layout, self.state.ports.pg(member), secrets)

    def _application(self) -> None:
        asked = self.state.options.application
        if not asked.is_role:
            foreign.open_filestore(self.site)
        install = parts.install_of(self.layout, self.state)
        if install is not None:
            self.progress.phase("containers: application.install", asked.ready_within_s)
            words = tuple(asdict(credentials.load(self.layout)).values())
            foreign.run_to_its_end(self.state, install, self._labels(), words)
            self.progress.phase("containers: the application", asked.ready_within_s)
        self._start(names.REPLICAS)
        self._ready(names.REPLICAS, asked.ready_within_s)

    @property
    def site(self) -> ContainersSite:
        return ContainersSite(self.layout, self.state.ports)

    def _network(self) -> None:
        name = names.network(self.state.platform_id)
        with daemon.asking("making a network"):
            daemon.client().networks.create(name, driver="bridge", labels=self._labels())

    def _start(self, which: Sequence[str]) -> None:
        with ThreadPoolExecutor(max_workers=_TOGETHER) as pool:
            started = [
                pool.submit(
                    parts.start,
                    self.state,
                    parts.part_of(self.layout, self.state, name),
                    self._labels(),
                )
                for name in which
            ]
        for each in started:
            each.result()

    def _ready(self, which: Sequence[str], within_s: float = _STAGE_S) -> None:
        for name in which:
            self._await(name, partial(ready.is_ready, self.site, name), within_s)

    def _await(self, what: str, look: Callable[[], bool], within_s: float = _STAGE_S) -> None:
        deadline = time.monotonic() + within_s
        while not look():
            self._refuse_the_ended()
            if time.monotonic() >= deadline:
                raise NotReady(f"{what} was not ready within {within_s:g} s")
            time.sleep(_POLL_S)

    def _refuse_the_ended(self) -> None:
        """One whose image cannot even begin is told at once, by its own last words."""
        for name in names.ALL:
            told = daemon.failed_to_begin(self.site.container(name))
            if told:
                raise PlatformError(f"{name} ended as soon as it began: {told}")

    def _labels(self) -> dict[str, str]:
        return names.labels(self.state.platform_id, self.layout.root, self.state.starter)


def _begin_for_good(layout: Layout, now: State, progress: Progress) -> State:
    """A first base backup, where ours takes one; and an Odoo says what it is."""
    state.save(layout, now)
    platform = ContainersPlatform(layout)
    if platform.backups is not None:
        progress.phase("containers: the first base backup", _STAGE_S)
        platform.backups.take()
        now = state.load(layout)
    if now.options.application.kind == ODOO:
        progress.phase("containers: asking the Odoo what it is", _STAGE_S)
        told = foreign.ask_odoo(layout.root, platform.endpoints())
        progress.say(f"containers: the application is Odoo {told}")
    return now


def _await_whole(layout: Layout, now: State, progress: Progress) -> None:
    """What every drill asks for before it begins."""
    progress.phase("containers: becoming redundant", _STAGE_S)
    deadline = time.monotonic() + _STAGE_S
    while not (seen := whole.look(layout, now)).whole:
        if time.monotonic() >= deadline:
            raise NotReady(f"the platform did not become whole: {'; '.join(seen.missing)}")
        time.sleep(_POLL_S)


def _keep_logs(layout: Layout) -> Path | None:
    """What every container said, of the last start that failed. They hold no secret."""
    kept = state_home() / "last-failure"
    site = ContainersSite(layout, _NO_DOORS)
    try:
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True, mode=0o700)
        for name in names.ALL:
            with suppress(PeakdrillError):
                (kept / f"{name}.log").write_text(site.logs(name), encoding="utf-8")
    except OSError:
        return None
    return kept if any(kept.iterdir()) else None


_NO_DOORS = Ports(*(0 for _ in fields(Ports)))
