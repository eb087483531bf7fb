"""The platform `kubernetes`: a reference stack in a cluster, drilled from outside it.

    client.py     the only maker of a client: calls, and what their failures mean
    where.py      which cluster that is
    objects.py    the few objects that are read, as small values
    execution.py  a command in a container: bounded, binary, with its exit status
    site.py       where a reference stack runs, for harness.platforms.reference
    nodes.py      the capability nodes: power cut by the owner's hook, and observed
    hooks.py      the owner's commands: words, no shell, a limit
    manifests.py  deploy/reference as it is brought to one cluster
    state.py      what later commands need to find the platform again
    bringing.py   documents to a cluster, and taking them away
    status.py     what `platform status` tells
    kind.py       all of this as one of several kinds of platform
    facts.py      what it says of itself, also before it is there
    faults.py     faults of the cluster's own, under a lease (eviction, partition, targets, leases)
    tenancy.py    one drill's at a time, also across machines
    rooms.py      a second environment in a namespace of its own (witness, in_common)
    forwarding.py a port of this machine that leads to a part beside its door
    adopting.py   a stack that somebody brought from elsewhere, taken up
    finding.py    what a cluster is found to be
    up.py         bringing it up, and taking away exactly what was brought
    checks.py     what `platform check` looks at, without harm
    platform.py   all of it as a drill sees it

Only here is the cluster's API spoken. May not live here: what a capability of the stack does
(harness.platforms.reference), what runs inside (harness.platforms.reference.inside).
"""
