"""Harm so far: the customers' arrivals that were not served, from the ledgers as they grow.

For the guard rails and the live page. What was really lost is judged later, from all the evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.core.arrivals import Arrivals
from harness.core.guard import ORDERS, Harm
from harness.core.operations import type_bool
from harness.core.plan import Plan
from harness.live import Recent

_MINUTE_NS = 60 * 10**9
_SLACK_NS = 10 * 10**9  # a call may be written down so late


@dataclass
class HarmSoFar:
    """One look after another; what is older than the window is summed up and forgotten."""

    directory: Path
    plan: Plan
    begin_ns: int
    _recent: Recent = field(init=False)
    _limit_ns: np.ndarray[tuple[int], np.dtype[np.int64]] = field(init=False)
    _cents: np.ndarray[tuple[int], np.dtype[np.int64]] = field(init=False)
    _is_order: np.ndarray[tuple[int], np.dtype[np.bool_]] = field(init=False)
    _settled_until_ns: int = 0
    _settled: Harm = field(default_factory=Harm)

    def __post_init__(self) -> None:
        self._limit_ns = np.zeros(256, dtype=np.int64)
        self._cents = np.zeros(256, dtype=np.int64)
        self._is_order = np.zeros(256, dtype=np.bool_)
        for target in self.plan.targets.workloads:
            code = target.workload.code
            self._limit_ns[code] = round(target.latency_limit_s * 1e9)
            self._cents[code] = target.revenue_per_operation_cents
            self._is_order[code] = target.workload in ORDERS
        kept_ns = _MINUTE_NS + int(self._limit_ns.max()) + _SLACK_NS
        self._recent = Recent(self.directory, self.plan, kept_ns)

    def look(self, now_ns: int) -> Harm:
        """An arrival counts once its latency limit has passed without a good answer."""
        arrivals = self._recent.arrivals(now_ns)
        due_ns = arrivals.intended_ns + self._limit_ns[arrivals.workload]
        bad = ~arrivals.good & ~arrivals.canary & (due_ns <= now_ns)
        minute = bad & (due_ns > now_ns - _MINUTE_NS)
        open_ = bad & (due_ns > self._settled_until_ns)
        self._settle(arrivals, open_, due_ns <= now_ns - _MINUTE_NS, now_ns)
        rest = open_ & (due_ns > self._settled_until_ns)
        return Harm(
            refused_last_minute=self._orders(arrivals, minute),
            orders=self._settled.orders + self._orders(arrivals, rest),
            money_cents=self._settled.money_cents + self._money(arrivals, rest),
        )

    def silent_s(self, now_ns: int) -> float:
        """The age of the last sign of life of the worker that is silent for longest."""
        signs = [self._recent.sent_ns.get(w, self.begin_ns) for w in range(self.plan.workers)]
        return max(0, now_ns - max(self.begin_ns, min(signs))) / 1e9

    def _settle(self, arrivals: Arrivals, bad: type_bool, old: type_bool, now_ns: int) -> None:
        """Sum up what is older than a minute: no late answer makes it good any more."""
        done = bad & old
        self._settled = Harm(
            orders=self._settled.orders + self._orders(arrivals, done),
            money_cents=self._settled.money_cents + self._money(arrivals, done),
        )
        self._settled_until_ns = max(self._settled_until_ns, now_ns - _MINUTE_NS)

    def _orders(self, arrivals: Arrivals, mask: type_bool) -> int:
        return int(np.count_nonzero(self._is_order[arrivals.workload[mask]]))

    def _money(self, arrivals: Arrivals, mask: type_bool) -> int:
        return int(self._cents[arrivals.workload[mask]].sum())
