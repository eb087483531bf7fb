"""Which parts each node has: the one place where the layout of the platform is said.

Node a is pg1 and app1, node b is pg2 and app2; c is everything that a drill never kills.
"""

from __future__ import annotations

from dataclasses import replace

from harness.platforms.embedded import (
    application,
    archive,
    etcd,
    first_boot,
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


def define_databases(plan: Blueprint, *, first: bool) -> None:
    """Nodes a and b. At their first boot they also start the database that Patroni adopts."""
    for name in DATABASE_NODES:
        extra = [first_boot.part(plan, name)] if first else []
        both = [patroni.part(plan, name), application.part(plan, name)]
        node_of(plan.layout, name).define([*extra, *both], stop_s=_STOP_S)


def define_support(plan: Blueprint) -> None:
    """Node c. What stands before and behind the application starts when it does."""
    layout, ports, secrets = plan.layout, plan.ports, plan.secrets
    gate = str(layout.gate(SUPPORT_NODE, "app"))
    support = [
        etcd.part(layout, ports),
        s3.part(layout, ports, secrets),
        valkey.part(layout, ports, secrets),
        archive.part(layout, ports, secrets),
        replace(ingress.part(layout, ports), after=gate),
        replace(application.partners_part(plan), after=gate),
    ]
    node_of(layout, SUPPORT_NODE).define(support, stop_s=_STOP_S)
