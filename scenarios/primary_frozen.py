"""The primary freezes at the height of a weekend promotion, and wakes up as if nothing had been.

Claim   The standby takes over by itself: orders are accepted again within the declared RTO, and
        not one acknowledged order is lost, neither in the takeover nor when the old primary wakes
        up and finds itself replaced.
Method  Weekend-promotion load. Then every process of the node under the primary stands still at
        once, as a paused virtual machine does. Its connections stay open and nobody answers: a
        client without a deadline of his own hangs. Nobody repairs anything; after the recovery
        the node goes on where it stood.
Why     Hypervisors pause machines for snapshots and migrations, and a controller that hangs looks
        the same. Nothing is refused and nothing is reset, so what would have noticed a dead
        machine at once waits.
"""

from harness import Scenario, automatic, checks, experiment, load

scenario = Scenario(
    name="primary-frozen",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("container-pause", node="primary"),
    recovery=automatic(within_s=120),
    checks=[checks.rto, checks.rpo, checks.stores_agree],
    requires={"nodes", "database.standby", "ingress", "faults.container-pause"},
    tags={"peak", "frozen"},
)
