"""The checks that a scenario can name.

`rto` and `rpo` are judged per workload from the ledger; `stores_agree` from the read-back;
`access_revoked` from the attacker's own log. All others are judged from proofs: see proofs.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A check by name; `title` is what the reports print.

    `kinds`: kinds of proof of which at least one must be there, else the check is inconclusive.
    Empty for the checks that are not judged from proofs.
    """

    name: str
    title: str
    kinds: tuple[str, ...] = ()


rto = Check("rto", "Recovery time within its objective")
rpo = Check("rpo", "No acknowledged write lost beyond its objective")
stores_agree = Check("stores-agree", "Orders, stock, ledger, documents and partners agree")
access_revoked = Check("access-revoked", "No leaked credential is accepted any more")
nothing_corrupt = Check(
    "nothing-corrupt", "Every database node and every backup is sound", ("node", "backup")
)
documents_sound = Check(
    "documents-sound", "Every document agrees with the database, by hash", ("disk", "object-store")
)
archive_continuous = Check(
    "archive-continuous", "The WAL archive protects what it reports", ("archive",)
)
restored_wanted = Check(
    "restored-wanted", "The restore reached the instant that was wanted", ("reach",)
)
calls_replayed = Check(
    "calls-replayed", "Integration calls after the recovery point, exactly once", ("calls",)
)
backups_locked = Check(
    "backups-locked", "No attack on the backups had an effect", ("attack", "object")
)
backup_chosen = Check(
    "backup-chosen",
    "Poisoned backups are refused; the newest sound one is taken",
    ("backup", "refused"),
)
environment_clean = Check(
    "environment-clean", "The new environment shares nothing with the old", ("clean",)
)
forensics_kept = Check("forensics-kept", "What the attacker left is preserved", ("forensics",))
audit_kept = Check(
    "audit-kept", "Audit logs and configuration survive the recovery", ("audit", "configuration")
)
audit_agrees = Check(
    "audit-agrees", "The platform's audit log agrees with the attacker's", ("audit-log",)
)
secrets_hidden = Check(
    "secrets-hidden",
    "No log, process list or evidence holds a secret",
    ("log", "process", "evidence"),
)
runbook_done = Check("runbook-done", "Every step of the runbook was observed", ("step",))
protected_again = Check(
    "protected-again", "Redundant, archiving and backed up again", ("protection",)
)

EVERY_DRILL = (rto, rpo, stores_agree)  # a scenario without one of them says so in its verdict
ALL = {
    check.name: check
    for check in (
        rto, rpo, stores_agree, access_revoked, nothing_corrupt, documents_sound,
        archive_continuous, restored_wanted, calls_replayed, backups_locked, backup_chosen,
        environment_clean, forensics_kept, audit_kept, audit_agrees, secrets_hidden,
        runbook_done, protected_again,
    )
}  # fmt: skip
