"""A node is lost at the height of a weekend promotion.

Claim   The standby takes over by itself: orders are accepted again within the declared RTO,
        and not one acknowledged order is lost.
Method  Weekend-promotion load. Then every process of the node under the primary dies at once:
        no drain, no SIGTERM, no goodbye. Nobody repairs anything; the drill watches.
Why     Promotions begin on Friday evening, and nobody is on site until Monday.
"""

from harness import Scenario, automatic, checks, experiment, load

scenario = Scenario(
    name="node-loss",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("node-loss", node="primary"),
    recovery=automatic(within_s=120),
    checks=[checks.rto, checks.rpo, checks.stores_agree],
    requires={"nodes", "database.standby", "ingress"},
    tags={"peak", "nightly"},
)
