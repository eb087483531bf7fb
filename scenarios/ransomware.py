"""Ransomware at the height of a weekend promotion.

Claim   Orders are accepted again within the declared RTO, in an environment that shares nothing
        with the one that was broken into; what was acknowledged before the break-in is there, and
        no attack on the backups had an effect.
Method  Weekend-promotion load. The backups are attacked and the newest one is poisoned; then the
        orders, every log-in and every document become unreadable. The door is closed, forensics
        are kept, a clean environment is built from the newest backup that passes its checks, and
        it opens only after a named approval.
Why     Whoever cannot restore pays; and a restore into the old environment invites him back in.
"""

from harness import Scenario, checks, experiment, load, runbook

scenario = Scenario(
    name="ransomware",
    owner="security",
    load=load("weekend-promotion"),
    fault=experiment("ransomware"),
    recovery=runbook("clean-room", within_s=900),
    checks=[
        checks.rto,
        checks.rpo,
        checks.stores_agree,
        checks.backups_locked,
        checks.backup_chosen,
        checks.forensics_kept,
        checks.restored_wanted,
        checks.documents_sound,
        checks.calls_replayed,
        checks.environment_clean,
        checks.audit_kept,
        checks.runbook_done,
        checks.protected_again,
    ],
    requires={
        "database",
        "backups",
        "ingress",
        "filestore",
        "integrations",
        "secrets",
        "clean-room",
    },
    tags={"security", "quarterly"},
)
