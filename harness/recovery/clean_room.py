"""Recovery into a clean environment: for when the old one cannot be trusted any more.

The door is closed first, and seen closed. What the intruder left is preserved before anything is
changed. The newest backup that passes its checks is restored, to just before the first harm, into
an environment that shares no credential, no data folder and no port with the old one; documents
come from object storage. It opens only after somebody with a name has approved it.
"""

from __future__ import annotations

import psycopg
from psycopg.rows import TupleRow

from harness.attack import leaked
from harness.core import checks
from harness.core.timeline import MarkName
from harness.errors import PlatformError
from harness.faults import ransom
from harness.platforms.capabilities import CleanRoom, Wanted
from harness.platforms.having import having
from harness.recovery import (
    base_backups,
    documents,
    kept,
    last_good,
    old_credentials,
    replay_integrations,
)
from harness.recovery.ground import Ground
from harness.recovery.steps import Runbook, Step, nothing

_FORENSICS = "forensics"
MANIFEST = f"{_FORENSICS}/manifest.txt"  # below the platform's directory
_LISTED = 5  # names a sentence


def _room(ground: Ground) -> CleanRoom:
    return having(ground.platform.clean_room, "clean-room")


# finding out, and stopping the bleeding


def _harm_seen(ground: Ground) -> str | None:
    """The application's own log-ins fail, and the database says why."""
    dsn = having(ground.platform.database, "database").application_dsn()
    harm = ransom.first_harm(dsn)
    if harm is None:
        return None
    ground.facts["before_xid"] = str(harm.xid)
    ground.facts["harmed_utc"] = harm.committed_utc
    return f"rows are locked since transaction {harm.xid}, committed {harm.committed_utc}"


def _close(ground: Ground) -> None:
    having(ground.platform.ingress, "ingress").close(queue=True)


def _closed(ground: Ground) -> str | None:
    closed = having(ground.platform.ingress, "ingress").is_closed()
    return "closed, asked from outside: 503 from the door itself" if closed else None


# what the intruder left


def _preserve(ground: Ground) -> None:
    backups = having(ground.platform.backups, "backups")
    kept.remember(ground)
    _agree_with_documents(ground)
    _note_promised(ground)
    backups.close_archive()
    into = ground.platform.directory / _FORENSICS
    files = _room(ground).preserve(into)
    ground.facts["forensics"] = str(len(files))


def _agree_with_documents(ground: Ground) -> None:
    """Documents reach object storage a moment after their rows are committed.

    Those of the last moment are locked on disk and have no copy. Database and documents are
    restored to one instant: to just before the first row whose document is gone.
    """
    if "documents_told" in ground.facts:
        return
    dsn = having(ground.platform.database, "database").application_dsn()
    copied = having(ground.platform.filestore, "filestore").mirrored_names()
    first = ransom.first_without_copy(dsn, copied)
    told = "every document has its copy in object storage"
    if first is not None and first.committed_utc < ground.facts["harmed_utc"]:
        ground.facts["before_xid"] = str(first.xid)
        ground.facts["harmed_utc"] = first.committed_utc
        told = f"documents from {first.committed_utc} on have no copy: back to just before them"
    ground.facts["documents_told"] = told
    ground.say(told)


def _note_promised(ground: Ground) -> None:
    """The newest records from before the instant: a restore that holds them went far enough."""
    if "tail" not in ground.facts:
        with _connected(ground) as database:
            tail = last_good.tail_before(database, ground.facts["harmed_utc"])
        ground.facts["tail"] = last_good.dumps(tail)


def _connected(ground: Ground) -> psycopg.Connection[TupleRow]:
    dsn = having(ground.platform.database, "database").application_dsn()
    return psycopg.connect(dsn, autocommit=True, connect_timeout=5)


def _preserved(ground: Ground) -> str | None:
    manifest = ground.platform.directory / MANIFEST
    if not manifest.is_file():
        return None
    lines = manifest.read_text(encoding="utf-8").splitlines()
    kinds = {kind for kind in ("pgdata", "pg_wal", "logs") if any(kind in row for row in lines)}
    lacking = {"pgdata", "pg_wal", "logs"} - kinds
    told = f"{len(lines):,} files of volumes, WAL and logs, each with its SHA-256"
    if lacking:
        told += f"; lacking: {', '.join(sorted(lacking))}"
    ground.prove(checks.forensics_kept.name, "forensics", "the old environment", not lacking, told)
    return told


# the clean point


def _chosen(ground: Ground) -> str | None:
    backup = ground.facts.get("backup")
    return f"backup {backup}, to just before {ground.facts['harmed_utc']}" if backup else None


# the new environment


def _prepare(ground: Ground) -> None:
    ground.facts["environment"] = _room(ground).prepare()


def _prepared(ground: Ground) -> str | None:
    name = ground.facts.get("environment")
    return f"environment {name}: credentials, folders and ports of its own" if name else None


def _restore(ground: Ground) -> None:
    wanted = Wanted(before_xid=int(ground.facts["before_xid"]))
    restored = _room(ground).restore(ground.facts["backup"], wanted)
    ground.mark_recovery_point(restored.reached_utc)
    _room(ground).enter()
    ground.facts["reached_utc"] = restored.reached_utc
    ground.facts["complete"] = str(restored.complete)
    ground.facts["restored"] = restored.told


