"""The two database nodes as those outside reach them: by name, and by their doors."""

from __future__ import annotations

from dataclasses import dataclass

from harness.platforms.embedded.layout import DATABASE_NODES

_MEMBERS = {"a": "pg1", "b": "pg2"}


@dataclass(frozen=True, slots=True)
class DatabaseNode:
    """One of them."""

    name: str  # the node's
    member: str  # what Patroni calls its database
    pg_port: int
    patroni_port: int


Cluster = tuple[DatabaseNode, ...]


def member_name(node: str) -> str:
    """Of a node of the embedded platform."""
    return _MEMBERS[node]


def embedded(ports: dict[str, int]) -> Cluster:
    """Nodes a and b."""
    return tuple(node_of(ports, name) for name in DATABASE_NODES)


def node_of(ports: dict[str, int], name: str) -> DatabaseNode:
    """One of the two of the embedded platform."""
    return DatabaseNode(name, member_name(name), ports[f"pg_{name}"], ports[f"patroni_{name}"])
