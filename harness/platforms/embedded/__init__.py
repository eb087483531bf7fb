"""The embedded platform: a whole retail stack as real processes on one Linux machine.

etcd, two Patroni/PostgreSQL nodes, S3 with object lock, Traefik, Valkey, two application replicas
and the integration partners, in three nodes. A node is a pid namespace: its processes die together.

    layout, options      where things lie, and what was asked for
    programs, ports      what this machine offers
    process, namespace   pids that cannot be mistaken, and the namespace that dies as one
    node, node_init      a node: launched, killed, stopped; its process 1
    etcd .. application  one file a part: how it is configured and when it is ready
    snapshot, start      the seeded database, and the order in which everything comes up
    sealing .. reach     backups: sealed, stored, restored, measured; the mirror of the documents
    nodes, database, backups, whole, status, platform   what the drill sees

May not live here: a fault, a judgement, anything that knows a scenario.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.platforms.embedded.platform import EmbeddedPlatform, attach, find, up

__all__ = ["EmbeddedPlatform", "attach", "find", "up"]


def __getattr__(name: str) -> Any:
    """Lazy: the platform's own small processes import from this package too."""
    if name not in __all__:
        raise AttributeError(name)
    from harness.platforms.embedded import platform

    return getattr(platform, name)
