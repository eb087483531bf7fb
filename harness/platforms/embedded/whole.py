"""Is the platform whole: redundant, archiving, backed up, serving? A sentence for what is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from harness.errors import PlatformError
from harness.platforms.capabilities import Wholeness
from harness.platforms.embedded import (
    backup_key,
    backup_store,
    database,
    doors,
    etcd,
    ingress,
    parts,
    s3,
    valkey,
    web,
)
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import ALL_NODES, DATABASE_NODES, Layout, State
from harness.platforms.embedded.s3_client import S3Client


def look(layout: Layout, state: State, secrets: Secrets) -> Wholeness:
    """Every part is asked, all at once."""
    dead = [f"node {name} is dead" for name in ALL_NODES if parts.node_of(layout, name).is_dead()]
    with ThreadPoolExecutor(max_workers=4) as pool:
        protected = pool.submit(database.embedded(layout, state.ports, state.options).protected)
        stored = pool.submit(
            backup_gaps, layout, s3.archivist(state.ports, secrets), state.backup_id
        )
        served = pool.submit(_serving_gaps, state)
        supported = pool.submit(_support_gaps, state, secrets)
        missing = (
            *dead,
            *protected.result().missing,
            *served.result(),
            *supported.result(),
            *stored.result(),
        )
    return Wholeness(not missing, missing)


def _serving_gaps(state: State) -> list[str]:
    routed = ingress.routed_nodes(state.ports)
    gaps = [
        f"the ingress holds the replica on node {name} for unhealthy"
        for name in DATABASE_NODES
        if name not in routed
    ]
    if not doors.serves(state.ports):
        gaps.append("the application does not answer through the ingress")
    return gaps


def _support_gaps(state: State, secrets: Secrets) -> list[str]:
    gaps = []
    if not etcd.is_healthy(state.ports):
        gaps.append("etcd does not answer")
    if not valkey.is_healthy(state.ports, secrets):
        gaps.append("valkey does not answer")
    if web.ask(state.ports["partners"], "/payment/calls?prefix=none") is None:
        gaps.append("the integration partners do not answer")
    return gaps


def backup_gaps(layout: Layout, store: S3Client, backup_id: str) -> list[str]:
    """The newest backup of ours, by its stamped record. Nothing is fetched: that is `verify`."""
    if not store.is_up():
        return ["S3 does not answer"]
    try:
        key = backup_key.load(layout).key
    except PlatformError as error:
        return [error.what]
    if not backup_store.is_there(backup_id, store, key):
        return [f"no gated base backup is in S3 as {backup_id or 'the newest'}"]
    return []
