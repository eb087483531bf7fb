"""Back to the last good instant: for when the data are wrong, and every copy of them agrees.

The door is closed first: each further order is one more to lose. The instant is found in the
database, the newest backup from before it that passes its checks is chosen, and before anything is
stopped it is known how far the archive really carries. After the restore the database is asked
whether it holds what was promised. Then documents and partners are made good, and the shop reopens.
"""

from __future__ import annotations

import psycopg
from psycopg.rows import TupleRow

from harness.core import checks
from harness.core.timeline import MarkName
from harness.errors import PlatformError
from harness.platforms.capabilities import Backup, Backups, Ingress, Instant, Reach, Wanted
from harness.platforms.having import having
from harness.recovery import base_backups, kept, last_good
from harness.recovery.carried import Carried, carried, seconds_between
from harness.recovery.documents import VALIDATE
from harness.recovery.ground import Ground
from harness.recovery.replay_integrations import HOLD, REPLAY
from harness.recovery.steps import Runbook, Step, nothing

type_database = psycopg.Connection[TupleRow]

_CLOCK_NS = 1_000_000  # within a millisecond: how well a commit's time is known on our clock


def _backups(ground: Ground) -> Backups:
    return having(ground.platform.backups, "backups")


def _ingress(ground: Ground) -> Ingress:
    return having(ground.platform.ingress, "ingress")


def _connected(ground: Ground) -> type_database:
    dsn = ground.platform.endpoints().dsn
    options = "-c statement_timeout=60000"
    return psycopg.connect(dsn, autocommit=True, connect_timeout=5, options=options)


# stopping the bleeding


def _detected(ground: Ground) -> str | None:
    with _connected(ground) as database:
        count = last_good.damaged_orders(database)
    return f"{count:,} orders disagree with their own lines" if count else None


def _decided(_ground: Ground) -> str:
    return "the shop closes, and goes back to the last good instant"


def _closed(ground: Ground) -> str | None:
    told = "closed, asked from outside: 503; the marketplace may still hand in its orders"
    return told if _ingress(ground).is_closed() else None


# where to, and from what


def _find(ground: Ground) -> None:
    with _connected(ground) as database:
        found = last_good.last_good(database)
    ground.facts["wanted_utc"] = found.damaged_utc
    ground.facts["before_xid"] = str(found.before_xid)
    ground.facts["damaged_orders"] = str(found.damaged_orders)
    kept.remember(ground)


def _found(ground: Ground) -> str:
    facts = ground.facts
    return (
        f"just before transaction {facts['before_xid']}, committed {facts['wanted_utc']}: the "
        f"first that damaged any of {int(facts['damaged_orders']):,} orders"
    )


def _choose(ground: Ground) -> None:
    """A backup from after the damage began holds the damage, however sound it is."""

    def holds_damage(backup: Backup) -> str:
        wanted_utc = ground.facts["wanted_utc"]
        if backup.taken_utc and seconds_between(backup.taken_utc, wanted_utc) <= 0:
            return f"it was taken at {backup.taken_utc}, after the damage began"
        return ""

    base_backups.choose(ground, holds_damage)


def _chosen(ground: Ground) -> str | None:
    backup = ground.facts.get("backup")
    return f"backup {backup}: fetched, opened, and as its manifest says" if backup else None


def _measure(ground: Ground) -> None:
    """How far the archive carries; what a restore to there must hold. Names a gap."""
    _backups(ground).close_archive()
    reach = _backups(ground).reach(ground.facts["backup"])
    found = carried(reach, ground.facts["wanted_utc"])
    with _connected(ground) as database:
        tail = last_good.tail_before(database, found.promised_utc)
    ground.facts["tail"] = last_good.dumps(tail)
    ground.facts["promised_utc"] = found.promised_utc
    ground.facts["gap_s"] = f"{found.gap_s:.3f}"
    if not found.is_whole:
        ground.mark(MarkName.UNPROTECTED, _last_protected(reach), found.told)
    ok = found.is_whole and not reach.missing
    ground.prove(checks.archive_continuous.name, "archive", "before the restore", ok, found.told)
    ground.facts["carried"] = f"{_where_to(found)}: {found.told}"


def _where_to(found: Carried) -> str:
    return "to the wanted instant" if found.is_whole else "as far as the archive carries"


def _last_protected(reach: Reach) -> Instant:
    at_ns = reach.last_commit_monotonic_ns
    return Instant(at_ns - _CLOCK_NS, at_ns + _CLOCK_NS)


def _measured(ground: Ground) -> str | None:
    return ground.facts.get("carried")


# going back


def _stopped(ground: Ground) -> str | None:
    leader = having(ground.platform.database, "database").leader()
    return "no database takes writes" if leader is None else None


