"""Planted defects against what a judgement reports: caught, missed, falsely reported.

Pure. What was planted is known by whoever planted it, record by record; what is reported are the
judgement's own counts and examples. A defect is caught when it is named, in the right class of the
right workload, and a count that nothing planted explains is a false report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core.operation import Workload
from harness.core.verdict import FitnessFinding, Judgement, Verdict

CLASSES = (
    "lost", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected", "stale",
)  # fmt: skip
BUSY = frozenset({"baseline", "generator-lag"})  # what a machine does to a run by itself
EXAMPLES_MAX = 20  # a judgement names so many records of a workload; the others it counts


@dataclass(frozen=True, slots=True)
class Planted:
    """One record that somebody did wrong by, and where a judgement must say so."""

    defect: str
    key: str  # pd-<run>-<worker>-<seq>
    workload: Workload
    reported_as: str  # one of CLASSES


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table at the end."""

    defect: str
    what: str  # in words
    planted: int
    caught: int
    how: str  # "lost in order-capture"; or why it was skipped
    skipped: bool = False

    @property
    def missed(self) -> int:
        return self.planted - self.caught


@dataclass(frozen=True, slots=True)
class Tally:
    """What one round of planting came to."""

    rows: tuple[Row, ...]
    false: tuple[str, ...]  # a sentence for each count that nothing planted explains
    # runs with nothing planted that the machine was too busy for: no false report, and no proof
    noise: tuple[str, ...] = ()

    @property
    def planted(self) -> int:
        return sum(row.planted for row in self.rows)

    @property
    def caught(self) -> int:
        return sum(row.caught for row in self.rows)

    @property
    def trusted(self) -> bool:
        """Something was planted, all of it was caught, and nothing else was reported."""
        whole = all(row.caught == row.planted > 0 for row in self.rows if not row.skipped)
        return self.planted > 0 and whole and not self.false


@dataclass(frozen=True, slots=True)
class _Reported:
    """What a judgement reports, and what was planted, by workload and class."""

    found: Mapping[tuple[Workload, str], int]
    wanted: Mapping[tuple[Workload, str], int]
    named: Mapping[Workload, frozenset[tuple[str, str]]]

    def catches(self, p: Planted) -> bool:
        """Named; or counted, where there are more than a judgement names."""
        examples = self.named.get(p.workload, frozenset())
        if (p.reported_as, p.key) in examples:
            return True
        place = (p.workload, p.reported_as)
        return len(examples) >= EXAMPLES_MAX and self.found.get(place, 0) >= self.wanted[place]

    def false(self, keys: set[str]) -> tuple[str, ...]:
        told = [
            f"{workload}: {count - self.wanted.get((workload, name), 0)} {name}, planted by nobody"
            for (workload, name), count in self.found.items()
            if count > self.wanted.get((workload, name), 0)
        ]
        told += [
            f"{workload}: {key} was named as {name}, and nothing was done to it"
            for workload, examples in self.named.items()
            for name, key in sorted(examples)
            if key not in keys
        ]
        return tuple(told)


def tally(planted: Sequence[Planted], judgement: Judgement, said: Mapping[str, str]) -> Tally:
    """Of one run in whose stores was planted. `said`: each defect that was wanted, in words.

    One that was never planted has a row with 0 of 0, and is no proof of anything.
    """
    reported = _Reported(
        _counts(judgement),
        Counter((p.workload, p.reported_as) for p in planted),
        _named(judgement),
    )
    rows = [
        _row(reported, defect, what, [p for p in planted if p.defect == defect])
        for defect, what in said.items()
    ]
    return Tally(tuple(rows), reported.false({p.key for p in planted}))


def clean(judgement: Judgement, allowed: frozenset[str]) -> tuple[str, ...]:
    """What a run in which nothing was planted reports all the same.

    `allowed` are the conditions of fitness that it may well miss: the effect of a null run, and
    what a busy machine does to it, which `noise` tells.
    """
    false = _Reported(_counts(judgement), {}, _named(judgement)).false(set())
    return (*false, *(f"unfit: {f.name}: {f.measured}" for f in unfit(judgement, but=allowed)))


def noise(judgement: Judgement) -> tuple[str, ...]:
    """Why a run in which nothing was planted could not have judged anything either."""
    return tuple(f"{f.name}: {f.measured}" for f in unfit(judgement) if f.name in BUSY)


def unjudged(judgement: Judgement) -> tuple[str, ...]:
    """Why a run that reports nothing says nothing: it was not judged, record by record."""
    if judgement.verdict is Verdict.ERROR or not judgement.fitness:
        return (f"it was not judged: {judgement.reasons[0] if judgement.reasons else 'no word'}",)
    without = [str(w.workload) for w in judgement.workloads if w.rpo is None]
    if without or not judgement.workloads:
        return (f"no records were judged: {', '.join(without) or 'no workload'}",)
    return ()


def unfit(judgement: Judgement, *, but: frozenset[str] = frozenset()) -> tuple[FitnessFinding, ...]:
    return tuple(f for f in judgement.fitness if not f.fit and f.name not in but)


def caught_by(judgement: Judgement, condition: str) -> str:
    """How the run says that the instrument failed in this way; "" where it does not.

    A run that passes has caught nothing, whatever its conditions say.
    """
    if judgement.verdict not in (Verdict.INVALID, Verdict.ERROR):
        return ""
    return next((f.measured for f in unfit(judgement) if f.name == condition), "")


def together(tallies: Sequence[Tally]) -> Tally:
    """All rounds in one table."""
    return Tally(
        tuple(row for one in tallies for row in one.rows),
        tuple(told for one in tallies for told in one.false),
        tuple(told for one in tallies for told in one.noise),
    )


def _row(reported: _Reported, defect: str, what: str, mine: Sequence[Planted]) -> Row:
    caught = sum(reported.catches(p) for p in mine)
    where = sorted({f"{p.reported_as} in {p.workload}" for p in mine})
    return Row(defect, what, len(mine), caught, ", ".join(where) or "nothing was planted")


def _counts(judgement: Judgement) -> dict[tuple[Workload, str], int]:
    return {
        (w.workload, name): count
        for w in judgement.workloads
        if w.rpo is not None
        for name in CLASSES
        if (count := int(getattr(w.rpo.gated, name)))
    }


def _named(judgement: Judgement) -> dict[Workload, frozenset[tuple[str, str]]]:
    """Examples are written "lost pd-r1-0-17"."""
    return {
        w.workload: frozenset(
            (words[0], words[1]) for text in w.rpo.examples if len(words := text.split()) >= 2
        )
        for w in judgement.workloads
        if w.rpo is not None
    }
