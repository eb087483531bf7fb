"""One sentence over many runs: the first line of whatever lists them. Pure.

It tells, and decides nothing: what a release may claim is the gate's, what a season may claim is
readiness's. The worst is said first, however many good runs came after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.core.outcome import Outcome
from harness.core.verdict import Verdict


def answer(outcomes: Sequence[Outcome]) -> str:
    """Are we safe for Saturday, as far as these runs go? Oldest first."""
    count = len(outcomes)
    if not outcomes:
        return "Not known: no run matches."
    if lossy := [o for o in outcomes if o.proven_loss]:
        return (
            f"Not safe: {len(lossy)} of {runs(count)} lost or damaged acknowledged writes; "
            f"last: {named(lossy[-1])}."
        )
    if missed := [o for o in outcomes if o.verdict is Verdict.MISSED]:
        lost = _lost(outcomes)
        told = f"{lost:,} writes lost, none proven beyond its limit" if lost else "no loss proven"
        return (
            f"Not safe: {len(missed)} of {runs(count)} missed an objective, {told}; "
            f"last: {named(missed[-1])}."
        )
    unsure = [o for o in outcomes if o.verdict is not Verdict.MET or o.unproven]
    if unsure:
        met = count - len(unsure)
        return f"Not proven: {met} of {runs(count)} met their objectives; {verdicts(unsure)}."
    smoke = ", all of them smoke" if all(o.size == "smoke" for o in outcomes) else ""
    lost = _lost(outcomes)
    allowed = f"; {lost:,} writes were lost, as they allow" if lost else ""
    return (
        f"Nothing speaks against it: {runs(count)} met their objectives{smoke}{allowed}. "
        "What that proves, `peakdrill gate` says."
    )


def _lost(outcomes: Sequence[Outcome]) -> int:
    """As it was gated: within the limits, or it would be proven."""
    return sum(w.lost for o in outcomes for w in o.workloads)


def named(outcome: Outcome) -> str:
    """A run for people: when, what, of which release, and its name."""
    release = outcome.release or "no release"
    return f"{outcome.begun_utc[:10]} {outcome.scenario}, {release} ({outcome.run_id})"


def runs(count: int) -> str:
    """In words.

    >>> runs(1), runs(64)
    ('1 run', '64 runs')
    """
    return f"{count:,} run{'' if count == 1 else 's'}"


def verdicts(outcomes: Sequence[Outcome]) -> str:
    """How many of each, the gravest first; a pass of an adapter that nobody has run is none."""
    words = ["unproven" if o.verdict is Verdict.MET and o.unproven else o.verdict.value
             for o in outcomes]  # fmt: skip
    counts = Counter(words)
    order = ("missed", "error", "invalid", "inconclusive", "unproven", "met")
    return ", ".join(f"{counts[word]} {word}" for word in order if counts[word])
