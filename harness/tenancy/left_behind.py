"""What a killed drill left in a cluster: played by us where nobody else has, or ever would."""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import FaultError, PlatformError
from harness.faults import journal
from harness.faults.deeds import deed_of, node_drain, node_loss
from harness.faults.undo import replay
from harness.platforms.capabilities import Platform
from harness.platforms.cluster_faults import cluster_faults_or_none

_OF_THE_CLUSTER = frozenset({node_loss.NAME, node_drain.NAME})  # its nodes were there before us


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


def mend_what_outlives(running: Platform, say: Callable[[str], None]) -> None:
    """Call it before a platform is ended: journal, leases and their keeper all go with it.

    A node without power, or closed to pods, is not the platform's and would stay so. Harmless
    where nothing is broken. Raises FaultError and PlatformError where it is still so: then the
    platform has to stay, since nothing else knows how it is undone.
    """
    if cluster_faults_or_none(running) is None:
        return
    try:
        for what in replay(running, spare=lambda entry: entry.fault not in _OF_THE_CLUSTER):
            say(f"mended: {what}")
    except FaultError:  # a platform that is not whole any more is no reason: it is to end
        if _holds_nodes(running):
            raise
    try:
        mend_in_cluster(running, say)
    except PlatformError as error:
        gone = f"start the cluster; if it is gone for ever, delete {running.directory}"
        raise PlatformError(error.what, next_step=error.next_step or gone) from error


def _holds_nodes(running: Platform) -> bool:
    left = (e for e in journal.pending(running.directory) if e.fault in _OF_THE_CLUSTER)
    return any(deed_of(entry.fault).holds(running, entry) for entry in left)
