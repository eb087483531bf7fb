"""Findings of a game day: what a drill showed to be wrong, whose it is, and until when.

A finding stands until a later drill of the same scenario meets the same check, at least as large,
at least at the same peak, on the same kind of platform. Nothing else makes it go away by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.core.plan import Size
from harness.core.verdict import Judgement, Verdict

VERDICT = "verdict"  # the check of a run that could not be judged: met when the run is
_OPEN = frozenset({Verdict.MISSED, Verdict.INCONCLUSIVE})
_SIZES = {Size.SMOKE: 0, Size.FULL: 1}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One judged check of one run."""

    check: str
    workload: str  # "" for the platform
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Reach:
    """How hard a drill was: a gentler one proves nothing about what a harder one found."""

    platform: str = ""
    size: Size = Size.SMOKE
    peak: float = 1.0

    def covers(self, other: Reach) -> bool:
        same = self.platform == other.platform and self.peak >= other.peak
        return same and _SIZES[self.size] >= _SIZES[other.size]


@dataclass(frozen=True, slots=True)
class Finding:
    """`origin` is the day that found it; together with `name` it is known for ever."""

    name: str
    origin: str
    what: str
    scenario: str = ""  # "": found by a person, closed by a person
    check: str = ""
    workload: str = ""
    run_id: str = ""
    found_utc: str = ""
    reach: Reach = Reach()
    owner: str = ""
    due: str = ""  # ISO 8601 date
    closed_utc: str = ""
    closed_by: str = ""
    proof: str = ""
    seen_again: tuple[str, ...] = ()  # runs of later days that found the same

    @property
    def key(self) -> tuple[str, str]:
        return self.origin, self.name

    @property
    def is_open(self) -> bool:
        return not self.closed_utc

    @property
    def lacks(self) -> tuple[str, ...]:
        """What keeps a day from being closed."""
        return tuple(n for n, v in (("owner", self.owner), ("due date", self.due)) if not v)


def results_of(judgement: Judgement) -> tuple[CheckResult, ...]:
    """Every check of a run, workload by workload, then the platform's."""
    found = [f for w in judgement.workloads for f in w.findings]
    return tuple(
        CheckResult(f.check, f.workload.value if f.workload else "", f.verdict, f.reason)
        for f in (*found, *judgement.findings)
    )


def found_in(
    *,
    day: str,
    scenario: str,
    run_id: str,
    verdict: Verdict,
    reason: str,
    results: Iterable[CheckResult],
    reach: Reach,
    at_utc: str,
) -> tuple[Finding, ...]:
    """What a run leaves to be done. One that judged nothing leaves exactly that."""

    def finding(check: str, workload: str, what: str) -> Finding:
        name = "/".join(part for part in (scenario, workload or "platform", check) if part)
        return Finding(name, day, what, scenario, check, workload, run_id, at_utc, reach)

    if verdict in {Verdict.INVALID, Verdict.ERROR}:
        return (finding(VERDICT, "", f"the run judged nothing: {reason}"),)
    reasons: dict[tuple[str, str], list[str]] = {}  # a check may have one for every subject
    for result in results:
        if result.verdict in _OPEN:
            reasons.setdefault((result.check, result.workload), []).append(result.reason)
    wrong = [finding(*key, "; ".join(told)) for key, told in reasons.items()]
    if not wrong and verdict is not Verdict.MET:
        return (finding(VERDICT, "", reason or f"the verdict is {verdict.value}"),)
    return tuple(wrong)


def is_met_by(
    finding: Finding,
    *,
    scenario: str,
    verdict: Verdict,
    results: Iterable[CheckResult],
    reach: Reach,
) -> bool:
    """Whether this later run is the proof that the finding is dealt with."""
    if not finding.scenario or finding.scenario != scenario or not reach.covers(finding.reach):
        return False
    if verdict in {Verdict.INVALID, Verdict.ERROR}:
        return False
    if finding.check == VERDICT:
        return verdict is Verdict.MET
    same = [r for r in results if (r.check, r.workload) == (finding.check, finding.workload)]
    return bool(same) and all(r.verdict is Verdict.MET for r in same)


def still_open(days: Iterable[Iterable[Finding]]) -> tuple[Finding, ...]:
    """Of all days, oldest first: what no day has closed, with the owner it was last given."""
    latest: dict[tuple[str, str], Finding] = {}
    closed: set[tuple[str, str]] = set()
    for day in days:
        for finding in day:
            before = latest.get(finding.key)
            again = (*(before.seen_again if before else ()), *finding.seen_again)
            latest[finding.key] = replace(finding, seen_again=tuple(dict.fromkeys(again)))
            if not finding.is_open:
                closed.add(finding.key)
    return tuple(f for key, f in latest.items() if key not in closed)
