"""What is timed of a run: its arrivals and its schedule, by the same stretches of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from harness.core.arrivals import Arrivals, arrivals_of
from harness.core.due import DUE, Due, DueInTime
from harness.core.evidence import Evidence
from harness.core.in_time import ARRIVAL, InTime, Timed
from harness.core.operation import Workload
from harness.core.operations import Operations
from harness.core.plan import Plan
from harness.core.windows import AT_ONCE, BIN_NS

_LONGEST_S = 600


class RunTimes:
    """The arrivals of one run and what was due. What is held at once is a stretch of either.

    Stretches are whole seconds since the load began, so none cuts a second of the pictures.
    """

    def __init__(self, plan: Plan, evidence: Evidence, arrivals: Iterable[Arrivals]) -> None:
        """`arrivals`: all of the run, a portion at a time."""
        self._plan, self._evidence = plan, evidence
        aside = evidence.aside(ARRIVAL)
        self._arrivals = InTime(stretch_ns_of(plan), evidence.load_begun_ns, aside)
        for part in arrivals:
            self._arrivals.add(part)

    @classmethod
    def read(
        cls, plan: Plan, evidence: Evidence, note: Callable[[Operations], None] | None = None
    ) -> RunTimes:
        """Of the ledger. `note` is told the calls about the records of each portion on the way."""
        limits = plan.targets.limits_ns()

        def each() -> Iterator[Arrivals]:
            for portion in evidence.portions():
                if note is not None:
                    note(portion.calls)
                yield arrivals_of(portion.chains, limits)

        return cls(plan, evidence, each())

    @cached_property
    def _due(self) -> DueInTime:
        begun_ns = self._evidence.load_begun_ns
        due = DueInTime(stretch_ns_of(self._plan), begun_ns, self._evidence.aside(DUE))
        for target in self._plan.targets.workloads:
            for canaries in (False, True):
                for part in self._evidence.due(target.workload, canaries=canaries):
                    due.add(target.workload.code, begun_ns + part, canaries=canaries)
        return due

    def arrivals(self, workload: Workload) -> Timed:
        """Canaries among them."""
        return self._arrivals.of(workload.code)

    def parts(self, begin_ns: int, end_ns: int) -> Iterator[Arrivals]:
        """The arrivals of every workload that were intended in [begin, end)."""
        for code in self._arrivals.codes:
            yield from self._arrivals.of(code).parts(begin_ns, end_ns)

    def due(self, workload: Workload, *, canaries: bool = True) -> Due:
        return self._due.of(workload.code, canaries=canaries)


def stretch_ns_of(plan: Plan) -> int:
    """So many whole seconds that no more is due in them than is looked at together."""
    peak = plan.peak * max((times for _, times in plan.shape.points), default=1.0)
    per_s = sum(t.rate_per_s * peak + t.canary_per_s for t in plan.targets.workloads)
    return BIN_NS * max(1, min(_LONGEST_S, int(AT_ONCE // max(1.0, per_s))))