def _restore(ground: Ground) -> None:
    """Without a gap to just before the damage, else to the end of what there is."""
    facts = ground.facts
    whole = facts["promised_utc"] == facts["wanted_utc"]
    wanted = Wanted(before_xid=int(facts["before_xid"])) if whole else Wanted()
    restored = _backups(ground).restore(facts["backup"], wanted)
    ground.mark_recovery_point(restored.reached_utc)
    facts["restored"] = restored.told
    facts["reached_utc"] = restored.reached_utc
    facts["complete"] = str(restored.complete)


def _restored(ground: Ground) -> str | None:
    if having(ground.platform.database, "database").leader() is None:
        return None
    return ground.facts.get("restored")


def _compare(ground: Ground) -> None:
    """What a restore says of itself is one thing; what the restored database holds is another."""
    facts = ground.facts
    tail = last_good.loads(facts["tail"])
    with _connected(ground) as database:
        absent = last_good.missing_of(database, tail)
        damaged = last_good.damaged_orders(database)
    newest = tail[0].committed_utc if tail else ""
    early = bool(newest) and seconds_between(facts["reached_utc"], newest) > 0
    held = f"{len(tail) - len(absent)} of the {len(tail)} newest records before it are there"
    held = held if tail else "it promised no record to look for"
    told = f"its last commit is {facts['reached_utc']}; {held}; {damaged:,} orders are damaged"
    if early or absent:
        late_s = seconds_between(facts["reached_utc"], facts["promised_utc"])
        told = f"it misses the last {late_s:.1f} s before {facts['promised_utc']}: {told}"
    gap_s = float(facts["gap_s"])
    if gap_s:
        told = f"the archive ended {gap_s:.1f} s before the wanted instant: {told}"
    against = bool(early or absent or damaged or gap_s) or facts["complete"] != str(True)
    ok = False if against else True if tail else None  # with nothing to look for, nothing was seen
    ground.prove(checks.restored_wanted.name, "reach", f"backup {facts['backup']}", ok, told)
    facts["compared"] = told
    if damaged:
        raise PlatformError(f"the restored database is damaged too: {told}")


def _compared(ground: Ground) -> str | None:
    return ground.facts.get("compared")


def _look(ground: Ground) -> None:
    ground.look("restored")


def _looked(ground: Ground) -> str | None:
    return ground.looked("restored")


# back in business, and protected


def _opened(ground: Ground) -> str | None:
    told = "open, asked from outside: the application answers"
    return told if _ingress(ground).is_open() else None


def _archive_again(ground: Ground) -> None:
    if _backups(ground).archive_is_stopped():
        _backups(ground).mend_archive()
        ground.facts["new_backup"] = _backups(ground).candidates()[0].backup_id


def _archives(ground: Ground) -> str | None:
    return None if _backups(ground).archive_is_stopped() else "segments are stored again"


def _whole(ground: Ground) -> str | None:
    return "redundant, archiving and backed up" if ground.platform.whole().whole else None


_OPERATIONS, _DATABASE = "head of operations", "database administrator on call"

RUNBOOK = Runbook(
    name="point-in-time",
    title="Restore to the last good instant, make documents and partners good, reopen",
    steps=(
        Step(
            "detect", "See that orders disagree with their lines", nothing, _detected,
            mark=MarkName.DETECTED,
        ),
        Step(
            "decide", "Decide to go back rather than to repair in place", nothing, _decided,
            decision="stop trading; what is ordered after the last good instant may be lost",
            role=_OPERATIONS, mark=MarkName.DECIDED,
        ),
        Step(
            "close-ingress", "Close the ingress, and see it closed from outside",
            lambda ground: _ingress(ground).close(), _closed, mark=MarkName.INGRESS_CLOSED,
        ),
        Step("find-last-good", "Find the first transaction that did damage", _find, _found),
        Step(
            "choose-backup", "Find the newest backup from before it that passes its checks",
            _choose, _chosen, limit_s=180,
        ),
        Step(
            "measure-archive", "See how far the archive really carries", _measure, _measured,
            limit_s=120, decision="restore to the wanted instant, or as far as the archive carries",
            role=_DATABASE,
        ),
        HOLD,
        Step(
            "stop-databases", "Stop every database", lambda g: _backups(g).stop_databases(),
            _stopped,
        ),
        Step(
            "restore", "Put base backup and WAL in their place", _restore, _restored,
            limit_s=300, mark=MarkName.RESTORED,
        ),
        Step("compare", "Hold what was restored against what was promised", _compare, _compared),
        Step("look", "Read back what the restore brought", _look, _looked),
        VALIDATE,
        REPLAY,
        Step("audit", "See that audit and configuration are kept", kept.compare, kept.compared),
        Step(
            "open-ingress", "Open the ingress, and see it open from outside",
            lambda ground: _ingress(ground).open(), _opened,
            decision="trade again", role=_OPERATIONS, mark=MarkName.INGRESS_OPENED,
        ),
        Step("archive", "Archive for real", _archive_again, _archives, limit_s=120),
        base_backups.BACK_UP,
        Step("protect", "See the platform whole", nothing, _whole, limit_s=120),
    ),
)  # fmt: skip
