"""A node without a database is lost at the height of a weekend promotion.

Claim   Who keeps no data is started elsewhere by the cluster, and orders are accepted again; the
        marketplace waits for its queue, which has one copy and stays with its node.
Method  Weekend-promotion load. Then every process of a node without a database dies at once.
Why     A drill that only ever takes the primary's node says nothing of the doors.
"""

from harness import Scenario, automatic, checks, experiment, load

scenario = Scenario(
    name="bystander-loss",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("node-loss", node="bystander"),
    recovery=automatic(within_s=120),
    checks=[checks.rto, checks.rpo, checks.stores_agree],
    requires={"nodes", "database.standby", "ingress"},
    tags={"peak"},
)
