"""The instrument, tested by whoever uses it: planted defects that a drill must catch, exactly.

    lies        which calls are lied about, and how: pure
    liar        the proxy that tells the lies, between the load and the application
    saboteurs   what is done to the instrument itself while it measures
    skewed      a worker's clock, as a copy of a run's evidence tells of it
    unhealed    a node that is lost, and kept from its undo: where that may be
    conduct     one round: the stores' defects in one run, the instrument's in a short run each

A lie is told at the wire, so that the same defects can be planted on every platform, without a
hand in its stores. May not live here: what decides whether a defect was caught; that is pure, in
harness/core/selftest.py.
"""
