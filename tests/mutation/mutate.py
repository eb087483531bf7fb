"""`make mutation`: the mutation score of harness/core, by module and as a whole.

A sample of each module's mutants, drawn by --seed, so that it ends; `--sample 0` tries all of them.
A mutant's fate is kept in OUT/tried.jsonl as long as its module and the tests stay as they are:
started again, it goes on. Exit code 0 from --least percent on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.mutation import operators, trial
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.tally import Tried, score, table, wrongly_excused

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "harness" / "core"
TESTS = tuple(
    f"tests/{name}"
    for name in (
        "core", "gate", "readiness", "gameday", "selftest", "load_places", "drill_unit", "evidence",
        "reports", "inputs", "observe", "season", "history", "live", "load/test_shapes.py",
    )
)  # fmt: skip
_MARKS = "not platform and not browser and not drill and not campaign and not odoo"
_MARKS += " and not kubernetes and not containers and not track_record"
_TESTS_S = 100.0  # of tests a mutant, as traced, which is slow: a cap can only cost score
_SLOWER = 3.0


@dataclass(frozen=True)
class Reach:
    """Which tests run which line: seconds, and lines as "<module>:<line>"."""

    took_s: dict[str, float]
    lines: dict[str, frozenset[str]]

    @classmethod
    def found(cls, out: Path, tests: Sequence[str], *, more: Sequence[str]) -> Reach:
        """As it was seen once; `more` are tests that were added or changed since."""
        file = out / "reach.json"
        told = json.loads(file.read_text()) if file.exists() else {}
        looked_at = list(more) or ([] if told else list(tests))
        if looked_at:
            told |= _traced(out, looked_at)
            file.write_text(json.dumps(told))
        return cls(
            {name: float(one["s"]) for name, one in told.items()},
            {name: frozenset(f"{m}:{n}" for m, n in one["lines"]) for name, one in told.items()},
        )

    def of(self, module: str, mutant: operators.Mutant) -> tuple[list[str], float]:
        """The tests of that line, and how long they take.

        Those that are about the module come first, of them and of the rest the quickest.
        """
        if mutant.at_import:
            mine = [name for name in self.lines if self._uses(name, module)]
        else:
            wanted = {f"{module}:{n}" for n in range(mutant.statement, mutant.line + 1)}
            mine = [name for name, lines in self.lines.items() if wanted & lines]
        chosen, total_s = [], 0.0

        def order(test: str) -> tuple[bool, float, str]:
            about = _name(module) in _text_of(test.partition("::")[0])
            return not about, self.took_s[test], test

        for name in sorted(mine, key=order):
            if chosen and total_s + self.took_s[name] > _TESTS_S:
                break
            chosen.append(name)
            total_s += self.took_s[name]
        return chosen, total_s

    def _uses(self, test: str, module: str) -> bool:
        """It runs a line of the module, or its file imports it: a value may have no line of its own."""
        if any(line.startswith(f"{module}:") for line in self.lines[test]):
            return True
        return _name(module) in _text_of(test.partition("::")[0])


@cache
def _text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def _traced(out: Path, tests: Sequence[str]) -> dict[str, dict[str, object]]:
    file = out / "traced.json"
    words = [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutation.reach"]
    words += ["-p", "no:cacheprovider", "-p", "no:xdist", f"--basetemp={out / 'scratch'}"]
    home = {**os.environ, "PEAKDRILL_REACH": str(file), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([*words, "-m", _MARKS, *tests], cwd=ROOT, env=home, check=False)
    told: dict[str, dict[str, object]] = json.loads(file.read_text())
    file.unlink()
    return told


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(CORE.rglob("*.py")):
        yield str(path.relative_to(CORE)), path


def drawn(
    found: Sequence[operators.Mutant], module: str, sample: int, seed: int
) -> list[operators.Mutant]:
    """The module's share, the same for the same seed, whatever the other modules hold."""
    if not sample or len(found) <= sample:
        return list(found)
    shuffled = list(found)
    random.Random(f"{seed}:{module}").shuffle(shuffled)  # a larger sample holds the smaller one
    return sorted(shuffled[:sample], key=lambda m: m.number)


def conduct(
    out: Path, *, sample: int, seed: int, reach: Reach, only: str
) -> tuple[list[Tried], dict[str, int]]:
    tried: list[Tried] = []
    possible: dict[str, int] = {}
    kept = out / "tried.jsonl"
    known = {(k["of"], k["key"], k["line"]): k["fate"] for k in _lines(kept)}
    for module, path in modules():
        if only and only not in module:
            continue
        source = path.read_text()
        found = operators.mutants(source)
        sound: set[str] = set()
        possible[module] = len(found)
        for mutant in drawn(found, module, sample, seed):
            tests, total_s = reach.of(module, mutant)
            of = hashlib.sha256(f"against itself{source}{tests}".encode()).hexdigest()[:16]
            fate = known.get((of, mutant.key, mutant.line))
            if fate is None:
                fate = trial.held_against_itself(
                    _name(module), path, operators.mutated(source, mutant.number), tests,
                    within_s=30 + _SLOWER * total_s, scratch=out / "scratch", sound=sound,
                )  # fmt: skip
                line = {
                    "of": of,
                    "module": module,
                    "line": mutant.line,
                    "key": mutant.key,
                    "fate": fate,
                }
                with kept.open("a") as stream:
                    stream.write(json.dumps(line) + "\n")
            tried.append(Tried(module, mutant.line, mutant.key, trial.Fate(fate)))
            if fate not in trial.KILLS:
                print(f"{fate:9s} {module}:{mutant.line} {mutant.key}", flush=True)
    return tried, possible


def _name(module: str) -> str:
    inner = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return "harness.core" if inner == "__init__" else f"harness.core.{inner}"


def _lines(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / ".tmp" / "mutation")
    parser.add_argument("--sample", type=int, default=12, help="mutants a module, 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", type=float, default=90.0)
    parser.add_argument("--only", default="", help="modules whose path holds this")
    parser.add_argument("--again", action="store_true", help="look anew which test runs which line")
    parser.add_argument("--more", nargs="+", default=[], help="look at these tests anew, too")
    asked = parser.parse_args()
    out = asked.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    trial.preload()
    if asked.again:
        (out / "reach.json").unlink(missing_ok=True)
    reach = Reach.found(out, TESTS, more=asked.more)
    tried, possible = conduct(
        out, sample=asked.sample, seed=asked.seed, reach=reach, only=asked.only
    )
    shutil.rmtree(out / "scratch", ignore_errors=True)
    whole, wrong = score(tried, EQUIVALENT), wrongly_excused(tried, EQUIVALENT)
    held = whole.tried > 0 and whole.percent >= asked.least and not wrong
    print(
        f"\n{'Held' if held else 'NOT held'}: {whole.killed:,} of {whole.tried:,} mutants killed,"
    )
    print(f"{whole.percent:.1f}% where {asked.least:g}% are asked for; seed {asked.seed}.\n")
    print(table(tried, possible, EQUIVALENT))
    for one in wrong:
        print(f"called equivalent, yet killed: {one}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
