"""A bad release rewrites prices and deletes order lines while the customers order.

Claim   The shop is closed, restored to the last good instant, made whole with its partners and
        reopened within the declared RTO; what was ordered after that instant and cannot be
        brought back stays within the declared RPO, and is named and priced.
Method  Weekend-promotion load. A release then divides the prices of a fifth of all orders by a
        hundred and deletes the lines of a twentieth, in committed transactions that replicate.
        A runbook finds the last good instant in the database, restores base backup and WAL to
        it, validates the documents, replays the partners' calls and reopens.
Why     A standby repeats a mistake within milliseconds. Redundancy does not protect from it.
"""

from harness import Scenario, checks, experiment, load, runbook

scenario = Scenario(
    name="logical-corruption",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("logical-corruption"),
    recovery=runbook("point-in-time", within_s=600),
    checks=[
        checks.rto, checks.rpo, checks.stores_agree, checks.restored_wanted,
        checks.documents_sound, checks.calls_replayed, checks.archive_continuous,
        checks.audit_kept, checks.runbook_done, checks.protected_again,
    ],
    requires={
        "database", "database.standby", "backups", "ingress", "filestore", "integrations", "audit",
    },
    tags={"peak", "nightly", "corruption"},
)  # fmt: skip
