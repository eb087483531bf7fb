"""What our containers, volumes and networks are called, and the labels that say whose they are.

A name is fixed by the platform and the part, so that every command finds them again. Nothing
without the label is ever touched.
"""

from __future__ import annotations

from pathlib import Path

from harness.platforms.reference.site import (
    APPLICATION,
    INGRESS,
    KEEPER,
    MEMBERS,
    PARTNERS,
    QUEUE,
    STORE,
)

PLATFORM = "peakdrill.platform"  # whose
PART = "peakdrill.part"
DIRECTORY = "peakdrill.directory"  # where its state is kept
SEEN_FROM = "peakdrill.seen-from"  # in which that path and the starter's pid mean something
STARTER = "peakdrill.starter"  # boot, pid, start ticks

CONSENSUS = "consensus"
INSTALL = "install"  # runs once, and is gone before a replica starts
REPLICAS = ("application-0", "application-1")
NODES = {"a": (MEMBERS[0], REPLICAS[0]), "b": (MEMBERS[1], REPLICAS[1])}
SUPPORT = (CONSENSUS, STORE, QUEUE, PARTNERS, KEEPER, INGRESS)  # "node" c: never killed
_MOUNTS, _PIDS = Path("/proc/self/ns/mnt"), Path("/proc/self/ns/pid")
ALL = (*MEMBERS, *REPLICAS, *SUPPORT)
OUTSIDE = (STORE, INGRESS, PARTNERS)  # of every environment: there is one of each


def container(platform_id: str, part: str, environment: str = "") -> str:
    """Of the original environment, or of a clean room."""
    return f"{network(platform_id, '' if part in OUTSIDE else environment)}-{part}"


def network(platform_id: str, environment: str = "") -> str:
    return f"peakdrill-{platform_id}{f'-{environment}' if environment else ''}"


def volume(platform_id: str, what: str, environment: str = "") -> str:
    return container(platform_id, what, environment)


def containers_of(part: str) -> tuple[str, ...]:
    """The containers of a part: those of the application are two."""
    return REPLICAS if part == APPLICATION else (part,)


def seen_from() -> str:
    """Mount and pid namespace of this process: elsewhere a path or a pid is somebody else's."""
    try:
        return f"{_MOUNTS.readlink()} {_PIDS.readlink()}"
    except OSError:
        return ""


def labels(platform_id: str, directory: Path, starter: str) -> dict[str, str]:
    """On everything of a platform."""
    return {
        PLATFORM: platform_id,
        DIRECTORY: str(directory),
        SEEN_FROM: seen_from(),
        STARTER: starter,
    }
