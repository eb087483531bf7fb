"""Ransomware: backups attacked first, then the rows, then the documents.

In the order in which it is done in the field: whoever still has backups does not pay.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from harness.attack import leaked
from harness.chaos import signals
from harness.chaos.arming import LOCK_S, arm, refuse_in_vain
from harness.chaos.standing import Standing, standing
from harness.core import checks
from harness.core.proofs import Proof
from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError
from harness.evidence import lines
from harness.faults import journal, ransom, vault_attack
from harness.faults.deeds import ransomware
from harness.platforms.capabilities import Backup, Backups, Database, Endpoints, Filestore
from harness.platforms.having import having
from harness.recovery import old_credentials

_CHECK = checks.backups_locked.name


def extort() -> str:
    """Poison the newest backup, attack the backups, lock rows and documents.

    Returns the id of the backup that was sound. Raises FaultError, with nothing broken, when there
    is none, something is still broken, or nobody waits for this fault any more.
    """
    here = standing()
    database = having(here.platform.database, "database")
    backups = having(here.platform.backups, "backups")
    filestore = having(here.platform.filestore, "filestore")
    endpoints = here.platform.endpoints()
    with signals.deferred(), journal.locked(here.platform.directory, within_s=LOCK_S):
        refuse_in_vain(here)
        sound = _newest_sound(backups)
        if not ransom.is_worth_it(database.application_dsn(), filestore):
            raise FaultError(
                "there are no orders, or no documents, to lock: nothing was broken",
                next_step="let it trade first; a drill does",
            )
        backups.close_archive()  # WAL is attacked too, so there must be some
        arm(here, ransomware.NAME, {"backup": sound.backup_id, "began_utc": _now_utc()})
        folder = leaked.folder_of(here.platform.directory)
        old_credentials.hand_out_all(having(here.platform.secrets, "secrets"), folder)
        _attack_backups(here, endpoints, sound)
        lost = backups.lose_key_copy()
        here.stamp(MarkName.STEP, f"the backup key's copy {lost} is destroyed")
        _lock(here, database, filestore)
    return sound.backup_id


def _newest_sound(backups: Backups) -> Backup:
    for candidate in backups.candidates():
        if backups.verify(candidate.backup_id).whole:
            return candidate
    raise FaultError("no sound base backup is there: nobody could recover, so nothing was broken")


def _attack_backups(here: Standing, endpoints: Endpoints, sound: Backup) -> None:
    """What was tried, and whether the bytes of before are there still: each a proof."""
    targets = vault_attack.watched(endpoints, sound.backup_id)
    if not any("/wals/" in target.key for target in targets):
        _prove(here, "object", "WAL", ok=None, told="no WAL segment was there to be attacked")
    vault_attack.poison(endpoints, sound.backup_id, _later_id(sound.backup_id))
    for attempt in vault_attack.attack(endpoints, targets):
        on_top = attempt.what in vault_attack.ON_TOP  # adds a version; the objects below tell
        told = f"{attempt.what} as {attempt.identity}: {attempt.told}"
        subject = attempt.key or "the bucket"
        ok = True if on_top and attempt.refused is False else attempt.refused
        _prove(here, "attack", subject, ok=ok, told=told)
    for target in targets:
        ok, told = vault_attack.still_there(endpoints, target)
        _prove(here, "object", target.key, ok=ok, told=told)


def _lock(here: Standing, database: Database, filestore: Filestore) -> None:
    earliest_ns = time.monotonic_ns()
    dsn = database.application_dsn()
    orders, log_ins = ransom.encrypt_rows(dsn)
    seen = ransom.is_locked(dsn)
    latest_ns = time.monotonic_ns()
    documents = ransom.encrypt_documents(filestore)
    if not seen:
        here.stamp(MarkName.NO_EFFECT, "rows were locked, and read as before")
        raise FaultError("the rows that were locked read as before")
    if not (orders and documents):
        here.stamp(MarkName.NO_EFFECT, f"{orders} orders and {documents} documents were locked")
        raise FaultError("there were no orders, or no documents, to lock: nothing to bring back")
    note = f"{orders:,} orders, {log_ins:,} log-ins and {documents:,} documents are unreadable"
    here.witness(Mark(MarkName.FAULT_ACTIVE, earliest_ns, latest_ns, note))


def _prove(here: Standing, kind: str, subject: str, *, ok: bool | None, told: str) -> None:
    if here.run is not None:
        proof = Proof(_CHECK, kind, subject, ok, told, time.monotonic_ns())
        lines.append_proof(here.run, proof)


def _later_id(backup_id: str) -> str:
    """The id of a backup that looks newer by a minute; ids sort by age."""
    try:
        taken = datetime.strptime(backup_id, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return f"{backup_id}z"
    return (taken + timedelta(minutes=1)).strftime("%Y%m%dT%H%M%S")


def _now_utc() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
