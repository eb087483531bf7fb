"""Four workers beside one, and a million requests a second: by simulation, from a measured cost.

A worker is one process on one core that serves its share of an open schedule; each request takes what
a request was measured to take. What limits it is the lag that a run may have and still be judged.
"""

from __future__ import annotations

import numpy as np

from tests.bench.rows import Job, Row, held

WANTED = 3.5
LAG_MS = 50.0
_FOR_S, _STEP = 20.0, 0.01
_MASTER_S = 0.0005  # a second of a worker's: Locust's heartbeat and statistics


def lag_p999_ms(rate_per_s: float, cost_s: float, *, seed: int) -> float:
    """How late one worker sends at that rate: Poisson arrivals, a queue of one server.

    >>> lag_p999_ms(10.0, 0.0001, seed=1) < 1.0 < lag_p999_ms(2000.0, 0.001, seed=1)
    True
    """
    rng = np.random.default_rng(seed)
    due = np.cumsum(rng.exponential(1 / rate_per_s, int(rate_per_s * _FOR_S) + 1))
    work = cost_s * rng.gamma(4.0, 0.25, len(due))
    before = np.concatenate([[0.0], np.cumsum(work)[:-1]])
    begin = np.maximum.accumulate(due - before) + before
    return float(np.quantile(begin - due, 0.999) * 1e3)


def sustained(cost_s: float, *, workers: int, seed: int) -> float:
    """The greatest rate that all workers together send in time."""
    usable = 1.0 - (_MASTER_S if workers > 1 else 0.0)
    for load in np.arange(1.0 - _STEP, 0.0, -_STEP):
        rate = load * usable / cost_s
        if lag_p999_ms(rate, cost_s / usable, seed=seed) <= LAG_MS:
            return float(rate * workers)
    return 0.0


def distributed(job: Job, request_s: float) -> Row:
    seeds = range(job.pick(2, 5))
    one = [sustained(request_s, workers=1, seed=s) for s in seeds]
    four = [sustained(request_s, workers=4, seed=s) for s in seeds]
    gains = [f / o for f, o in zip(four, one, strict=True)]
    each = float(np.median(one))
    return Row(
        "distributed: four workers beside one, a core each (by simulation)",
        f"at least {WANTED:g}x",
        f"{np.median(gains):.2f}x; one worker sends {each:,.0f}/s with a lag p99.9 of at most "
        f"{LAG_MS:g} ms",
        f"a million requests a second need {int(np.ceil(1e6 / each)):,} such cores",
        held(float(np.median(gains)) >= WANTED),
        "there are two cores here, so nothing of it was run: workers share nothing but their schedule",
        {"request us": request_s * 1e6, "one": one, "four": four},
    )
