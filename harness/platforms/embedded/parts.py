"""Which parts each node has: the one place where the layout of the platform is said.

Node a is pg1 and app1, node b is pg2 and app2; c is everything that a drill never kills.
"""

from __future__ import annotations

from harness.platforms.embedded import (
    application,
    archive,
    etcd,
    ingress,
    patroni,
    s3,
    valkey,
)
from harness.platforms.embedded.blueprint import Blueprint
from harness.platforms.embedded.layout import (
    DATABASE_NODES,
    SUPPORT_NODE,
    Layout,
)
from harness.platforms.embedded.node import Node

_STOP_S = 15.0


def node_of(layout: Layout, name: str) -> Node:
    return Node(name, layout.node(name))


def define(plan: Blueprint) -> None:
    """Write every part's configuration and every node's list of parts."""
    layout, ports, secrets = plan.layout, plan.ports, plan.secrets
    for name in DATABASE_NODES:
        both = [patroni.part(plan, name), application.part(plan, name)]
        node_of(layout, name).define(both, stop_s=_STOP_S)
    support = [
        etcd.part(layout, ports),
        s3.part(layout, ports, secrets),
        valkey.part(layout, ports, secrets),
        archive.part(layout, ports, secrets),
        ingress.part(layout, ports),
        application.partners_part(plan),
    ]
    node_of(layout, SUPPORT_NODE).define(support, stop_s=_STOP_S)
