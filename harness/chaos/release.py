"""A bad release, and the silence that can come before it: an archive that stores nothing."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from harness.chaos import signals
from harness.chaos.arming import LOCK_S, arm, refuse_in_vain
from harness.chaos.standing import Standing, is_released, standing
from harness.core.plan import Plan, Size
from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError
from harness.evidence import canonical, layout
from harness.faults import bad_release, journal
from harness.faults.bad_release import Deployed, Release
from harness.faults.deeds import archive_gap, logical_corruption
from harness.platforms.having import having

_POLL_S = 0.1


def stop_archive() -> str:
    """From now on WAL segments are reported as archived, and are not. Nobody is told.

    Returns the name of the fault. Raises FaultError where that was not observed.
    """
    here = standing()
    backups = having(here.platform.backups, "backups")
    with signals.deferred(), journal.locked(here.platform.directory, within_s=LOCK_S):
        refuse_in_vain(here)
        if backups.archive_is_stopped():
            raise FaultError("the WAL archive has stopped already", next_step="peakdrill undo")
        arm(here, archive_gap.NAME, {})
        try:
            instant = backups.stop_archive()
            stopped = backups.archive_is_stopped()
        except BaseException as error:
            here.stamp(MarkName.FAULT_SPOILED, f"the archive could not be stopped: {error}")
            raise
        if not stopped:
            here.stamp(MarkName.NO_EFFECT, "the archive was stopped, yet it still stores segments")
            raise FaultError("the archive still stores segments after it was stopped")
        note = "the archive has stopped in silence: segments are reported as archived, and are not"
        here.witness(Mark(MarkName.STEP, instant.earliest_ns, instant.latest_ns, note))
    return archive_gap.NAME


def trade_on(gap_s: float, full_gap_s: float) -> float:
    """Let the customers order for a while; longer in a full drill. Returns the seconds.

    Raises FaultError when the harness lets go meanwhile.
    """
    spell_s = full_gap_s if _is_full(standing().run) else gap_s
    until = time.monotonic() + spell_s
    while time.monotonic() < until:
        if is_released():
            raise FaultError("the harness has let go (or is dead): nothing more was broken")
        time.sleep(_POLL_S)
    return spell_s


def _is_full(run: Path | None) -> bool:
    """By hand there is no plan, and nobody waits for longer than he must."""
    if run is None or not (run / layout.PLAN).exists():
        return False
    return canonical.loads(Plan, run / layout.PLAN).size is Size.FULL


def release_badly(
    reprice_pct: int = 20, delete_pct: int = 5, beside: str = "", within_s: float = 10.0
) -> str:
    """Rewrite prices of a share of all orders, delete the lines of another; all of it replicates.

    `beside`: a fault of this run that this one comes on top of. Returns what was hurt. Raises
    FaultError when there was damage before, nothing to damage, or it was not seen on every node.
    """
    here = standing()
    release = Release(int(reprice_pct), int(delete_pct))
    with signals.deferred(), journal.locked(here.platform.directory, within_s=LOCK_S):
        refuse_in_vain(here, beside=beside)
        if logical_corruption.is_damaged(here.platform):
            raise FaultError("orders disagree with their lines already: nothing was broken")
        shares = {"reprice_pct": str(reprice_pct), "delete_pct": str(delete_pct)}
        arm(here, logical_corruption.NAME, shares, mark=not beside)
        done = _deploy(here, release)
        unseen = _unseen_on(here, within_s)
        if unseen:
            here.stamp(MarkName.NO_EFFECT, f"the damage is not on {unseen}")
            raise FaultError(f"the damage is not to be seen on {unseen} after {within_s:g} s")
        note = (
            f"{done.repriced_orders} orders repriced, {done.emptied_orders} emptied in "
            f"{done.transactions} transactions: seen on the leader and on the standby"
        )
        first = done.first
        here.witness(Mark(MarkName.FAULT_ACTIVE, first.earliest_ns, first.latest_ns, note))
    return note


def _deploy(here: Standing, release: Release) -> Deployed:
    try:
        return bad_release.deploy(logical_corruption.application_dsn(here.platform), release)
    except (FaultError, psycopg.Error) as error:
        here.stamp(MarkName.FAULT_SPOILED, f"the bad release could not be made: {error}")
        raise FaultError(f"the bad release could not be made: {error}") from error


def _unseen_on(here: Standing, within_s: float) -> str:
    """The node that does not show the damage within the limit, "" when each does."""
    database = having(here.platform.database, "database")
    name = here.platform.endpoints().database
    deadline = time.monotonic() + within_s
    for role in ("primary", "standby"):
        node = here.nodes.resolve(role)
        dsn = make_conninfo(database.superuser_dsn(node), dbname=name)
        while not bad_release.differs(dsn):
            if time.monotonic() >= deadline:
                return f"node {node} ({role})"
            time.sleep(_POLL_S)
    return ""
