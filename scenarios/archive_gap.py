"""The WAL archive stops in silence, and then somebody needs it.

Claim   The declared RPO holds: whatever happens to the database, no more than that much of the
        trade is lost. Every light of the backups is green.
Method  Weekend-promotion load. The archive goes on reporting segments as stored, and stores none.
        After a while of trade comes the bad release of logical-corruption. The runbook restores
        as far as the archive really carries, and names the moment from which nothing was
        protected. Where that is longer ago than the RPO, or cost more than it allows, the verdict
        is missed: the declared RPO was worth nothing from that moment on.
Why     A full bucket, a wrong key, a script that swallows an error: an archive fails in silence,
        and is found out on the day that it is needed.
"""

from harness import Scenario, checks, experiment, load, runbook

scenario = Scenario(
    name="archive-gap",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("archive-gap"),
    recovery=runbook("point-in-time", within_s=600),
    checks=[
        checks.rto, checks.rpo, checks.stores_agree, checks.restored_wanted,
        checks.documents_sound, checks.calls_replayed, checks.archive_continuous,
        checks.audit_kept, checks.runbook_done, checks.protected_again,
    ],
    requires={
        "database", "database.standby", "backups", "ingress", "filestore", "integrations", "audit",
    },
    tags={"peak", "nightly", "corruption", "backup"},
)  # fmt: skip
