"""The primary is cut off from the network, and does not know that it is alone.

Claim   The standby takes over within the declared RTO; the primary, which still runs, stops taking
        writes by itself. Not one acknowledged order is lost, and no two primaries ever were.
Method  Weekend-promotion load. A NetworkPolicy then lets nothing in or out of the primary's pod.
        Whether it bites is tried by connections from inside pods, never believed.
Why     A switch, a firewall rule, a policy: half of the network fails more often than a machine.
"""

from harness import Scenario, automatic, checks, experiment, load

scenario = Scenario(
    name="partition",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("partition", pods="primary"),
    recovery=automatic(within_s=120),
    checks=[checks.rto, checks.rpo, checks.stores_agree],
    requires={"faults.cluster", "database.standby", "ingress"},
    tags={"peak", "kubernetes"},
)
