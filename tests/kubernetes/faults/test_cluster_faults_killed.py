"""The harness dies by SIGKILL and its experiment with it: the cluster mends itself."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cluster_platform import ClusterPlatform
from shop_of_pods import HERE, LEASE_S, Stand, until

from harness.evidence import events
from harness.faults import journal, undo
from harness.platforms.reference import lease as leases

pytestmark = pytest.mark.kubernetes
WITHIN = dt.timedelta(seconds=2)
_CALLS = 5


def killed(
    drilled: ClusterPlatform, run: Path, name: str, given: dict[str, str], when: str, stand: Stand
) -> leases.UndoLease:
    """The lease, as the dead left it: harness and child are gone at the same instant."""
    command = [
        sys.executable, str(HERE / "cluster_harness.py"), str(drilled.directory), str(run), name,
        json.dumps(given),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        child = int(harness.stdout.readline().split()[1])
        try:
            if when == "active":
                assert harness.stdout.readline().strip() == "active"
            else:
                until(lambda: bool(stand.policies()), 90)
        finally:
            for pid in (harness.pid, child):
                os.kill(pid, signal.SIGKILL)
    (item,) = stand.leases()
    return leases.read(item)


def undone_in_time(stand: Stand, left: leases.UndoLease) -> bool:
    """An ordering against what the lease itself says: its end, and two seconds.

    A keeper makes five calls for it; where the API itself is slow, so is he.
    """
    found: list[dt.datetime] = []
    slowest_s = 0.0

    def is_undone() -> bool:
        nonlocal slowest_s
        asked_s = time.monotonic()
        (item,) = stand.leases()
        slowest_s = max(slowest_s, time.monotonic() - asked_s)
        at = leases.undone_at(item)
        found.extend([at] if at else [])
        return bool(found)

    until(is_undone, 60)
    assert left.duration_s == LEASE_S
    late = dt.timedelta(seconds=_CALLS * slowest_s)
    return left.expires_utc - WITHIN < found[0] <= left.expires_utc + WITHIN + late


def mended_without_a_trace(stand: Stand, drilled: ClusterPlatform) -> bool:
    """What the dead one's journal still holds is undone already, and then forgotten."""
    (entry,) = journal.pending(drilled.directory)
    undo.replay(drilled, within_s=120)  # type: ignore[arg-type]
    return journal.pending(drilled.directory) == () and stand.leases() == [] and bool(entry)


def test_a_drained_node_is_opened_again(
    home: Stand, keeper: Path, drilled: ClusterPlatform, run: Path
) -> None:
    left = killed(drilled, run, "node-drain", {"node": "primary"}, "active", home)
    assert not home.is_open()
    assert undone_in_time(home, left), (keeper / "log").read_text()
    assert home.is_open()
    assert mended_without_a_trace(home, drilled)


def test_a_policy_is_deleted(
    home: Stand, keeper: Path, drilled: ClusterPlatform, run: Path
) -> None:
    left = killed(drilled, run, "partition", {"pods": "primary"}, "policy", home)
    assert len(home.policies()) == 1
    assert undone_in_time(home, left), (keeper / "log").read_text()
    assert home.policies() == []
    assert mended_without_a_trace(home, drilled)


def test_a_killed_pod_is_replaced_and_the_lease_says_so(
    home: Stand, keeper: Path, drilled: ClusterPlatform, run: Path
) -> None:
    left = killed(drilled, run, "pod-kill", {"pods": "application"}, "active", home)
    assert undone_in_time(home, left), (keeper / "log").read_text()
    until(home.is_settled, 60)
    assert mended_without_a_trace(home, drilled)
    assert events.read(run / "events.jsonl").timeline.marks[-1].name.value != "fault-healed"
