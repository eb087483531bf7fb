"""The CI templates: their scripts are run with a stand-in for `peakdrill`, and nothing is green that
the gate did not call met."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import yaml

from harness.commands.gate import gate

CI = Path(__file__).resolve().parents[2] / "deploy" / "ci"
ACTION, TEMPLATE = CI / "github" / "action.yml", CI / "gitlab" / "peakdrill-gate.yml"

STAND_IN = """#!/usr/bin/env python3
import json, os, sys
from pathlib import Path
Path(os.environ["TOLD"]).write_text(json.dumps(sys.argv[1:]))
arguments = sys.argv[1:]
if os.environ.get("WRITES", "yes") == "yes":
    for option in ("--junit", "--markdown"):
        Path(arguments[arguments.index(option) + 1]).write_text("## told\\n")
sys.exit(int(os.environ["ANSWER"]))
"""


def action() -> dict:
    return yaml.safe_load(ACTION.read_text())


def job() -> dict:
    return yaml.safe_load(TEMPLATE.read_text())[".peakdrill-gate"]


def of_github(asked: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """The step's script, and the environment that the runner would make of the inputs."""
    step = action()["runs"]["steps"][0]
    given = {name: spec.get("default", "") for name, spec in action()["inputs"].items()}
    unknown = set(asked) - set(given)
    assert not unknown
    given.update(asked)
    environment = {
        name: given[value.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, value in step["env"].items()
    }
    return ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], environment


def of_gitlab(asked: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """The job's script as the runner's shell has it, and its variables."""
    named = {f"PD_{name.upper().replace('-', '_')}": value for name, value in asked.items()}
    assert set(named) <= set(job()["variables"])
    return ["sh", "-c", "\n".join(job()["script"])], {**job()["variables"], **named}


@dataclass
class Ended:
    code: int
    arguments: list[str]
    summary: str
    outputs: str


@pytest.fixture(params=[of_github, of_gitlab], ids=["github", "gitlab"])
def carry_out(request, tmp_path: Path):
    def run(answer: int, *, writes: bool = True, installed: bool = True, **asked: str) -> Ended:
        command, environment = request.param({k.replace("_", "-"): v for k, v in asked.items()})
        bin_ = tmp_path / "bin"
        bin_.mkdir(exist_ok=True)
        if installed:
            (bin_ / "peakdrill").write_text(STAND_IN)
            (bin_ / "peakdrill").chmod(0o755)
        told = {name: tmp_path / name for name in ("TOLD", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
        done = subprocess.run(
            command, cwd=tmp_path, text=True, capture_output=True, check=False,
            env={
                "PATH": f"{bin_}:/usr/bin:/bin", "ANSWER": str(answer),
                "WRITES": "yes" if writes else "no",
                **environment, **{name: str(file) for name, file in told.items()},
            },
        )  # fmt: skip
        read = {name: file.read_text() if file.exists() else "" for name, file in told.items()}
        arguments = json.loads(read["TOLD"]) if read["TOLD"] else []
        return Ended(done.returncode, arguments, read["GITHUB_STEP_SUMMARY"], read["GITHUB_OUTPUT"])

    return run


def parsed(arguments: list[str]) -> dict[str, object]:
    """By the real command: an option that is not there, or a value that it refuses, fails here."""
    assert arguments[0] == "gate"
    with click.Context(gate) as parent:
        return gate.make_context("gate", arguments[1:], parent=parent).params


def test_the_defaults_are_an_order_that_the_command_takes(carry_out) -> None:
    ended = carry_out(0, release="2.0")
    assert ended.code == 0
    order = parsed(ended.arguments)
    assert (order["release"], order["size"], order["on"]) == ("2.0", "smoke", "embedded")
    assert (order["baseline"], order["scenarios"], order["no_run"]) == ("", "", False)
    assert order["out"] == Path("runs")
    assert order["junit"] == Path("runs/gate/junit.xml")


def test_every_input_reaches_the_command(carry_out) -> None:
    ended = carry_out(
        0, release="2.0", baseline="1.0", scenarios="nightly,node-loss", size="full", on="kubernetes",
        platform="p.yaml", targets="t.yaml", peak="2x", season="black-friday", runs="20",
        sequential="true", no_run="true", out="there",
    )  # fmt: skip
    order = parsed(ended.arguments)
    assert order["platform_file"] == Path("p.yaml")
    assert order["targets"] == Path("t.yaml")
    assert (order["peak"], order["season"], order["runs"]) == (2.0, "black-friday", 20)
    assert (order["sequential"], order["no_run"], order["out"]) == (True, True, Path("there"))
    assert (order["baseline"], order["scenarios"]) == ("1.0", "nightly,node-loss")


@pytest.mark.parametrize("answer", [1, 2, 3, 4, 5, 137])
def test_whatever_is_not_met_fails_the_job(carry_out, answer: int) -> None:
    assert carry_out(answer, release="2.0").code == answer
    assert carry_out(answer, release="2.0", writes=False).code == answer


def test_a_pass_without_its_reports_is_no_pass(carry_out, tmp_path: Path) -> None:
    assert carry_out(0, release="2.0").code == 0
    assert carry_out(0, release="2.0", writes=False).code == 5, (
        "those of the last time do not count"
    )


def test_without_peakdrill_it_fails(carry_out) -> None:
    assert carry_out(0, release="2.0", installed=False).code == 127


def test_a_name_is_a_name_and_no_command(carry_out, tmp_path: Path) -> None:
    name = '2.0"; touch harmed; $(touch harmed) `touch harmed`'
    ended = carry_out(0, release=name)
    assert parsed(ended.arguments)["release"] == name
    assert not (tmp_path / "harmed").exists()


def test_the_step_summary_has_the_answer_or_says_that_there_is_none(tmp_path: Path) -> None:
    command, environment = of_github({"release": "2.0"})
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        environment[name] = str(tmp_path / name)
    environment["PATH"] = "/usr/bin:/bin"
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert "that is no pass" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == "exit-code=127\n"


def test_evidence_is_kept_whatever_the_answer() -> None:
    upload = action()["runs"]["steps"][1]
    assert upload["if"] == "always()"
    assert upload["with"]["path"] == "${{ inputs.out }}"
    assert action()["runs"]["using"] == "composite"
    assert action()["inputs"]["release"]["required"] is True
    kept = job()["artifacts"]
    assert kept["when"] == "always"
    assert kept["paths"] == ["${PD_OUT}"]
    assert kept["reports"]["junit"] == "${PD_OUT}/gate/junit.xml"
    assert job()["allow_failure"] is False
    assert job()["retry"] == 0


def test_no_input_is_written_into_a_script() -> None:
    for step in action()["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_the_stand_in_is_a_program() -> None:
    compile(STAND_IN, "stand-in", "exec")
    assert os.access("/bin/sh", os.X_OK)
