"""The life of an embedded platform: up, attach, find, remove."""

from __future__ import annotations

import contextlib
import os
import secrets as random_words
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from harness.errors import NotReady, PeakdrillError, PlatformError, Refused
from harness.platforms.capabilities import Wholeness
from harness.platforms.embedded import (
    credentials,
    namespace,
    parts,
    ports,
    process,
    programs,
    whole,
)
from harness.platforms.embedded.blueprint import Blueprint, Commands
from harness.platforms.embedded.layout import (
    ALL_NODES,
    LEADER_TTL_S,
    SUPPORT_NODE,
    Layout,
    Options,
    State,
    boot_id,
    load_state,
    save_state,
    state_home,
)
from harness.platforms.embedded.node import Node
from harness.platforms.embedded.start import Start
from harness.platforms.embedded.waiting import await_ready
from harness.progress import Progress, Silent

_NEEDED_BYTES = 1 << 30
_UNPRIVILEGED_PORT = 1024
_WHOLE_S = 60.0


class Asked(TypedDict, total=False):
    """What `up` can be asked for."""

    synchronous: bool
    dialect: int
    leader_ttl_s: int
    fresh: bool
    ingress_port: int | None
    commands: Commands | None
    progress: Progress | None


def up(
    directory: Path | None = None,
    *,
    synchronous: bool = True,
    dialect: int = 19,
    leader_ttl_s: int = LEADER_TTL_S,
    fresh: bool = False,
    ingress_port: int | None = None,
    commands: Commands | None = None,
    progress: Progress | None = None,
) -> tuple[Layout, State]:
    """Start a platform in a folder of its own and return when it is whole.

    Raises Refused before anything was started, PlatformError when a part did not come up (then
    nothing is left running, and the logs are kept).
    """
    telling = progress or Silent()
    namespace.check()
    programs.check()
    layout = Layout((directory or _new_folder()).absolute())
    _refuse_where_occupied(layout)
    _refuse_when_full(layout.root)
    options = Options(synchronous=synchronous, dialect=dialect, leader_ttl_s=leader_ttl_s)
    asked_port = ingress_port or _port_from_environment()
    if asked_port is not None and asked_port < _UNPRIVILEGED_PORT:
        raise Refused(
            f"port {asked_port} is reserved for root, and a platform's parts are not root",
            next_step=f"{_UNPRIVILEGED_PORT} to 65535",
        )
    try:
        with ports.reserved(asked_port) as chosen:
            state = _claim(layout, options, dict(chosen))
        plan = Blueprint(
            layout, state.ports, credentials.generate(layout), options, commands or Commands()
        )
        starting = Start(plan, telling, fresh)
        starting.run()
        state = replace(state, phase="up", backup_id=starting.backup_id)
        _await_whole(layout, state, plan.secrets)
        save_state(layout, state)
    except BaseException as error:
        kept = _keep_logs(layout)
        remove(layout)
        if isinstance(error, PlatformError) and kept:
            raise type(error)(error.what, next_step=f"the logs are in {kept}") from error
        raise
    return layout, state


def attach(directory: Path) -> tuple[Layout, State]:
    """The platform in a folder. Raises Refused where there is none that lives."""
    layout = Layout(directory.absolute())
    state = load_state(layout)
    if _is_stale(layout, state):
        raise Refused(
            f"the platform in {directory} is not running any more",
            next_step="peakdrill platform down, then up",
        )
    return layout, state


def find() -> tuple[Layout, State] | None:
    """The platform that is up, None when there is none. What a crash left behind is cleared."""
    for layout, state in _all():
        if _is_stale(layout, state):
            remove(layout)
        elif state.phase == "up":
            return layout, state
    return None


