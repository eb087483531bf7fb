"""An action for an experiment: replication stands still until so much was committed without it.

What a stalled network or an overwhelmed standby does. In asynchronous mode nobody waits for it,
and nobody is told. The one process that stands still dies with the node; where the experiment
ends before that, the standby drops the silent connection (wal_receiver_timeout) and asks anew.
"""

from __future__ import annotations

import signal
import time
from typing import cast

import psycopg

from harness.chaos.standing import standing
from harness.errors import FaultError
from harness.platforms.embedded import EmbeddedPlatform, process
from tests.track_record.freezing import of_node

_BEHIND = """
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), sent_lsn) FROM pg_stat_replication LIMIT 1
"""
_POLL_S = 0.05


def stall_replication(behind_bytes: int = 200_000, within_s: float = 20.0) -> int:
    """Stop the primary's sender; returns how far the standby is behind. Raises FaultError."""
    platform = cast(EmbeddedPlatform, standing().platform)
    node = platform.nodes.resolve("primary")
    stop_sender(platform, node)
    until = time.monotonic() + within_s
    with psycopg.connect(platform.database.superuser_dsn(node), autocommit=True) as database:
        while time.monotonic() < until:
            row = database.execute(_BEHIND).fetchone()
            if row and row[0] is not None and row[0] >= behind_bytes:
                return int(row[0])
            time.sleep(_POLL_S)
    raise FaultError(f"less than {behind_bytes} bytes were committed within {within_s:g} s")


def stop_sender(platform: EmbeddedPlatform, node: str) -> None:
    """It stands still, and the connection stays open. Raises FaultError where there is none."""
    senders = of_node(platform, node, name="walsender")
    if len(senders) != 1:
        raise FaultError(f"node {node} has {len(senders)} senders: nothing was stalled")
    with process.held(senders) as descriptors:
        process.send(descriptors, signal.SIGSTOP)
