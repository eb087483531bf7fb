"""A page of the product catalogue is corrupt on the primary's disk, while customers order.

Claim   The damage is found by the database's own word, the sound standby takes over within the
        declared RTO, and not one acknowledged order is lost. At the end no node and no backup
        carries the damage, and the original leader leads again.
Method  Weekend-promotion load. Random bytes go into the page of product_template that is read
        most. Then the runbook: detect, look the standby over, switch over, throw the damaged
        copy away and copy it anew, take and verify a base backup; and back again.
Why     A primary that merely rejoins brings its damage along, and a backup that nobody looked
        into keeps it.
"""

from harness import Scenario, checks, experiment, load, runbook

scenario = Scenario(
    name="page-corruption",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("page-corruption", node="primary", table="product_template"),
    recovery=runbook("reinitialise", within_s=300),
    failback=runbook("failback", within_s=120),
    checks=[
        checks.rto,
        checks.rpo,
        checks.stores_agree,
        checks.nothing_corrupt,
        checks.runbook_done,
        checks.protected_again,
    ],
    requires={"nodes", "database.standby", "database.damage", "backups", "ingress"},
    tags={"peak", "nightly"},
)
