"""Who answers for the databases: our Patroni, or PostgreSQL alone where the image is its own.

Everybody who has to know who leads and who follows asks here.
"""

from __future__ import annotations

from harness.platforms.containers import state
from harness.platforms.containers.own_database import OwnDatabase
from harness.platforms.containers.site import ContainersSite
from harness.platforms.embedded import joining, patroni
from harness.platforms.embedded.cluster import DatabaseNode
from harness.platforms.embedded.database import PatroniDatabase
from harness.platforms.reference.database import cluster_of, database


def of(site: ContainersSite) -> PatroniDatabase | OwnDatabase:
    """The capability `database`, as the platform's options have it."""
    options = state.load(site.layout).options
    if options.database.is_role:
        return database(site.layout, site.ports, state.load(site.layout).asked, site)
    return OwnDatabase(cluster_of(site.ports, site), site.layout, options.synchronous)


def leads(site: ContainersSite, node: DatabaseNode) -> bool:
    found = of(site)
    return found.leads(node) if isinstance(found, OwnDatabase) else patroni.is_leader(node)


def has_joined(site: ContainersSite, name: str) -> bool:
    """Its database leads, or streams from one that does."""
    found = of(site)
    if isinstance(found, OwnDatabase):
        return found.has_joined(name)
    return joining.has_joined(found.cluster, name)
