"""The runner of mutants: what it changes, whether the change is in effect, and how it counts."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutation import mutate, operators, tally, trial
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.tally import Tried
from tests.mutation.trial import Fate

SOURCE = '''"""A docstring."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import os
LIMIT = 7
LARGE = 1000
Either = First | Second


def within(value: int, more: bool = True) -> bool:
    """Says whether."""
    if more and value <= LIMIT:
        return value + 1 > 2
    note(f"{value + 1}", "text" + "more")
    return ""
'''


def changed() -> set[str]:
    return {mutant.key for mutant in operators.mutants(SOURCE)}


def test_what_is_changed_and_what_is_left_alone() -> None:
    assert changed() == {
        ": 7 -> 8",
        ": 1000 -> 2000",
        ": True -> False",
        "within: more and value <= LIMIT -> more or value <= LIMIT",
        "within: value <= LIMIT -> value < LIMIT",
        "within: return value + 1 > 2 -> return None",
        "within: value + 1 > 2 -> value + 1 >= 2",
        "within: value + 1 -> value - 1",
        "within: 1 -> 2",
        "within: 2 -> 3",
        "within: note(f'{value + 1}', 'text' + 'more') -> pass",
        "within: return '' -> return 'another'",
    }


def test_each_mutant_differs_from_the_source_in_one_place() -> None:
    whole = ast.unparse(ast.parse(SOURCE)).splitlines()
    for mutant in operators.mutants(SOURCE):
        lines = ast.unparse(operators.mutated(SOURCE, mutant.number)).splitlines()
        assert len(lines) == len(whole)
        assert sum(a != b for a, b in zip(whole, lines, strict=True)) == 1, mutant.key


def test_every_mutant_of_the_core_can_be_made() -> None:
    """And compiled: one that cannot be would be killed by nothing of ours."""
    for module, path in mutate.modules():
        source = path.read_text()
        found = operators.mutants(source)
        assert len({m.key for m in found}) == len(found), f"{module}: two mutants share a key"
        for mutant in mutate.drawn(found, module, 2, 1):
            compile(operators.mutated(source, mutant.number), str(path), "exec")


def test_the_excused_are_there_and_have_a_reason() -> None:
    there = dict(mutate.modules())
    for module, excused in EQUIVALENT.items():
        keys = {mutant.key for mutant in operators.mutants(there[module].read_text())}
        assert set(excused) <= keys, module
        assert all(len(why.split()) > 3 for why in excused.values())


def test_a_larger_sample_holds_the_smaller_one() -> None:
    path = mutate.CORE / "verdict.py"
    found = operators.mutants(path.read_text())
    few, more = (mutate.drawn(found, "verdict.py", n, 3) for n in (3, 7))
    assert set(few) < set(more)
    assert mutate.drawn(found, "verdict.py", 0, 3) == found


@pytest.mark.parametrize(("number", "fate"), [(None, Fate.SURVIVED), (0, Fate.KILLED)])
def test_a_mutant_is_in_effect_where_its_tests_run(
    number: int | None, fate: Fate, tmp_path: Path
) -> None:
    """In a process of its own, since this one has the core loaded already."""
    import subprocess
    import sys

    asked = f"""
import ast, pathlib, sys
from tests.mutation import mutate, operators, trial
trial.preload()
path = mutate.CORE / "clock_bounds.py"
source = path.read_text()
tree = ast.parse(source)
if {number!r} is not None:
    (one,) = [m for m in operators.mutants(source) if m.key.startswith("drift_ns: return")]
    tree = operators.mutated(source, one.number)
tests = ["tests/core/test_core_doctests.py::test_examples[harness.core.clock_bounds]"]
fate, begun = trial.tried("harness.core.clock_bounds", path, tree, tests, within_s=120,
                          scratch=pathlib.Path({str(tmp_path / "s")!r}))
print(fate, begun == tuple(tests))
"""
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=mutate.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{fate} True"


@pytest.mark.parametrize(
    ("fates", "found"),
    [
        ([Fate.KILLED, Fate.SURVIVED], Fate.KILLED),
        ([Fate.TIMEOUT, Fate.SURVIVED], Fate.TIMEOUT),
        ([Fate.KILLED, Fate.KILLED], Fate.UNSOUND),
        ([Fate.TIMEOUT, Fate.TIMEOUT], Fate.UNSOUND),
        ([Fate.SURVIVED], Fate.SURVIVED),
    ],
)
def test_a_kill_by_tests_that_fail_anyway_is_none(
    fates: list[Fate], found: Fate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "m.py"
    module.write_text("x = 1\n")
    ran: list[tuple[str, Sequence[str]]] = []

    def tried(
        _name: str, _path: Path, tree: ast.Module, tests: Sequence[str], **_: object
    ) -> tuple[Fate, tuple[str, ...]]:
        ran.append((ast.unparse(tree), tests))
        return fates[len(ran) - 1], ("a", "b")

    monkeypatch.setattr(trial, "tried", tried)
    mutant, sound = ast.parse("x = 2"), {"a"}
    told = trial.held_against_itself(
        "m", module, mutant, ["a", "b", "c"], within_s=1, scratch=tmp_path, sound=sound
    )
    assert told is found
    expected = [("x = 2", ["a", "b", "c"]), ("x = 1", ("a", "b"))]  # not one more than had begun
    assert ran == expected[: len(fates)]
    assert ("b" in sound) is (fates[-1] is Fate.SURVIVED and len(fates) > 1)


@pytest.mark.parametrize(
    ("begun", "asked"), [(("a",), [False]), (("a", "b"), [False, False]), ((), [False, True])]
)
def test_tests_that_have_passed_on_the_module_are_not_asked_again(
    begun: tuple[str, ...], asked: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where none had begun, they can at least be collected."""
    ran: list[bool] = []

    def tried(*_: object, nothing: bool = False, **__: object) -> tuple[Fate, tuple[str, ...]]:
        ran.append(nothing)
        return (Fate.KILLED, begun) if len(ran) == 1 else (Fate.SURVIVED, begun)

    module = tmp_path / "m.py"
    module.write_text("x = 1\n")
    monkeypatch.setattr(trial, "tried", tried)
    told = trial.held_against_itself(
        "m", module, ast.parse("x = 2"), ["a", "b"], within_s=1, scratch=tmp_path, sound={"a"}
    )
    assert told is Fate.KILLED
    assert ran == asked


def test_a_sample_of_nothing_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "preload", lambda: None)
    monkeypatch.setattr(mutate.Reach, "found", lambda *_, **__: mutate.Reach({}, {}))
    monkeypatch.setattr("sys.argv", ["mutate", "--only", "no-such-module", "--out", str(tmp_path)])
    assert mutate.main() == 1


def test_without_a_test_a_mutant_is_unreached(tmp_path: Path) -> None:
    nothing = ast.parse("")
    fate, begun = trial.tried("x", tmp_path, nothing, [], within_s=1, scratch=tmp_path)
    assert (fate, begun) == (Fate.UNREACHED, None)


def test_the_score_leaves_out_the_excused_and_counts_the_unreached_as_survivors() -> None:
    assert doctest.testmod(tally).failed == 0
    fates = [Fate.KILLED, Fate.TIMEOUT, Fate.SURVIVED, Fate.UNREACHED, Fate.SURVIVED]
    tried = [Tried("a.py", n, str(n), fate) for n, fate in enumerate(fates)]
    found = tally.score(tried, {"a.py": {"4": "nobody can tell the difference"}})
    assert (found.killed, found.tried, found.left_out, found.percent) == (2, 4, 1, 50.0)
    assert tally.wrongly_excused(tried, {"a.py": {"0": "why", "2": "why"}}) == ["a.py:0 0"]
    told = tally.table(tried, {"a.py": 9}, {}).splitlines()
    assert told[-1] == "| a.py | 9 | 5 | 2 | 0 | 40% |"
