"""Where a run's load comes from: processes beside the harness, or pods of the cluster.

    place.py      what a place and its workers are, and which one a plan asks for
    here.py       Locust and its worker processes as children
    pods.py       Locust's master and workers as pods: brought up, begun, stopped, collected
    orders.py     what a pod is told: the plan on its own clock, passwords by stream
    beside.py     the words that the harness and a pod exchange
    keeper.py     one thread a pod: its clock, its lease, its passwords, its ledger as it grows
    collecting.py the ledgers at the end, by their checksums
    goodbyes.py   which workers said goodbye, and which did not

May not live here: the cluster's API (harness.platforms.kubernetes), bounds and translation of
clocks (harness.core), a verdict.
"""
