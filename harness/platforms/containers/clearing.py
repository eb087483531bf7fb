"""Removal by label: of one platform, and of whatever a starter left that died.

A name is not enough. What bears our label, and whose folder and starter mean something to this
process, is ours to judge; everything else on this Docker is somebody else's.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import PlatformError
from harness.platforms.containers import daemon, names, state
from harness.platforms.embedded.layout import STATE_FILE, Layout, boot_id
from harness.platforms.embedded.process import ProcessId, is_alive

if TYPE_CHECKING:
    from docker import DockerClient

_GONE_S = 60.0
_MAKING_S = 600.0
_POLL_S = 0.2
_DRILL_LOCK = "drill.lock"


def remove(layout: Layout) -> None:
    """Containers, volumes, network, then the folder. Harmless when they are gone."""
    remove_labelled(layout.root.name)
    deadline = time.monotonic() + _GONE_S
    while layout.root.exists():
        shutil.rmtree(layout.root, ignore_errors=True)
        if layout.root.exists() and time.monotonic() > deadline:
            raise PlatformError(f"{layout.root} cannot be removed", next_step="delete it by hand")


def remove_labelled(platform_id: str) -> None:
    """All that bears a platform's label; observed gone. Raises PlatformError."""
    found = daemon.client()
    chosen = {"label": f"{names.PLATFORM}={platform_id}"}
    deadline = time.monotonic() + _GONE_S
    while True:
        try:
            left = _remove_once(found, chosen)
        except PlatformError:
            if time.monotonic() > deadline:
                raise
            left = 1
        if not left:
            return
        if time.monotonic() > deadline:
            raise PlatformError(
                f"containers of platform {platform_id} are not gone after {_GONE_S:g} s",
                next_step=f"docker rm -f -v what `docker ps -a --filter "
                f"label={names.PLATFORM}={platform_id}` shows",
            )
        time.sleep(_POLL_S)


def _remove_once(found: DockerClient, chosen: dict[str, str]) -> int:
    """How many things there still were."""
    from docker.errors import NotFound

    with daemon.asking("removing containers by their label"):
        containers = found.containers.list(all=True, filters=chosen, ignore_removed=True)
        for container in containers:
            with contextlib.suppress(NotFound):
                if container.status == "paused":
                    container.unpause()  # a frozen process does not die of SIGKILL everywhere
                container.remove(force=True, v=True)
        volumes = found.volumes.list(filters=chosen)
        for volume in volumes:
            with contextlib.suppress(NotFound):
                volume.remove(force=True)
        networks = found.networks.list(filters=chosen)
        for network in networks:
            with contextlib.suppress(NotFound):
                network.remove()
    return len(containers) + len(volumes) + len(networks)


def clear_leftovers() -> tuple[str, ...]:
    """What starters left that died: by the folders that are kept, and by labels without one.

    Returns the ids of the platforms that were removed.
    """
    cleared = []
    for layout, kept in state.known():
        if is_drilled(layout):
            continue
        if _is_forsaken(layout) if kept is None else is_stale(kept):
            remove(layout)
            cleared.append(layout.root.name)
    for platform_id in sorted(_orphans() - set(cleared)):
        remove_labelled(platform_id)
        cleared.append(platform_id)
    return tuple(cleared)


def is_drilled(layout: Layout) -> bool:
    """By a drill that lives (harness/tenancy/lock.py). What it broke, also by an accident, is its
    own: whoever took that for a leftover would end the drill, and its undo with it.
    """
    try:
        fd = os.open(layout.root / _DRILL_LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False  # nobody ever drilled it
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def is_stale(kept: state.State) -> bool:
    """Nobody is starting it, and what is never killed does not run: of a boot that is over, too."""
    if kept.phase == state.STARTING:
        return not state.starter_lives(kept)
    if kept.boot_id != boot_id():
        return True
    found = daemon.client()
    chosen = {"label": [f"{names.PLATFORM}={kept.platform_id}", f"{names.PART}={names.CONSENSUS}"]}
    with daemon.asking(f"the platform {kept.platform_id}"):
        return not found.containers.list(filters=chosen, ignore_removed=True)


def _is_forsaken(layout: Layout) -> bool:
    """A folder that says nothing, and that nobody is just making."""
    try:
        return time.time() - layout.root.stat().st_mtime > _MAKING_S
    except FileNotFoundError:
        return False


def _orphans() -> set[str]:
    """Platforms whose folder is gone, and their starter too, as this process can tell."""
    found = daemon.client()
    with daemon.asking("containers that bear our label"):
        labelled = [
            item.labels
            for item in found.containers.list(
                all=True, filters={"label": names.PLATFORM}, ignore_removed=True
            )
        ]
        labelled += [
            item.attrs.get("Labels") or {}
            for item in (
                *found.volumes.list(filters={"label": names.PLATFORM}),
                *found.networks.list(filters={"label": names.PLATFORM}),
            )
        ]
    return {labels[names.PLATFORM] for labels in labelled if _is_orphan(labels)}


def _is_orphan(labels: dict[str, str]) -> bool:
    if labels.get(names.SEEN_FROM) != names.seen_from() or not labels.get(names.DIRECTORY):
        return False  # a path and a pid of another place say nothing here
    return not (Path(labels[names.DIRECTORY]) / STATE_FILE).exists() and not _lives(
        labels.get(names.STARTER, "")
    )


def _lives(starter: str) -> bool:
    """A starter whose label cannot be read may live: nothing of it is touched."""
    try:
        boot, pid, ticks = starter.split()
        return boot == boot_id() and is_alive(ProcessId(int(pid), int(ticks)))
    except ValueError:
        return True
