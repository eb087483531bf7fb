"""Mutants that no test can kill, each with its reason: what they change cannot be seen.

By module, then by the mutant's key, as the tally prints it.
"""

from __future__ import annotations

_AT_ONCE = "how many are looked at together changes what it takes, and nothing that is found"

EQUIVALENT: dict[str, dict[str, str]] = {
    "clock_pace.py": {
        "slewed_ppm: 0 -> 1": "a whole nanosecond off is more than any millionths of none or of one",
    },
    "gate/cells.py": {
        "_decided: miss_rate.at_least(missed, runs, confidence) > 1 - quantile -> "
        "miss_rate.at_least(missed, runs, confidence) >= 1 - quantile": (
            "a bound is a root of a beta law: it is never a declared share to the last bit"
        ),
    },
    "gate/miss_rate.py": {
        "fewest: high > MOST_RUNS -> high >= MOST_RUNS": "powers of two are asked: none is 100,000",
    },
    "operations.py": {
        "Operations.concatenate: 0 -> 1 #2": "one empty slot more gives no row more: its state is 0",
    },
    "order_statistics.py": {
        "lower_rank: 1 -> 2 #2": "the search goes down, and only begins one rank higher",
    },
    "presence.py": {": 1 -> 2 #2": _AT_ONCE, ": 15 -> 16": _AT_ONCE},
    "readiness/standing.py": {
        "said_of_workload: 0 -> 1": "every other part is met there, and of those none is told",
    },
    "recovery_time.py": {": 4096 -> 8192": _AT_ONCE},
    "schedule.py": {": 1 -> 2": _AT_ONCE, ": 17 -> 18": _AT_ONCE},
    "windows.py": {": 1 -> 2": _AT_ONCE, ": 17 -> 18": _AT_ONCE},
}
