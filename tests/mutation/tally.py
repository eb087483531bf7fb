"""The score: of the mutants that a test could kill, how many a test killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.mutation.trial import KILLS, Fate


@dataclass(frozen=True)
class Tried:
    """One mutant and what became of it."""

    module: str
    line: int
    key: str
    fate: Fate


@dataclass(frozen=True)
class Score:
    """`left_out`: equivalent ones, which nobody can kill."""

    killed: int
    tried: int
    left_out: int

    @property
    def percent(self) -> float:
        """
        >>> Score(9, 10, 2).percent, Score(0, 0, 0).percent
        (90.0, 100.0)
        """
        return 100.0 * self.killed / self.tried if self.tried else 100.0


def score(tried: Sequence[Tried], equivalent: Mapping[str, Mapping[str, str]]) -> Score:
    counted = [t for t in tried if t.key not in equivalent.get(t.module, {})]
    killed = sum(t.fate in KILLS for t in counted)
    return Score(killed, len(counted), len(tried) - len(counted))


def wrongly_excused(
    tried: Sequence[Tried], equivalent: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Mutants that are called equivalent, and were killed all the same: the list is wrong."""
    return [
        f"{t.module}:{t.line} {t.key}"
        for t in tried
        if t.key in equivalent.get(t.module, {}) and t.fate in KILLS
    ]


def table(
    tried: Sequence[Tried], possible: Mapping[str, int], equivalent: Mapping[str, Mapping[str, str]]
) -> str:
    """Markdown: a row a module, the whole first."""
    whole = score(tried, equivalent)
    rows = [
        "| module | mutants | tried | killed | equivalent | score |",
        "|---|---|---|---|---|---|",
        _row("**all of harness/core**", sum(possible.values()), whole),
    ]
    for module in sorted(possible):
        mine = [t for t in tried if t.module == module]
        if mine:
            rows.append(_row(module, possible[module], score(mine, equivalent)))
    return "\n".join(rows)


def _row(name: str, possible: int, found: Score) -> str:
    return (
        f"| {name} | {possible:,} | {found.tried + found.left_out:,} | {found.killed:,}"
        f" | {found.left_out:,} | {found.percent:.0f}% |"
    )
