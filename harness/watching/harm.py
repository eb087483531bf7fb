"""Harm so far: the customers' arrivals that were not served, from the ledgers as they grow.

For the guard rails and the live page. What was really lost is judged later, from all the evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.core.arrivals import Arrivals
from harness.core.guard import ORDERS, Harm
from harness.core.operations import type_bool, type_i64
from harness.core.plan import Plan
from harness.watching.live import Recent, type_clock, unmoved

_MINUTE_NS = 60 * 10**9
_SETTLED_NS = 2 * 10**9  # once so long past its limit, no answer is still to be written down
_MARGIN_NS = 10 * 10**9  # the calls of one arrival stay together

type_cents = npt.NDArray[np.int64]


@dataclass
class HarmSoFar:
    """One look after another; what is settled is summed up, and not read again."""

    directory: Path
    plan: Plan
    begin_ns: int
    on_run_clock: type_clock = unmoved
    _recent: Recent = field(init=False)
    _limit_ns: type_i64 = field(init=False)
    _cents: type_cents = field(init=False)
    _is_order: type_bool = field(init=False)
    _settled_until_ns: int = 0
    _settled: Harm = field(default_factory=Harm)
    _minute_ns: type_i64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        self._limit_ns = np.zeros(256, dtype=np.int64)
        self._cents = np.zeros(256, dtype=np.int64)
        self._is_order = np.zeros(256, dtype=np.bool_)
        for target in self.plan.targets.workloads:
            code = target.workload.code
            self._limit_ns[code] = round(target.latency_limit_s * 1e9)
            self._cents[code] = target.revenue_per_operation_cents
            self._is_order[code] = target.workload in ORDERS
        kept_ns = int(self._limit_ns.max()) + _SETTLED_NS + _MARGIN_NS
        self._recent = Recent(self.directory, self.plan, kept_ns, self.on_run_clock)

    def look(self, now_ns: int) -> Harm:
        """An arrival counts once its latency limit has passed without a good answer."""
        since_ns = self._settled_until_ns - int(self._limit_ns.max())  # a late look reads on
        arrivals = self._recent.arrivals(now_ns, since_ns=since_ns)
        due_ns = arrivals.intended_ns + self._limit_ns[arrivals.workload]
        bad = ~arrivals.good & ~arrivals.canary & (due_ns > self._settled_until_ns)
        settled_ns = now_ns - _SETTLED_NS
        self._settled = self._plus(arrivals, bad & (due_ns <= settled_ns))
        orders = self._is_order[arrivals.workload]
        done_ns = np.concatenate([self._minute_ns, due_ns[bad & orders & (due_ns <= settled_ns)]])
        self._minute_ns = done_ns[done_ns > now_ns - _MINUTE_NS]
        self._settled_until_ns = max(self._settled_until_ns, settled_ns)
        rest = bad & (due_ns > self._settled_until_ns) & (due_ns <= now_ns)
        minute = len(self._minute_ns) + int(np.count_nonzero(rest & orders))
        return replace(self._plus(arrivals, rest), refused_last_minute=minute)

    def silent_s(self, now_ns: int) -> float:
        """The age of the last sign of life of the worker that is silent for longest."""
        signs = [self._recent.sent_ns.get(w, self.begin_ns) for w in range(self.plan.workers)]
        return max(0, now_ns - max(self.begin_ns, min(signs))) / 1e9

    def _plus(self, arrivals: Arrivals, mask: type_bool) -> Harm:
        """The sum so far, and the arrivals of `mask`."""
        workload = arrivals.workload[mask]
        return Harm(
            orders=self._settled.orders + int(np.count_nonzero(self._is_order[workload])),
            money_cents=self._settled.money_cents + int(self._cents[workload].sum()),
        )
