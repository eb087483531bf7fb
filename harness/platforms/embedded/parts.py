"""Which parts each node has: the one place where the layout of the platform is said.

Node a is pg1 and app1, node b is pg2 and app2; c is everything that a drill never kills.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.platforms.embedded import (
    application,
    archive,
    etcd,
    ingress,
    patroni,
    s3,
    valkey,
)
from harness.platforms.embedded.application import Commands
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import (
    DATABASE_NODES,
    SUPPORT_NODE,
    Layout,
    Options,
)
from harness.platforms.embedded.node import Node

_STOP_S = 15.0


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Everything that decides the configuration of the parts."""

    layout: Layout
    ports: dict[str, int]
    secrets: Secrets
    options: Options
    commands: Commands


def node_of(layout: Layout, name: str) -> Node:
    return Node(name, layout.node(name))


def define(plan: Blueprint) -> None:
    """Write every part's configuration and every node's list of parts."""
    layout, ports, secrets, options = plan.layout, plan.ports, plan.secrets, plan.options
    for name in DATABASE_NODES:
        database = patroni.part(layout, ports, secrets, name, options)
        replica = application.part(layout, ports, secrets, name, options, plan.commands)
        node_of(layout, name).define([database, replica], stop_s=_STOP_S)
    support = [
        etcd.part(layout, ports),
        s3.part(layout, ports, secrets),
        valkey.part(layout, ports, secrets),
        archive.part(layout, ports, secrets),
        ingress.part(layout, ports),
        application.partners_part(layout, ports, secrets, options, plan.commands),
    ]
    node_of(layout, SUPPORT_NODE).define(support, stop_s=_STOP_S)
