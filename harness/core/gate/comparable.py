"""Which runs speak for one question, and why the others do not: what is unlike is never mixed.

Runs on another platform, configuration, size, rate, peak or targets answer another question. They
are told, each with its reason; none of them is dropped in silence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from harness.core.asked import JUDGE, Bars, Method, another
from harness.core.operation import Workload
from harness.core.outcome import Outcome
from harness.core.verdict import Verdict
from harness.core.wording import whole

ATTEMPTS = 3  # a run, and two repeats where it was not fit to judge


@dataclass(frozen=True, slots=True)
class WorkloadTerms:
    """What is asked of one workload, as targets.yaml has it for this scenario."""

    workload: Workload
    rate_per_s: float  # absolute: the declared 1x times the peak
    rto_target_ns: int
    rpo_target_ns: int | None
    floor_ns: int  # what a drill at this canary rate cannot resolve
    bars: Bars = ()  # (): not asked


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run must have been, to speak for one scenario."""

    scenario: str
    fault: str
    platform: str
    kind: str
    size: str
    peak: float
    tenant: str
    configuration: str | None  # None: the one of the latest run
    workloads: tuple[WorkloadTerms, ...]
    method: Method = ()  # (): not asked


@dataclass(frozen=True, slots=True)
class Excluded:
    """A run of the release that does not speak for the question."""

    run_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The runs of one release and scenario that may be put together, oldest first."""

    runs: tuple[Outcome, ...]
    excluded: tuple[Excluded, ...]
    configuration: str | None


@dataclass(frozen=True, slots=True)
class Series:
    """`drills`: what counts, in order; None is one that was never fit, however often repeated."""

    drills: tuple[Outcome | None, ...]
    unfit: tuple[str, ...]  # run ids
    to_repeat: int  # attempts that the last one, not fit to judge, has left

    @property
    def fit(self) -> tuple[Outcome, ...]:
        return tuple(drill for drill in self.drills if drill is not None)


def is_unfit(run: Outcome) -> bool:
    """Says nothing of the platform: neither met nor missed."""
    return run.verdict in {Verdict.INVALID, Verdict.ERROR}


def choose(outcomes: Iterable[Outcome], release: str, terms: Terms) -> Chosen:
    """The runs of a release that answer the question, and the reason of every other."""
    asked = {o.run_id: o for o in outcomes if (o.release, o.scenario) == (release, terms.scenario)}
    ordered = sorted(asked.values(), key=lambda o: (o.begun_utc, o.run_id))
    alike = [run for run in ordered if not unlike(run, terms)]
    excluded = [Excluded(run.run_id, why) for run in ordered if (why := unlike(run, terms))]
    configuration = terms.configuration
    if configuration is None and alike:
        configuration = alike[-1].configuration
    kept = tuple(run for run in alike if run.configuration == configuration)
    excluded += [
        Excluded(run.run_id, f"another configuration: {run.configuration[:12]}")
        for run in alike
        if run.configuration != configuration
    ]
    return Chosen(kept, tuple(excluded), configuration)


def unlike(run: Outcome, terms: Terms) -> str:
    """Why a run answers another question, "" where it does not. Configurations apart."""
    if run.judge != JUDGE:
        return f"judged by {run.judge}, not by {JUDGE}"
    told: tuple[tuple[str, object, object], ...] = (
        ("platform", run.platform, terms.platform),
        ("application", run.kind, terms.kind),
        ("fault", run.fault, terms.fault),
        ("size", run.size, terms.size),
        ("tenant", run.tenant, terms.tenant),
    )
    for name, is_now, asked in told:
        if is_now != asked:
            return f"another {name}: {is_now or 'none'}, asked for {asked or 'none'}"
    if not math.isclose(run.peak, terms.peak):
        return f"another peak: {run.peak:g}x, asked for {terms.peak:g}x"
    asked_of = {w.workload: w for w in terms.workloads}
    for found in run.workloads:
        target = asked_of.get(found.workload)
        if target is None:
            return f"drilled {found.workload}, which the targets do not name"
        if not math.isclose(found.rate_per_s, target.rate_per_s):
            rates = f"{found.rate_per_s:g} a second, asked for {target.rate_per_s:g}"
            return f"another absolute rate of {found.workload}: {rates}"
        if found.rto_target_ns != target.rto_target_ns:
            rto = f"{whole(found.rto_target_ns)}, asked for {whole(target.rto_target_ns)}"
            return f"another RTO of {found.workload}: {rto}"
        if found.rpo_target_ns != target.rpo_target_ns:
            return f"another RPO of {found.workload}"
        if why := another(found.bars, target.bars):
            return f"{found.workload}: {why}"
    return another(run.method, terms.method)


def series(runs: Iterable[Outcome]) -> Series:
    """What counts of the runs: an unfit one is repeated twice, and then it is inconclusive.

    An unfit run in which a loss is proven is no drill to count either; the gate has failed by it.
    """
    drills: list[Outcome | None] = []
    unfit: list[str] = []
    failed = 0
    for run in runs:
        if not is_unfit(run):
            drills.append(run)
            failed = 0
            continue
        unfit.append(run.run_id)
        failed += 1
        if failed == ATTEMPTS:
            drills.append(None)
            failed = 0
    return Series(tuple(drills), tuple(unfit), ATTEMPTS - failed if failed else 0)


def any_configuration(terms: Terms) -> Terms:
    """For a baseline: a release may bring a change of configuration, and that is then said."""
    return replace(terms, configuration=None)


def why_none(chosen: Chosen, *, most: int = 3) -> str:
    """The reasons for which no run is left, each once."""
    reasons = list(dict.fromkeys(e.why for e in chosen.excluded))
    more = f"; and {len(reasons) - most} more reasons" if len(reasons) > most else ""
    return "; ".join(reasons[:most]) + more


def counted(runs: Iterable[Outcome | None], of: Callable[[Outcome], Verdict]) -> tuple[int, int]:
    """Proven misses, and runs that are neither: of them nobody can say that they were met."""
    verdicts = [Verdict.INCONCLUSIVE if run is None else of(run) for run in runs]
    missed = verdicts.count(Verdict.MISSED)
    return missed, len(verdicts) - missed - verdicts.count(Verdict.MET)
