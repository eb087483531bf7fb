"""A node is drained for maintenance at the peak: nobody notices.

Claim   The node under the primary is emptied with notice: the database hands over, replicas come
        up elsewhere, orders go on within the declared RTO, and not one is lost.
Method  Weekend-promotion load. The node is cordoned, and what the platform has on it is evicted,
        within the disruption budgets, as `kubectl drain` does. It stays closed to the end.
Why     Nodes are patched every month, and the cluster does it whenever it likes. A budget that
        lets no pod go stops the patch instead: the drill then says which one.
"""

from harness import Scenario, automatic, checks, experiment, load

scenario = Scenario(
    name="node-drain",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("node-drain", node="primary"),
    recovery=automatic(within_s=120),
    checks=[checks.rto, checks.rpo, checks.stores_agree],
    requires={"faults.cluster", "database.standby", "ingress"},
    tags={"peak", "kubernetes"},
)
