"""RTO: from the fault's observed effect to the return that lasted, as an interval.

    t_F          t_D                     t_R
     |            |  bad bad bad bad bad  |  good good good ...  (every window W from here: well)
     |<-------------- RTO --------------->|
     low end:  latest t_F    .. the last operation proven bad before t_R
     high end: earliest t_F  .. t_R                        both widened by clock and lag

The definitions are those of measurement.md, section 3. Bins of 1 s begin at t_F. Where one bin
falls below and yet every window from t_F on is well, a lone slow answer is all that happened: the
workload was never out, and the stretch without a GOOD answer is the upper end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harness.core.arrivals import Arrivals
from harness.core.operations import type_bool, type_i64
from harness.core.verdict import RecoveryTime
from harness.core.windows import BIN_NS, Bar, Bins, Counts, is_rising, longest_gap, rising, within

CANARY_LIMIT_NS = 250_000_000
_WELL_AT_END_NS = 2 * BIN_NS  # as the window's own rule: two bins in a row are no accident
_CANDIDATES_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Watch:
    """How a workload was watched, in ns on the run's clock. `window_ns` is W in whole bins."""

    fault_earliest_ns: int
    fault_latest_ns: int
    until_ns: int  # the end of observation
    window_ns: int
    lag_ns: int = 0  # the generator's, p99.9
    clock_error_ns: int = 0
    canary_limit_ns: int = CANARY_LIMIT_NS

    @property
    def widened_by_ns(self) -> int:
        return self.lag_ns + self.clock_error_ns

    @classmethod
    def bins_of(cls, window_s: float) -> int:
        """W in ns, rounded up to whole bins.

        >>> Watch.bins_of(10.2)
        11000000000
        """
        return -(-round(window_s * 1e9) // BIN_NS) * BIN_NS


@dataclass(frozen=True, slots=True)
class _Seen:
    """One workload after t_F, ready to be asked about."""

    watch: Watch
    bar: Bar
    counts: Counts
    bins: Bins
    arrivals: Arrivals
    inside: slice | type_bool  # of these: intended within [t_F, end of observation)
    bad: Arrivals  # these, as far as they are not GOOD
    good_done_ns: type_i64  # rising; of arrivals of any time
    bad_at_ns: type_i64  # rising; of arrivals of any time

    @classmethod
    def of(cls, arrivals: Arrivals, due_ns: type_i64, watch: Watch, bar: Bar) -> _Seen:
        begin, end = watch.fault_earliest_ns, watch.until_ns
        inside, bad = _inside(arrivals, begin, end)
        due_ns = within(rising(due_ns), begin, end)
        counts = Counts.of(arrivals.intended_ns[inside], arrivals.good[inside], due_ns)
        good_done_ns = rising(arrivals.done_ns[arrivals.good & (arrivals.done_ns > begin)])
        bad_at_ns = rising(arrivals.bad_at_ns[~arrivals.good & (arrivals.bad_at_ns > begin)])
        bins = Bins.of(counts, bar, begin, end)
        return cls(watch, bar, counts, bins, arrivals, inside, bad, good_done_ns, bad_at_ns)

    @property
    def failing_windows(self) -> type_bool:
        """Of each window that begins with a bin and ends within the observation."""
        width = self.watch.window_ns // BIN_NS
        count = max(0, (self.watch.until_ns - self.watch.fault_earliest_ns) // BIN_NS - width + 1)
        sums = (np.concatenate([[0], np.cumsum(n)]) for n in _columns(self.bins))
        good, total, due = (s[width : width + count] - s[:count] for s in sums)
        failing = ~self.bar.well(good, total, due)
        for pair in self.bins.pairs.tolist():
            failing[max(0, pair - width + 2) : pair + 1] = True
        return failing

    @property
    def last_window_is_well(self) -> bool:
        end = np.array([self.watch.until_ns])
        return bool(self.counts.well(self.bar, end - self.watch.window_ns, end)[0])


def _inside(arrivals: Arrivals, begin_ns: int, end_ns: int) -> tuple[slice | type_bool, Arrivals]:
    """Which are intended in [begin, end), without a copy where they rise; and the bad of them."""
    intended_ns = arrivals.intended_ns
    if is_rising(intended_ns):
        first, end = np.searchsorted(intended_ns, [begin_ns, end_ns]).tolist()
        here = slice(first, max(first, end))
        return here, arrivals.at(np.flatnonzero(~arrivals.good[here]) + first)
    mask = (intended_ns >= begin_ns) & (intended_ns < end_ns)
    return mask, arrivals.where(mask & ~arrivals.good)


def _columns(bins: Bins) -> tuple[type_i64, type_i64, type_i64]:
    return bins.good, bins.total, bins.due


def recovery_time(
    arrivals: Arrivals, due_ns: type_i64, watch: Watch, *, target_ns: int, bar: Bar | None = None
) -> RecoveryTime:
    """The RTO of one workload, from its arrivals (canaries among them) and its schedule.

    Ten operations a second, refused at once from 0 to 4 s, watched for 30 s:

    >>> S = 10**9
    >>> due = np.arange(0, 30 * S, S // 10)
    >>> bad = due < 4 * S
    >>> done = due + 2_000_000
    >>> yes, no = np.full(len(due), True), np.full(len(due), False)
    >>> seen = Arrivals(np.ones(len(due), np.uint8), yes, due, done, ~bad, ~bad,
    ...                 np.where(bad, done, 0), no)
    >>> watch = Watch(0, 0, until_ns=30 * S, window_ns=10 * S)
    >>> rto = recovery_time(seen, due, watch, target_ns=60 * S)
    >>> rto.low_ns / S, rto.high_ns / S  # last refused at 3.902 s, first served at 4.002 s
    (3.902, 4.002)
    """
    gated = _recovery(_Seen.of(arrivals, due_ns, watch, bar or Bar()), target_ns)
    if bar is None:
        return gated
    full = _recovery(_Seen.of(arrivals, due_ns, watch, Bar()), target_ns)
    return replace(gated, full_low_ns=full.low_ns, full_high_ns=full.high_ns)


def _recovery(seen: _Seen, target_ns: int) -> RecoveryTime:
    watch, bins = seen.watch, seen.bins
    failing = seen.failing_windows
    blank = RecoveryTime(
        target_ns=target_ns,
        low_ns=0,
        high_ns=None,
        recovered=False,
        observed_until_ns=max(0, watch.until_ns - watch.fault_latest_ns),
        resolution_ns=_resolution_ns(seen, hung=True),
        widened_by_ns=watch.widened_by_ns,
        down_ns=BIN_NS * int(np.count_nonzero(bins.down)),
        degraded_ns=BIN_NS * int(np.count_nonzero(~bins.well & ~bins.down)),
        shed=int(np.count_nonzero(seen.arrivals.shed[seen.inside])),
    )
    whole = (watch.fault_earliest_ns, watch.until_ns)
    if not len(failing) and seen.counts.well_within(seen.bar, *whole):
        return replace(blank, well_at_end=True)
    if len(failing) and not failing.any() and not len(bins.pairs) and seen.last_window_is_well:
        return _never_out(seen, blank)
    return _out(seen, blank, failing)


def _never_out(seen: _Seen, blank: RecoveryTime) -> RecoveryTime:
    """Every window from t_F on is well: 0, with the resolution as the upper end."""
    high_ns, first_bad_ns = blank.resolution_ns + seen.watch.clock_error_ns, None
    if not seen.bins.well.all():
        bad_ns = seen.bad.bad_at_ns[_bad_in(seen, ~seen.bins.well)]
        first_bad_ns = _after_fault(seen, _outage_began(seen)[0])
        good_ns = np.concatenate(
            [[seen.watch.fault_earliest_ns], seen.good_done_ns, [seen.watch.until_ns]]
        )
        at = np.searchsorted(good_ns[:-1], bad_ns, side="right")
        longest_ns = int((good_ns[at] - good_ns[at - 1]).max(initial=0))
        high_ns = max(high_ns, longest_ns + seen.watch.widened_by_ns)
    return replace(
        blank,
        high_ns=high_ns,
        recovered=True,
        outage_low_ns=0,
        outage_high_ns=high_ns,
        first_bad_ns=first_bad_ns,
    )


def _out(seen: _Seen, blank: RecoveryTime, failing: type_bool) -> RecoveryTime:
    watch = seen.watch
    began_ns, proven_ns = _outage_began(seen)
    back_ns = _back(seen, began_ns, failing)
    truncated_ns = None if back_ns else _well_at_end_since(seen, began_ns)
    last_bad_ns = _last_bad_before(seen, back_ns or truncated_ns or watch.until_ns)
    wide_ns = watch.widened_by_ns
    first_success = seen.good_done_ns[np.searchsorted(seen.good_done_ns, began_ns, side="right") :]
    found = replace(
        blank,
        low_ns=max(0, last_bad_ns - watch.fault_latest_ns - wide_ns),
        outage_low_ns=max(0, last_bad_ns - proven_ns - wide_ns),
        resolution_ns=_resolution_ns(seen, hung=_hung_at(seen, last_bad_ns)),
        first_bad_ns=_after_fault(seen, began_ns),
        first_success_ns=_after_fault(seen, int(first_success[0])) if len(first_success) else None,
        flaps=_flaps(seen, began_ns, failing),
        well_at_end=truncated_ns is not None,
    )
    if back_ns is None:
        return found
    return replace(
        found,
        recovered=True,
        high_ns=back_ns - watch.fault_earliest_ns + wide_ns,
        outage_high_ns=back_ns - _last_good_before(seen, began_ns) + wide_ns,
    )


def _outage_began(seen: _Seen) -> tuple[int, int]:
    """t_D, the first bad event in the first bin that is not well, and when it was proven."""
    below = np.flatnonzero(~seen.bins.well)
    if not len(below):  # only the last window is below, across its bins
        return seen.watch.fault_earliest_ns, seen.watch.fault_latest_ns
    first = np.arange(len(seen.bins)) == below[0]
    bad = _bad_in(seen, first)
    if not bad.any():  # its arrivals were never sent
        edge_ns = int(seen.bins.edges_ns[below[0]])
        return edge_ns, edge_ns
    began_ns = int(seen.bad.bad_at_ns[bad].min())
    done_ns = seen.bad.done_ns[bad]
    return began_ns, max(began_ns, int(done_ns[done_ns > 0].min(initial=seen.watch.until_ns)))


def _bad_in(seen: _Seen, bins: type_bool) -> type_bool:
    """Which of the bad arrivals are of the marked bins."""
    return bins[(seen.bad.intended_ns - seen.watch.fault_earliest_ns) // BIN_NS]


def _back(seen: _Seen, began_ns: int, failing: type_bool) -> int | None:
    """t_R: the earliest GOOD completion after t_D from which on every window is well."""
    watch, bins = seen.watch, seen.bins
    if not seen.last_window_is_well:
        return None
    last_failing = int(np.flatnonzero(failing)[-1]) if failing.any() else 0
    last_pair = int(bins.pairs[-1]) if len(bins.pairs) else 0
    from_ns = max(int(bins.edges_ns[max(last_failing, last_pair)]), began_ns + 1)
    first, end = np.searchsorted(
        seen.good_done_ns, [from_ns, watch.until_ns - watch.window_ns + 1]
    ).tolist()
    next_well = np.append(bins.well[1:], [True, True])
    for start in range(first, end, _CANDIDATES_AT_ONCE):
        at_ns = seen.good_done_ns[start : min(start + _CANDIDATES_AT_ONCE, end)]
        index = (at_ns - watch.fault_earliest_ns) // BIN_NS
        next_edge_ns = watch.fault_earliest_ns + (index + 1) * BIN_NS
        window = seen.counts.well(seen.bar, at_ns, at_ns + watch.window_ns)
        pair = ~seen.counts.well(seen.bar, at_ns, next_edge_ns) & ~next_well[index]
        fits = np.flatnonzero(window & ~pair)
        if len(fits):
            return int(at_ns[fits[0]])
    return None


def _well_at_end_since(seen: _Seen, began_ns: int) -> int | None:
    """Like t_R, for a return too late for a whole window: well from here on, for 2 s or more."""
    until = seen.watch.until_ns
    after_ns = max(began_ns, until - seen.watch.window_ns)
    if len(seen.bins.pairs):
        after_ns = max(after_ns, int(seen.bins.edges_ns[seen.bins.pairs[-1]]))
    first, end = np.searchsorted(
        seen.good_done_ns, [after_ns, until - _WELL_AT_END_NS], side="right"
    ).tolist()
    at_ns = seen.good_done_ns[first:end]
    fits = np.flatnonzero(seen.counts.well(seen.bar, at_ns, np.full_like(at_ns, until)))
    return int(at_ns[fits[0]]) if len(fits) else None


def _flaps(seen: _Seen, began_ns: int, failing: type_bool) -> int:
    """Stretches of passing windows after t_D that a failing one followed."""
    if not failing.any():
        return 0
    begin = seen.bins.index(began_ns) + 1
    between = failing[begin : int(np.flatnonzero(failing)[-1]) + 1]
    return int(np.count_nonzero(~between[:-1] & between[1:]))


def _last_bad_before(seen: _Seen, at_ns: int) -> int:
    before = int(np.searchsorted(seen.bad_at_ns, at_ns))
    return int(seen.bad_at_ns[before - 1]) if before else seen.watch.fault_earliest_ns


def _last_good_before(seen: _Seen, at_ns: int) -> int:
    """The outage began no earlier than the last arrival that was served whole before it."""
    of, inside, since_ns = seen.arrivals, seen.inside, seen.watch.fault_earliest_ns
    served = of.good[inside] & (of.done_ns[inside] <= at_ns)
    return int(np.max(of.intended_ns[inside], where=served, initial=since_ns))


def _hung_at(seen: _Seen, bad_at_ns: int) -> bool:
    """Whether the arrival that proved the platform bad at that instant hung."""
    these = seen.bad.bad_at_ns == bad_at_ns
    return bool((seen.bad.done_ns[these] != bad_at_ns).any()) if these.any() else True


def _resolution_ns(seen: _Seen, *, hung: bool) -> int:
    """1/rate, as the longest gap that the schedule left, plus lag, plus what a canary waits."""
    watch = seen.watch
    gap_ns = longest_gap(seen.counts.due_ns, watch.fault_earliest_ns, watch.until_ns)
    return gap_ns + watch.lag_ns + (watch.canary_limit_ns if hung else 0)


def _after_fault(seen: _Seen, at_ns: int) -> int:
    return max(0, at_ns - seen.watch.fault_latest_ns)
