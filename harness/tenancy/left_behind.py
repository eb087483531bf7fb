"""What a killed drill left in a cluster under a time limit: played by us where nobody else has."""

from __future__ import annotations

from collections.abc import Callable

from harness.platforms.capabilities import Platform
from harness.platforms.cluster_faults import cluster_faults_or_none


def mend_in_cluster(running: Platform, say: Callable[[str], None]) -> None:
    """Leases that have run out, and this platform's own: call it where no drill has the platform.

    Also where the journal of whoever took them is lost. Harmless on every other platform, and
    where there is none. Raises FaultError and PlatformError for what could not be undone.
    """
    faults = cluster_faults_or_none(running)
    if faults is None:
        return
    for what in faults.play_left_behind():
        say(f"mended: {what}")
