"""One replica of the application dies at the height of a weekend promotion.

Claim   The other replica carries on and the cluster replaces the dead one by itself: orders are
        accepted again within the declared RTO, and not one acknowledged order is lost.
Method  Weekend-promotion load. Then one pod of the application is deleted with one second to go,
        and its death seen. Nobody repairs anything; the drill watches.
Why     Out of memory, a crash, an eviction: pods die every day, and no budget is asked first.
"""

from harness import Scenario, automatic, checks, experiment, load

scenario = Scenario(
    name="pod-kill",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("pod-kill", pods="application"),
    recovery=automatic(within_s=120),
    checks=[checks.rto, checks.rpo, checks.stores_agree],
    requires={"faults.cluster", "application", "ingress"},
    tags={"peak", "kubernetes"},
)
