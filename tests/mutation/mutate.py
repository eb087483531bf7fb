"""`make mutation`: the mutation score of harness/core, by module and as a whole.

A sample of each module's mutants, drawn by --seed, so that it ends; `--sample 0` tries all of them.
A mutant's fate is kept in OUT/tried.jsonl as long as its module and the tests stay as they are:
started again, it goes on. Exit code 0 from --least percent on.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from tests.mutation import operators, trial, warm
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.tally import Tried, score, table, wrongly_excused

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "harness" / "core"
TESTS = tuple(
    f"tests/{name}"
    for name in (
        "core", "gate", "readiness", "gameday", "selftest", "drill_unit", "evidence", "reports",
        "inputs", "observe", "season", "history", "live", "load/test_shapes.py",
    )
)  # fmt: skip
_MARKS = "not platform and not browser and not drill and not campaign and not odoo"
_MARKS += " and not kubernetes and not containers and not track_record"
_TESTS_S = 20.0  # of tests a mutant, as traced, which is slow: a cap can only cost score
_LEAST_S, _SLOWER = 10.0, 1.5  # of the processor: what a mutant may take, at least and by its tests
_TESTS_RAN = (0, 1)  # as pytest says: all passed, or some failed
_FILES_FIRST = 2  # to load every file that is about a module takes longer than to run their tests


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
            about = _name(module) in _text_of(_file(test))
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
        return _name(module) in _text_of(_file(test))


def _file(test: str) -> str:
    return test.partition("::")[0]


@cache
def _text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def _traced(out: Path, tests: Sequence[str]) -> dict[str, dict[str, object]]:
    file = out / "traced.json"
    words = [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutation.reach"]
    words += ["-p", "no:cacheprovider", "-p", "no:xdist", f"--basetemp={out / 'scratch'}"]
    home = {**os.environ, "PEAKDRILL_REACH": str(file), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([*words, "-m", _MARKS, *tests], cwd=ROOT, env=home, check=False)
    if done.returncode not in _TESTS_RAN:
        raise RuntimeError(f"the tests were not run, so nothing is reached: {done.returncode}")
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


@dataclass(frozen=True)
class _Case:
    """A mutant of the sample, and the tests that it is given to."""

    module: str
    path: Path
    source: str
    mutant: operators.Mutant
    tests: list[str]
    within_s: float

    @property
    def known_as(self) -> tuple[str, str, int]:
        """The same again as long as its module and its tests are."""
        text = f"against itself{self.source}{self.tests}"
        of = hashlib.sha256(text.encode()).hexdigest()[:16]
        return of, self.mutant.key, self.mutant.line

    @property
    def tree(self) -> ast.Module:
        return operators.mutated(self.source, self.mutant.number)

    def cold(self, scratch: Path, sound: set[str]) -> trial.Fate:
        """Served as a module, in a child that loads everything anew: a few files, then the rest."""
        files = list(dict.fromkeys(_file(test) for test in self.tests))[:_FILES_FIRST]
        fate = trial.Fate.UNREACHED
        for first in (True, False):
            part = [test for test in self.tests if (_file(test) in files) is first]
            if part and fate in {trial.Fate.UNREACHED, trial.Fate.SURVIVED}:
                run = partial(self._served, part, scratch)
                fate = trial.held_against_itself(part, run, sound)
        return fate

    def _served(
        self, part: list[str], scratch: Path, changed: bool, tests: Sequence[str]
    ) -> trial.Told:
        return trial.tried(
            _name(self.module), self.path, self.tree if changed else ast.parse(self.source),
            tests or part, within_s=self.within_s, scratch=scratch, nothing=not tests,
        )  # fmt: skip

    def warm(self, bench: warm.Bench, sound: set[str]) -> trial.Fate:
        """As a function's new code, in a child that has everything loaded."""
        code = warm.code_of(self.tree, self.path, self.mutant.line)

        def run(changed: bool, tests: Sequence[str]) -> trial.Told:
            return bench.tried(code if changed else None, tests, within_s=self.within_s)

        return trial.held_against_itself(self.tests, run, sound)


def sampled(sample: int, seed: int, reach: Reach, only: str) -> tuple[list[_Case], dict[str, int]]:
    """The mutants that are tried, and how many there could be, by module."""
    cases: list[_Case] = []
    possible: dict[str, int] = {}
    for module, path in modules():
        if only and only not in module:
            continue
        source = path.read_text()
        found = operators.mutants(source)
        possible[module] = len(found)
        for mutant in drawn(found, module, sample, seed):
            tests, total_s = reach.of(module, mutant)
            cases.append(_Case(module, path, source, mutant, tests, _LEAST_S + _SLOWER * total_s))
    return cases, possible


def conduct(out: Path, cases: Sequence[_Case]) -> list[Tried]:
    """Those that change what is made at import first, while nothing of ours is loaded."""
    kept = out / "tried.jsonl"
    known = {(k["of"], k["key"], int(k["line"])): k["fate"] for k in _lines(kept)}
    sound: dict[str, set[str]] = {}

    def decide(case: _Case, fate: trial.Fate) -> None:
        of, key, line = case.known_as
        known[case.known_as] = fate
        told = {"of": of, "module": case.module, "line": line, "key": key, "fate": fate}
        with kept.open("a") as stream:
            stream.write(json.dumps(told) + "\n")

    def unknown(*, at_import: bool) -> list[_Case]:
        left = [c for c in cases if c.known_as not in known]
        return [c for c in left if c.mutant.at_import is at_import]

    def at_the_bench(bench: warm.Bench) -> None:
        for case in unknown(at_import=False):
            decide(case, case.warm(bench, sound.setdefault(case.module, set())))

    for case in unknown(at_import=True):
        decide(case, case.cold(out / "scratch", sound.setdefault(case.module, set())))
    sound.clear()
    files = sorted({_file(test) for c in unknown(at_import=False) for test in c.tests})
    if files:
        warm.with_tests(files, at_the_bench, out / "scratch")
    tried = [
        Tried(c.module, c.mutant.line, c.mutant.key, trial.Fate(known[c.known_as])) for c in cases
    ]
    for one in tried:
        if one.fate not in trial.KILLS:
            print(f"{one.fate:9s} {one.module}:{one.line} {one.key}", flush=True)
    return tried


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
    cases, possible = sampled(asked.sample, asked.seed, reach, asked.only)
    tried = conduct(out, cases)
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
