"""Scenarios as tests: `pytest scenarios/ --drill-on embedded`, in pytest sessions of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.inputs import places

STAND_IN = """
import harness.session
from pathlib import Path
from harness.core.verdict import Verdict
from harness.errors import Refused
from tests.cli.stand_ins import judged

def execute(order, progress):
    print("order:", order.size.value, order.peak, order.seed, order.targets_file)
    if {verdict!r} == "refused":
        raise Refused("the disk is full", next_step="free some space")
    if {verdict!r} == "surprise":
        raise RuntimeError("surprise")
    return judged(Verdict({verdict!r}), order.out)

harness.session.execute = execute
"""

# Other plugins that are installed here: half of what a session of pytest's costs.
OTHERS = ("hypothesispytest", "xdist", "xdist.looponfail", "anyio", "timeout")


@pytest.fixture
def project(tmp_path: Path):
    """A project with a draft scenario; its conftest puts a session that judges at once."""
    (tmp_path / "scenarios").mkdir()
    text = (places.SCENARIOS / "node_loss.py").read_text()
    (tmp_path / "scenarios" / "node_loss.py").write_text(text)
    (tmp_path / "scenarios" / "helper.py").write_text("raise RuntimeError('not a scenario')\n")
    (tmp_path / "scenarios" / "test_mine.py").write_text("def test_it():\n    pass\n")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers -p no:cacheprovider\n"
    )

    def run(
        verdict: str, *arguments: str, without: tuple[str, ...] = OTHERS
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "conftest.py").write_text(STAND_IN.format(verdict=verdict))
        return subprocess.run(
            [
                *(sys.executable, "-m", "pytest"),
                *(word for name in ("locust", *without) for word in ("-p", f"no:{name}")),
                *arguments,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={"PYTHONPATH": str(places.SHIPPED), "PATH": "/usr/bin:/bin"},
        )

    return run


DRILL = ("scenarios/", "--drill-on", "embedded", "--drill-size", "smoke")


def test_a_scenario_that_is_met_passes(project) -> None:
    """Beside all that a user may have installed."""
    ended = project("met", *DRILL, "-v", without=())
    assert ended.returncode == 0, ended.stdout
    assert "scenarios/node_loss.py::node-loss PASSED" in ended.stdout
    assert "2 passed" in ended.stdout


@pytest.mark.parametrize("verdict", ["missed", "inconclusive", "invalid", "error"])
def test_everything_else_fails_with_its_reasons_and_no_traceback(project, verdict: str) -> None:
    ended = project(verdict, *DRILL)
    assert ended.returncode == 1
    assert f"{verdict}: node-loss\n  because it is {verdict}\n  run: runs/r1" in ended.stdout
    assert "1 failed, 1 passed" in ended.stdout
    assert "Traceback" not in ended.stdout
    assert "raise NotMet" not in ended.stdout


def test_a_refusal_is_its_message(project) -> None:
    ended = project("refused", *DRILL)
    assert ended.returncode == 1
    assert "the disk is full\n  next: free some space" in ended.stdout
    assert "raise Refused" not in ended.stdout


def test_a_surprise_keeps_its_traceback(project) -> None:
    ended = project("surprise", *DRILL)
    assert ended.returncode == 1
    assert 'raise RuntimeError("surprise")' in ended.stdout


def test_the_options_reach_the_order(project, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text((places.SHIPPED / "targets.yaml").read_text())
    options = ["--drill-peak", "2x", "--drill-seed", "5", "--drill-targets", "mine.yaml", "-rP"]
    ended = project("met", *DRILL, *options, "--drill-out", "there")
    assert "order: smoke 2.0 5 mine.yaml" in ended.stdout
    assert "run: there/r1" in ended.stdout


def test_junit_carries_the_verdict(project, tmp_path: Path) -> None:
    project("missed", *DRILL, "--junitxml", "out.xml")
    text = (tmp_path / "out.xml").read_text()
    assert 'name="verdict" value="missed"' in text
    assert "because it is missed" in text


def test_tags_select(project) -> None:
    assert "1 passed, 1 deselected" in project("met", *DRILL, "-k", "nightly").stdout


def test_without_drill_on_nothing_of_it_is_there(project) -> None:
    ended = project("error", "scenarios/", "-v")
    assert ended.returncode == 0
    assert "1 passed" in ended.stdout
    assert "node-loss" not in ended.stdout


def test_bad_input_is_told_at_collection(project, tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").write_text("workloads:\n  tills: {}\n")
    ended = project("met", *DRILL)
    assert ended.returncode == 2
    assert "targets.yaml:2: workloads.tills: is not known" in ended.stdout
    assert "Traceback" not in ended.stdout
    (tmp_path / "targets.yaml").unlink()
    (tmp_path / "scenarios" / "node_loss.py").write_text("scenario = 1 / 0\n")
    ended = project("met", *DRILL)
    assert "node_loss.py:1: broke while it was loaded: ZeroDivisionError" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--drill-on", "moon"), "there is no platform 'moon'"),
        (("--drill-on", "embedded", "--drill-peak", "fast"), "--drill-peak: 'fast' is not"),
        (("--drill-on", "embedded", "--drill-size", "huge"), "--drill-size"),
    ],
)
def test_wrong_options(project, arguments: tuple[str, ...], told: str) -> None:
    ended = project("met", "scenarios/", *arguments)
    assert ended.returncode not in {0, 1}
    assert told in ended.stdout + ended.stderr
