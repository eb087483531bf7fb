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
from harness.core.due import Due
from harness.core.in_time import Timed
from harness.core.operations import type_bool, type_i64
from harness.core.seen import Seen
from harness.core.verdict import RecoveryTime
from harness.core.windows import BIN_NS, Bar

CANARY_LIMIT_NS = 250_000_000
_WELL_AT_END_NS = 2 * BIN_NS  # as the window's own rule: two bins in a row are no accident


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


def recovery_time(
    arrivals: Timed | Arrivals,
    due: Due | type_i64,
    watch: Watch,
    *,
    target_ns: int,
    bar: Bar | None = None,
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
    timed = Timed.of(arrivals) if isinstance(arrivals, Arrivals) else arrivals
    schedule = due if isinstance(due, Due) else Due.of(due)
    watched = watch.fault_earliest_ns, watch.until_ns
    seen = Seen.of(timed, schedule, watched, watch.window_ns, bar or Bar())
    gated = _recovery(watch, seen, target_ns)
    if bar is None:
        return gated
    full = _recovery(watch, seen.by(Bar()), target_ns)
    return replace(gated, full_low_ns=full.low_ns, full_high_ns=full.high_ns)


def _recovery(watch: Watch, seen: Seen, target_ns: int) -> RecoveryTime:
    bins = seen.bins
    failing = seen.failing_windows
    blank = RecoveryTime(
        target_ns=target_ns,
        low_ns=0,
        high_ns=None,
        recovered=False,
        observed_until_ns=max(0, watch.until_ns - watch.fault_latest_ns),
        resolution_ns=_resolution_ns(watch, seen, hung=True),
        widened_by_ns=watch.widened_by_ns,
        down_ns=BIN_NS * int(np.count_nonzero(bins.down)),
        degraded_ns=BIN_NS * int(np.count_nonzero(~bins.well & ~bins.down)),
        shed=seen.shed,
    )
    if not len(failing) and seen.whole_is_well:
        return replace(blank, well_at_end=True)
    if len(failing) and not failing.any() and not len(bins.pairs) and seen.last_window_is_well:
        return _never_out(watch, seen, blank)
    return _out(watch, seen, blank, failing)


def _never_out(watch: Watch, seen: Seen, blank: RecoveryTime) -> RecoveryTime:
    """Every window from t_F on is well: 0, with the resolution as the upper end."""
    high_ns, first_bad_ns = blank.resolution_ns + watch.clock_error_ns, None
    if not seen.bins.well.all():
        first_bad_ns = _after_fault(watch, _outage_began(watch, seen)[0])
        high_ns = max(high_ns, seen.longest_unserved_ns() + watch.widened_by_ns)
    return replace(
        blank,
        high_ns=high_ns,
        recovered=True,
        outage_low_ns=0,
        outage_high_ns=high_ns,
        first_bad_ns=first_bad_ns,
    )


def _out(watch: Watch, seen: Seen, blank: RecoveryTime, failing: type_bool) -> RecoveryTime:
    began_ns, proven_ns = _outage_began(watch, seen)
    back_ns = _back(watch, seen, began_ns, failing)
    truncated_ns = None if back_ns else _well_at_end_since(watch, seen, began_ns)
    last_bad_ns = _last_bad_before(watch, seen, back_ns or truncated_ns or watch.until_ns)
    wide_ns = watch.widened_by_ns
    first_success_ns = seen.arrivals.served_after(max(began_ns, watch.fault_earliest_ns))
    found = replace(
        blank,
        low_ns=max(0, last_bad_ns - watch.fault_latest_ns - wide_ns),
        outage_low_ns=max(0, last_bad_ns - proven_ns - wide_ns),
        resolution_ns=_resolution_ns(watch, seen, hung=_hung_at(seen, last_bad_ns)),
        first_bad_ns=_after_fault(watch, began_ns),
        first_success_ns=None
        if first_success_ns is None
        else _after_fault(watch, first_success_ns),
        flaps=_flaps(seen, began_ns, failing),
        well_at_end=truncated_ns is not None,
    )
    if back_ns is None:
        return found
    return replace(
        found,
        recovered=True,
        high_ns=back_ns - watch.fault_earliest_ns + wide_ns,
        outage_high_ns=back_ns - _last_good_before(watch, seen, began_ns) + wide_ns,
    )


def _outage_began(watch: Watch, seen: Seen) -> tuple[int, int]:
    """t_D, the first bad event in the first bin that is not well, and when it was proven."""
    below = np.flatnonzero(~seen.bins.well)
    if not len(below):  # only the last window is below, across its bins
        return watch.fault_earliest_ns, watch.fault_latest_ns
    edge_ns, end_ns = int(seen.bins.edges_ns[below[0]]), int(seen.bins.ends_ns[below[0]])
    here = seen.arrivals.within(edge_ns, end_ns)
    bad = here.where(~here.good)
    if not len(bad):  # its arrivals were never sent
        return edge_ns, edge_ns
    began_ns = int(bad.bad_at_ns.min())
    done_ns = bad.done_ns[bad.done_ns > 0]
    return began_ns, max(began_ns, int(done_ns.min(initial=watch.until_ns)))


def _back(watch: Watch, seen: Seen, began_ns: int, failing: type_bool) -> int | None:
    """t_R: the earliest GOOD completion after t_D from which on every window is well."""
    bins = seen.bins
    if not seen.last_window_is_well:
        return None
    last_failing = int(np.flatnonzero(failing)[-1]) if failing.any() else 0
    last_pair = int(bins.pairs[-1]) if len(bins.pairs) else 0
    from_ns = max(int(bins.edges_ns[max(last_failing, last_pair)]), began_ns + 1)
    end_ns, wide = watch.until_ns - watch.window_ns + 1, watch.window_ns // BIN_NS
    next_well = np.append(bins.well[1:], [True, True])
    for index, at_ns in seen.served(from_ns, end_ns):
        here, then = seen.before(at_ns, index), seen.before(at_ns + watch.window_ns, index + wide)
        window = seen.bar.well(*(after - before for before, after in zip(here, then, strict=True)))
        ends = seen.before_bin(index + 1)
        rest = seen.bar.well(*(end - before for before, end in zip(here, ends, strict=True)))
        fits = np.flatnonzero(window & (rest | next_well[index]))
        if len(fits):
            return int(at_ns[fits[0]])
    return None


def _well_at_end_since(watch: Watch, seen: Seen, began_ns: int) -> int | None:
    """Like t_R, for a return too late for a whole window: well from here on, for 2 s or more."""
    until, bins = watch.until_ns, seen.bins
    after_ns = max(began_ns, until - watch.window_ns)
    if len(bins.pairs):
        after_ns = max(after_ns, int(bins.edges_ns[bins.pairs[-1]]))
    every = seen.before_bin(len(bins))
    for index, at_ns in seen.served(after_ns + 1, until - _WELL_AT_END_NS + 1):
        here = seen.before(at_ns, index)
        rest = (end - before for before, end in zip(here, every, strict=True))
        fits = np.flatnonzero(seen.bar.well(*rest))
        if len(fits):
            return int(at_ns[fits[0]])
    return None


def _flaps(seen: Seen, began_ns: int, failing: type_bool) -> int:
    """Stretches of passing windows after t_D that a failing one followed."""
    if not failing.any():
        return 0
    begin = seen.bins.index(began_ns) + 1
    between = failing[begin : int(np.flatnonzero(failing)[-1]) + 1]
    return int(np.count_nonzero(~between[:-1] & between[1:]))


def _last_bad_before(watch: Watch, seen: Seen, at_ns: int) -> int:
    since_ns, found_ns = watch.fault_earliest_ns, seen.arrivals.bad_before(at_ns)
    return since_ns if found_ns is None else max(since_ns, found_ns)


def _last_good_before(watch: Watch, seen: Seen, at_ns: int) -> int:
    """The outage began no earlier than the last arrival that was served whole before it."""
    found_ns = seen.arrivals.last_served_by(at_ns, seen.begin_ns, seen.end_ns)
    return watch.fault_earliest_ns if found_ns is None else found_ns


def _hung_at(seen: Seen, bad_at_ns: int) -> bool:
    """Whether the arrival that proved the platform bad at that instant hung."""
    at_once = False
    for these in seen.arrivals.bad_at(bad_at_ns):
        inside = (these.intended_ns >= seen.begin_ns) & (these.intended_ns < seen.end_ns)
        at_once |= bool(inside.any())
        if (these.done_ns[inside] != bad_at_ns).any():
            return True
    return not at_once


def _resolution_ns(watch: Watch, seen: Seen, *, hung: bool) -> int:
    """1/rate, as the longest gap that the schedule left, plus lag, plus what a canary waits."""
    return seen.gap_ns + watch.lag_ns + (watch.canary_limit_ns if hung else 0)


def _after_fault(watch: Watch, at_ns: int) -> int:
    return max(0, at_ns - watch.fault_latest_ns)