def remove(layout: Layout) -> None:
    """Kill every node that lives, all at once, then delete the folder."""
    every = (*layout.root.glob("nodes/*"), *layout.root.glob("*/nodes/*"))  # clean rooms too
    nodes = [Node(folder.name, folder) for folder in sorted(every) if folder.is_dir()]
    with ThreadPoolExecutor(max_workers=len(ALL_NODES)) as pool:
        list(pool.map(Node.kill, nodes))
    deadline = time.monotonic() + 10.0
    while layout.root.exists():
        shutil.rmtree(layout.root, ignore_errors=True)
        if layout.root.exists() and time.monotonic() > deadline:
            raise PlatformError(f"{layout.root} cannot be removed", next_step="delete it by hand")


def _await_whole(layout: Layout, state: State, known: credentials.Secrets) -> None:
    """What every drill asks for before it begins, asked once more over all parts together."""
    last: Wholeness | None = None

    def look() -> bool:
        nonlocal last
        last = whole.look(layout, state, known)
        return last.whole

    try:
        await_ready("the platform", look, within_s=_WHOLE_S)
    except NotReady as error:
        gaps = "; ".join(last.missing) if last else "unknown"
        raise NotReady(f"the platform did not become whole: {gaps}") from error


def _new_folder() -> Path:
    name = f"embedded-{random_words.token_hex(3)}"
    return state_home() / "platforms" / name


def _claim(layout: Layout, options: Options, chosen: dict[str, int]) -> State:
    """From here on the folder says whose it is, so a crash leaves nothing that nobody clears."""
    layout.make()
    us = process.identify(os.getpid())
    state = State(
        platform_id=layout.root.name,
        boot_id=boot_id(),
        starter_pid=os.getpid(),
        starter_ticks=us.start_ticks if us else 0,
        phase="starting",
        options=options,
        ports=chosen,
    )
    save_state(layout, state)
    return state


def _is_stale(layout: Layout, state: State) -> bool:
    """Nobody is starting it, and the node that is never killed is dead."""
    if state.boot_id != boot_id():
        return True
    if state.phase == "starting":
        starter = process.ProcessId(state.starter_pid, state.starter_ticks)
        return not process.is_alive(starter)
    return parts.node_of(layout, SUPPORT_NODE).is_dead()


def _all() -> list[tuple[Layout, State]]:
    found = []
    folder = state_home() / "platforms"
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        layout = Layout(place)
        with contextlib.suppress(PeakdrillError):
            found.append((layout, load_state(layout)))
    return found


def _refuse_where_occupied(layout: Layout) -> None:
    """A live platform is never replaced; what a crash left is."""
    if not layout.root.exists():
        return
    if not layout.state_file.exists():
        if any(layout.root.iterdir()):
            raise Refused(f"{layout.root} is not empty", next_step="choose another folder")
        return
    if not _is_stale(layout, load_state(layout)):
        raise Refused(
            f"a platform is up in {layout.root}",
            next_step="peakdrill platform status, or peakdrill platform down",
        )
    remove(layout)


def _refuse_when_full(root: Path) -> None:
    place = root
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        raise Refused(f"{place} cannot be written", next_step="set PEAKDRILL_HOME to a folder")
    free = shutil.disk_usage(place).free
    if free < _NEEDED_BYTES:
        raise Refused(
            f"only {free >> 20} MiB are free under {place}; a platform needs 1024",
            next_step="make room, or set PEAKDRILL_HOME to another disk",
        )


def _port_from_environment() -> int | None:
    """PEAKDRILL_PORT fixes the ingress's port for those who need to know it beforehand."""
    asked = os.environ.get("PEAKDRILL_PORT", "")
    if not asked:
        return None
    if not asked.isdigit() or not 0 < int(asked) < 65_536:
        raise Refused(f"PEAKDRILL_PORT is {asked!r}, which is no port", next_step="1 to 65535")
    return int(asked)


def _keep_logs(layout: Layout) -> Path | None:
    """The logs of the last start that failed; they hold no secret."""
    kept = state_home() / "last-failure"
    if not layout.logs.is_dir():
        return None
    try:
        shutil.rmtree(kept, ignore_errors=True)
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copytree(layout.logs, kept)
    except OSError:
        return None
    return kept
