"""Mutants that no test can kill, each with its reason: what they change cannot be seen.

By module, then by the mutant's key, as the tally prints it.
"""

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {
    "clock_pace.py": {
        "slewed_ppm: 0 -> 1": "a whole nanosecond off is more than any millionths of none or of one",
    },
    "gate/miss_rate.py": {
        "fewest: high > MOST_RUNS -> high >= MOST_RUNS": "powers of two are asked: none is 100,000",
    },
    "operations.py": {
        "Operations.concatenate: 0 -> 1 #2": "one empty slot more gives no row more: its state is 0",
    },
    "readiness/standing.py": {
        "said_of_workload: 0 -> 1": "every other part is met there, and of those none is told",
    },
}
