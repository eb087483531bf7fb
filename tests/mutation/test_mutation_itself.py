"""The runner of mutants: what it changes, whether the change is in effect, and how it counts."""

from __future__ import annotations

import ast
import doctest
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutation import mutate, operators, tally, trial, warm
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
def test_a_kill_by_tests_that_fail_anyway_is_none(fates: list[Fate], found: Fate) -> None:
    ran: list[tuple[bool, Sequence[str]]] = []

    def run(changed: bool, tests: Sequence[str]) -> trial.Told:
        ran.append((changed, tests))
        return fates[len(ran) - 1], ("a", "b")

    sound = {"a"}
    assert trial.held_against_itself(["a", "b", "c"], run, sound) is found
    expected = [(True, ["a", "b", "c"]), (False, ("a", "b"))]  # not one more than had begun
    assert ran == expected[: len(fates)]
    assert ("b" in sound) is (fates[1:] == [Fate.SURVIVED])


@pytest.mark.parametrize(
    ("begun", "again"), [(("a",), []), (("a", "b"), [("a", "b")]), ((), [()]), (None, [["a", "b"]])]
)
def test_tests_that_have_passed_on_the_module_are_not_asked_again(
    begun: tuple[str, ...] | None, again: list[Sequence[str]]
) -> None:
    """Where none had begun, whether they can be collected; where that is not known, all of them."""
    ran: list[Sequence[str]] = []

    def run(changed: bool, tests: Sequence[str]) -> trial.Told:
        if changed:
            return Fate.KILLED, begun
        ran.append(tests)
        return Fate.SURVIVED, begun

    assert trial.held_against_itself(["a", "b"], run, {"a"}) is Fate.KILLED
    assert ran == again


WARM = """
import ast
from pathlib import Path
from tests.mutation import mutate, operators, trial, warm
trial.preload()
name = "harness.core.clock_bounds"
path = mutate.CORE / "clock_bounds.py"
source = path.read_text()
tests = [f"tests/core/test_core_doctests.py::test_examples[{name}]"]
(one,) = [m for m in operators.mutants(source) if m.key.startswith("drift_ns: return")]
code = warm.code_of(operators.mutated(source, one.number), path, one.line)

def work(bench):
    for changed in (code, None, code):
        print(*bench.tried(changed, tests, within_s=120), flush=True)
    print(*bench.tried(code, ["tests/none.py::test"], within_s=120))

warm.with_tests(["tests/core/test_core_doctests.py"], work, Path(SCRATCH))
"""


def test_a_function_is_changed_in_a_child_alone(tmp_path: Path) -> None:
    """In a process of its own, since pytest runs in it once."""
    asked = WARM.replace("SCRATCH", repr(str(tmp_path / "s")))
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=mutate.ROOT, capture_output=True, text=True, check=True
    )
    said = [line.partition(" ")[0] for line in done.stdout.splitlines()]
    assert [word for word in said if word in list(Fate)] == [
        Fate.KILLED, Fate.SURVIVED, Fate.KILLED, Fate.UNREACHED,
    ]  # fmt: skip


def test_every_mutant_of_a_function_has_the_code_of_one_function() -> None:
    for module, path in mutate.modules():
        source = path.read_text()
        found = [m for m in operators.mutants(source) if not m.at_import]
        for mutant in mutate.drawn(found, module, 2, 1):
            code = warm.code_of(operators.mutated(source, mutant.number), path, mutant.line)
            assert code.co_name == mutant.inside.split(".")[-1] or code.co_name in mutant.inside
            assert code.co_firstlineno <= mutant.line


def test_the_tests_that_are_looked_at_are_there() -> None:
    for name in mutate.TESTS:
        place = mutate.ROOT / name
        found = place.rglob("test_*.py") if place.is_dir() else [place]
        assert any(file.is_file() for file in found), name


def test_tests_that_cannot_be_run_reach_nothing_and_are_said_so(tmp_path: Path) -> None:
    """Else every mutant would be one that no test reaches."""
    with pytest.raises(RuntimeError, match="not run"):
        mutate.Reach.found(tmp_path, ["tests/no_such_folder"], more=[])


def test_a_sample_of_nothing_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "preload", lambda: None)
    monkeypatch.setattr(mutate.Reach, "found", lambda *_, **__: mutate.Reach({}, {}))
    monkeypatch.setattr("sys.argv", ["mutate", "--only", "no-such-module", "--out", str(tmp_path)])
    assert mutate.main() == 1


@pytest.mark.parametrize(("begun", "told"), [("a\nb\n", ("a", "b")), (None, ())])
def test_one_that_ends_no_more_is_held_against_the_tests_that_had_begun(
    begun: str | None, told: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "begun"
    child = os.fork()
    if child == 0:
        if begun is not None:
            file.write_text(begun)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.kill(os.getpid(), signal.SIGXCPU)  # as its limit of the processor's time does
        os._exit(0)
    assert trial.told_of(child, file, within_s=60) == (Fate.TIMEOUT, told)


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