def _restored(ground: Ground) -> str | None:
    entered = _room(ground).name() == ground.facts["environment"]
    leads = having(ground.platform.database, "database").leader() is not None
    if not (entered and leads and "reached_utc" in ground.facts):
        return None
    dsn = having(ground.platform.database, "database").application_dsn()
    if ransom.is_locked(dsn):
        raise PlatformError("the restored database is locked too: the clean point is not clean")
    return f"the clean environment holds every commit until {ground.facts['reached_utc']}"


def _compare(ground: Ground) -> None:
    """What a restore says of itself is one thing; what the restored database holds is another."""
    facts = ground.facts
    tail = last_good.loads(facts["tail"])
    with _connected(ground) as database:
        absent = last_good.missing_of(database, tail)
    told = (
        f"{facts['restored']}; {facts['documents_told']}; {len(tail) - len(absent)} of the "
        f"{len(tail)} newest records before it are there"
    )
    ok = False if absent or facts["complete"] != "True" else True if tail else None
    check, subject = checks.restored_wanted.name, f"backup {facts['backup']}"
    ground.prove(check, "reach", subject, ok, told)
    facts["compared"] = told


def _compared(ground: Ground) -> str | None:
    return ground.facts.get("compared")


def _look(ground: Ground) -> None:
    ground.look("restored")


def _looked(ground: Ground) -> str | None:
    return ground.looked("restored")


# before it opens


def _prove_clean(ground: Ground) -> None:
    room = _room(ground)
    shared = room.shared()
    told = "; ".join(shared[:_LISTED]) or "no credential, data folder, process or port in common"
    ground.prove(checks.environment_clean.name, "clean", "environment", not shared, told)
    accepted, silent = [], []
    folder = leaked.folder_of(ground.platform.directory)
    for answer in old_credentials.try_all(ground.platform, room, folder, ground.run_id):
        sentence = f"the old {answer.credential}: {answer.told}"
        kind, name = "clean", answer.credential
        ground.prove(checks.environment_clean.name, kind, name, answer.refused, sentence)
        accepted += [name] if answer.refused is False else []
        silent += [name] if answer.refused is None else []
    if shared or accepted:
        raise PlatformError(f"the new environment is not clean: {told} {' '.join(accepted)}")
    ground.facts["clean"] = (
        f"nothing is shared; nobody could be asked about the old {', '.join(silent)}"
        if silent
        else "the old credentials are refused, and nothing is shared"
    )


def _proven_clean(ground: Ground) -> str | None:
    return ground.facts.get("clean")


def _approve(ground: Ground) -> None:
    """Only a disposable platform has its approval signed beforehand, and says so."""
    if not ground.platform.facts().disposable:
        raise PlatformError(
            "external access needs the approval of a named person",
            next_step="approvals for platforms that matter are not built yet: keep it closed",
        )
    ground.facts["approved"] = "security lead (simulated: signed beforehand, disposable platform)"


def _approved(ground: Ground) -> str | None:
    return f"approved by {ground.facts['approved']}" if "approved" in ground.facts else None


def _open(ground: Ground) -> None:
    having(ground.platform.ingress, "ingress").open()


def _opened(ground: Ground) -> str | None:
    is_open = having(ground.platform.ingress, "ingress").is_open()
    return "open, asked from outside: the application answers" if is_open else None


def _protected(ground: Ground) -> str | None:
    return "redundant, archiving and backed up" if ground.platform.whole().whole else None


_SECURITY, _OPERATIONS = "security lead", "head of operations"

RUNBOOK = Runbook(
    name="clean-room",
    title="Restore into a clean environment, and open it after approval",
    steps=(
        Step(
            "detect", "See what is unreadable, and since when", nothing, _harm_seen,
            limit_s=60, mark=MarkName.DETECTED,
        ),
        Step(
            "close-ingress", "Close both doors, and see them closed from outside", _close, _closed,
            decision="stop trading: every further write is at risk", role=_OPERATIONS,
            mark=MarkName.INGRESS_CLOSED,
        ),
        replay_integrations.HOLD,
        Step(
            "preserve", "Keep volumes, WAL and logs as they are, with digests", _preserve,
            _preserved, limit_s=180, decision="the old environment is evidence now", role=_SECURITY,
        ),
        Step(
            "choose", "Find the newest backup that passes its checks", base_backups.choose, _chosen,
            limit_s=180, decision="restore from this backup, to this instant", role=_SECURITY,
            mark=MarkName.DECIDED,
        ),
        Step(
            "prepare", "Prepare an environment that shares nothing", _prepare, _prepared,
            limit_s=120,
        ),
        Step(
            "restore", "Restore database and documents into it", _restore, _restored,
            limit_s=300, mark=MarkName.RESTORED,
        ),
        Step("compare", "Hold what was restored against what was promised", _compare, _compared),
        Step("look", "Read back what the restore brought", _look, _looked),
        Step(
            "validate-documents", "Hold every document against the database, by hash",
            documents.validate, documents.validated, limit_s=120,
        ),
        replay_integrations.REPLAY,
        Step("audit", "See that audit and configuration are kept", kept.compare, kept.compared),
        Step(
            "prove-clean", "Try the old credentials; look for what is shared", _prove_clean,
            _proven_clean, limit_s=120,
        ),
        Step(
            "approve", "Named approval before external access", _approve, _approved,
            decision="open the clean environment to customers", role=_SECURITY,
            mark=MarkName.APPROVED,
        ),
        Step(
            "open-ingress", "Open the doors onto the clean environment", _open, _opened,
            mark=MarkName.INGRESS_OPENED,
        ),
        base_backups.BACK_UP,
        Step("protect", "See the platform whole", nothing, _protected, limit_s=180),
    ),
)  # fmt: skip
