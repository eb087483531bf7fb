"""Credentials leak in the middle of a weekend promotion, and somebody is using them.

Claim   Every leaked credential is taken away while the shop stays open: nobody who holds an old
        one gets in any more, orders are well again within the declared RTO, and not one
        acknowledged order is lost to the rotation.
Method  Weekend-promotion load. Then an attacker, a process of its own, holds the application's
        database role, the backup writer's key, the administrator's password, an API key, a web
        session and the queue's password, and uses each of them ten times a second (the password
        once). The runbook finds him in the audit and rotates one class after the other. He never
        stops trying: only a refused try counts as proof.
Why     A leaked laptop or a leaked repository holds several of them at once, and the shop cannot
        close for a day on which it earns a month.
"""

from harness import Scenario, checks, experiment, load, runbook

scenario = Scenario(
    name="credential-compromise",
    owner="security",
    load=load("weekend-promotion"),
    fault=experiment("credential-compromise"),
    recovery=runbook("rotate", within_s=300),
    checks=[
        checks.rto,
        checks.rpo,
        checks.stores_agree,
        checks.access_revoked,
        checks.audit_agrees,
        checks.secrets_hidden,
        checks.runbook_done,
        checks.protected_again,
    ],
    requires={"secrets", "audit", "database", "backups", "ingress", "application", "cache"},
    tags={"security", "peak", "nightly"},
)
