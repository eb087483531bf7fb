"""Two releases side by side, row by row; only what is alike shares a row. Pure.

A row is one scenario, workload, size, absolute rate, target, platform and configuration. Times are
order statistics of intervals, never means: the median is an interval, too. What ran on one side
only keeps a row of its own, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from harness.core.many_runs import runs, verdicts
from harness.core.operation import Workload
from harness.core.outcome import Outcome, WorkloadOutcome
from harness.core.verdict import Verdict

Interval = tuple[int, int | None]
"""Low and high end in ns; a high end of None is not recovered."""

_FIT = {Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE}


@dataclass(frozen=True, slots=True)
class Terms:
    """What two runs must share to stand in one row."""

    scenario: str
    fault: str
    size: str
    tenant: str
    platform: str
    kind: str
    configuration: str
    workload: Workload
    rate_per_s: float
    rto_target_ns: int
    rpo_target_ns: int | None  # None: not applicable

    @property
    def order(self) -> tuple[str, ...]:
        """Rows of one kind stand together, workloads as the reports have them."""
        kind = (self.scenario, self.fault, self.size, self.tenant, self.platform, self.kind)
        numbers = (self.rate_per_s, self.rto_target_ns, self.rpo_target_ns or 0)
        place = (f"{self.workload.code:03d}", *(f"{number:024.6f}" for number in numbers))
        return (*kind, self.configuration, *place)


_TOLD = {
    "fault": "fault", "size": "size", "rate_per_s": "absolute rate", "rto_target_ns": "RTO target",
    "rpo_target_ns": "RPO target", "tenant": "tenant", "platform": "platform",
    "kind": "application", "configuration": "configuration",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spread:
    """Recovery times of the runs that were fit to judge and have one."""

    runs: int
    least: Interval
    median: Interval
    most: Interval


@dataclass(frozen=True, slots=True)
class Side:
    """One release in one row."""

    runs: int
    verdicts: tuple[tuple[Verdict, int], ...]
    rto: Spread | None  # None: no run has a recovery time
    acked: int
    lost: int
    violations: int
    lossy_runs: int  # in which a loss or a violation is proven
    lost_value_cents: int


@dataclass(frozen=True, slots=True)
class Row:
    terms: Terms
    baseline: Side | None
    candidate: Side | None
    why: str  # it has one side; "" where it has both


@dataclass(frozen=True, slots=True)
class Comparison:
    baseline: str
    candidate: str
    answer: str
    rows: tuple[Row, ...]

    @property
    def comparable(self) -> bool:
        return any(not row.why for row in self.rows)


def side_by_side(outcomes: Iterable[Outcome], baseline: str, candidate: str) -> Comparison:
    """All runs of two releases; of any other release, none."""
    told = tuple(outcomes)
    before = [o for o in told if o.release == baseline]
    after = [o for o in told if o.release == candidate]
    left, right = _grouped(before), _grouped(after)
    rows = tuple(
        Row(
            terms,
            _side(left[terms]) if terms in left else None,
            _side(right[terms]) if terms in right else None,
            _why(terms, left, right, baseline, candidate),
        )
        for terms in sorted({*left, *right}, key=lambda terms: terms.order)
    )
    return Comparison(baseline, candidate, _answer(before, after, baseline, candidate, rows), rows)


def spread(found: Sequence[Interval]) -> Spread | None:
    """Order statistics of intervals: of low ends for the low end, of high ends for the high one.

    Of an even number the median lies between two of them, and so its interval spans both.

    >>> spread([(1, 2), (3, 5), (4, 6), (9, None)]).median
    (3, 6)
    >>> spread([(1, 2), (9, None)]).most
    (9, None)
    """
    if not found:
        return None
    count = len(found)
    lows = sorted(low for low, _ in found)
    highs: list[int | None] = [*sorted(high for _, high in found if high is not None)]
    highs += [None] * (count - len(highs))
    return Spread(
        runs=count,
        least=(lows[0], highs[0]),
        median=(lows[(count - 1) // 2], highs[count // 2]),
        most=(lows[-1], highs[-1]),
    )


def _grouped(outcomes: list[Outcome]) -> dict[Terms, list[WorkloadOutcome]]:
    grouped: dict[Terms, list[WorkloadOutcome]] = {}
    for outcome in outcomes:
        for workload in outcome.workloads:
            grouped.setdefault(_terms(outcome, workload), []).append(workload)
    return grouped


def _terms(outcome: Outcome, workload: WorkloadOutcome) -> Terms:
    return Terms(
        scenario=outcome.scenario,
        fault=outcome.fault,
        workload=workload.workload,
        size=outcome.size,
        rate_per_s=workload.rate_per_s,
        rto_target_ns=workload.rto_target_ns,
        rpo_target_ns=workload.rpo_target_ns,
        tenant=outcome.tenant,
        platform=outcome.platform,
        kind=outcome.kind,
        configuration=outcome.configuration,
    )


def _side(found: list[WorkloadOutcome]) -> Side:
    times = [
        (w.rto_low_ns, w.rto_high_ns)
        for w in found
        if w.rto_low_ns is not None and w.verdict in _FIT
    ]
    counts = [(verdict, sum(w.verdict is verdict for w in found)) for verdict in Verdict]
    return Side(
        runs=len(found),
        verdicts=tuple((verdict, count) for verdict, count in counts if count),
        rto=spread(times),
        acked=sum(w.acked for w in found),
        lost=sum(w.lost for w in found),
        violations=sum(w.violations for w in found),
        lossy_runs=sum(w.proven_loss for w in found),
        lost_value_cents=sum(w.lost_value_cents for w in found),
    )


def _why(
    terms: Terms,
    left: dict[Terms, list[WorkloadOutcome]],
    right: dict[Terms, list[WorkloadOutcome]],
    baseline: str,
    candidate: str,
) -> str:
    """Why the other side of a row is empty: in what its nearest runs are unlike."""
    if terms in left and terms in right:
        return ""
    lacking, others = (candidate, right) if terms in left else (baseline, left)
    near = [
        [_TOLD[f.name] for f in fields(Terms) if getattr(o, f.name) != getattr(terms, f.name)]
        for o in others
        if (o.scenario, o.workload) == (terms.scenario, terms.workload)
    ]
    if not near:
        return f"{lacking} has no run of it"
    _, nearest = min((len(names), names) for names in near)
    return f"{lacking} ran it with another {' and another '.join(nearest)}"


def _answer(
    before: list[Outcome],
    after: list[Outcome],
    baseline: str,
    candidate: str,
    rows: tuple[Row, ...],
) -> str:
    """The worst of the candidate first; a comparison proves nothing good."""
    for release, found in ((candidate, after), (baseline, before)):
        if not found:
            return f"Not known: there is no run of {release}."
    lossy, lossy_before = (sum(o.proven_loss for o in found) for found in (after, before))
    sides = f"{candidate}: {verdicts(after)}; {baseline}: {verdicts(before)}"
    if lossy:
        return (
            f"Not safe: {lossy} of {runs(len(after))} of {candidate} lost or damaged acknowledged "
            f"writes; of {baseline}, {lossy_before} of {len(before)}."
        )
    if any(o.verdict is Verdict.MISSED for o in after):
        return f"Not safe: {candidate} missed objectives. {sides}."
    if not any(not row.why for row in rows):
        return f"Not comparable: no run of {candidate} is like one of {baseline}. {sides}."
    also = f" {baseline} lost writes in {runs(lossy_before)}." if lossy_before else ""
    return f"Not decided here, `peakdrill gate` does that. {sides}.{also}"
