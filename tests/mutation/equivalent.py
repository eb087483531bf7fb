"""Mutants that no test can kill, each with its reason: what they change cannot be seen.

By module, then by the mutant's key, as the tally prints it.
"""

from __future__ import annotations

_AT_ONCE = "how many are looked at together changes what it takes, and nothing that is found"
_OF_A_BYTE = "a code is a byte: no place beyond 255 is ever asked for"
_NEVER_ASKED = "one place more, of which no key is ever asked"
_APART = "a bit further apart, two keys are still two"
_NOT_BEFORE_DUE = "no answer comes before it is due: none lies between -2 and -1"

EQUIVALENT: dict[str, dict[str, str]] = {
    "arrivals.py": {
        "arrivals_of: 256 -> 512": _OF_A_BYTE,
        "arrivals_of: 1 -> 2": _NOT_BEFORE_DUE,
        "_chain_keys: 1 -> 2": "one chain more, of which there is no call: it is left out",
        "_chain_keys: 1 -> 2 #2": "one worker more without a call has a stretch of nothing",
    },
    "clock_pace.py": {
        "slewed_ppm: 0 -> 1": "a whole nanosecond off is more than any millionths of none or of one",
    },
    "due.py": {
        "DueInTime._read: len(parts) > 1 -> len(parts) >= 1": "one part that is joined is itself",
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
        "Operations.concatenate: 0 -> 1": "there is no row that could bear the worker's number",
        "Operations.concatenate: 0 -> 1 #2": "one empty slot more gives no row more: its state is 0",
    },
    "order_statistics.py": {
        "lower_rank: 1 -> 2 #2": "the search goes down, and only begins one rank higher",
    },
    "orders.py": {"orders_of: 256 -> 512": _OF_A_BYTE, "orders_of: 1 -> 2": _NOT_BEFORE_DUE},
    "presence.py": {": 1 -> 2 #2": _AT_ONCE, ": 15 -> 16": _AT_ONCE},
    "readiness/standing.py": {
        "said_of_workload: 0 -> 1": "every other part is met there, and of those none is told",
    },
    "records.py": {
        "Keys.of: 0 -> 1": "a worker more without a record has a stretch of nothing",
        "Keys.of: 1 -> 2": "a worker more without a record has a stretch of nothing",
        "Keys.of: 0 -> 1 #2": _NEVER_ASKED,
        "Keys.of: 1 -> 2 #2": _NEVER_ASKED,
        "Keys.of: 1 -> 2 #3": _NEVER_ASKED,
        "Keys.of: 1 -> 2 #4": "of what is found it is asked alone whether it is below 0",
    },
    "recovery_point.py": {
        "by_code: 256 -> 512": _OF_A_BYTE,
        "strangers_of: 1 -> 2 #2": "a worker's number has two bytes: no place beyond is asked for",
        "strangers_of: 32 -> 33": _APART,
    },
    "recovery_time.py": {
        "_hung_at: these.intended_ns < seen.end_ns -> these.intended_ns <= seen.end_ns": (
            "what is due at the end of observation has proven nothing before it"
        ),
    },
    "schedule.py": {
        ": 1 -> 2": _AT_ONCE,
        ": 17 -> 18": _AT_ONCE,
        "Planned.canaries_ns: 0.0 -> 1.0": "within no time, or less than a second, as much is due",
        "arrivals_ns: due_ns[1:] >= due_ns[:-1] -> due_ns[1:] > due_ns[:-1]": (
            "what is in order already is the same in order"
        ),
        "Shape.at: True -> False": "a point is a pair by its type: none has a third number",
    },
    "verdict.py": {": 2 -> 3": "which of the three is graver than which stays as it is"},
    "windows.py": {": 1 -> 2": _AT_ONCE, ": 17 -> 18": _AT_ONCE},
    "write_counts.py": {
        "Suffix._last_ns: 0 -> 1": "nothing is acknowledged before the first nanosecond",
        "WriteTally._name: len(named) < EXAMPLES_MAX -> len(named) <= EXAMPLES_MAX": (
            "where no place is left, none is taken"
        ),
        "_recovery_point: of.first_ns is None or of.last_ns is None -> "
        "of.first_ns is None and of.last_ns is None": "both are told by the same calls, or neither",
        "_stale_count: 32 -> 33": _APART,
    },
}
