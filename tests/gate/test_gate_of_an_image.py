"""The CI templates with a candidate's image: drilled in containers, known by its digest beforehand."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from test_gate_ci import STAND_IN, action, job, of_github, of_gitlab, parsed

from harness.inputs.containers_file import read_containers

IMAGE = "registry.example:5000/retailer/shop:2026.11.0-rc.1"
DOCKER = """#!/bin/sh
echo "$@" >> "$DOCKER_TOLD"
case "$1" in pull) exit "$PULLED" ;; image) exit "$THERE" ;; esac
exit 9
"""


@pytest.fixture(params=[of_github, of_gitlab], ids=["github", "gitlab"])
def gated(request, tmp_path: Path):
    """Exit code, what `peakdrill` was asked, what `docker` was asked."""

    def run(*, pulled: int = 0, there: int = 1, **asked: str) -> tuple[int, list[str], str]:
        command, environment = request.param({"release": "2.0", **asked})
        bin_ = tmp_path / "bin"
        bin_.mkdir(exist_ok=True)
        for name, text in (("peakdrill", STAND_IN), ("docker", DOCKER)):
            (bin_ / name).write_text(text)
            (bin_ / name).chmod(0o755)
        names = ("TOLD", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "DOCKER_TOLD")
        told = {name: tmp_path / name for name in names}
        given = {"ANSWER": "0", "WRITES": "yes", "PULLED": str(pulled), "THERE": str(there)}
        done = subprocess.run(
            command, cwd=tmp_path, text=True, capture_output=True, check=False,
            env={
                "PATH": f"{bin_}:/usr/bin:/bin", **given, **environment,
                **{name: str(file) for name, file in told.items()},
            },
        )  # fmt: skip
        read = {name: file.read_text() if file.exists() else "" for name, file in told.items()}
        words = json.loads(read["TOLD"]) if read["TOLD"] else []
        return done.returncode, words, read["DOCKER_TOLD"]

    return run


def test_the_image_is_pulled_and_drilled_in_containers(gated, tmp_path: Path) -> None:
    code, words, docker = gated(image=IMAGE)
    assert code == 0
    assert docker == f"pull --quiet {IMAGE}\n"
    order = parsed(words)
    assert order["on"] == "containers"
    options = read_containers(tmp_path / order["platform_file"])
    assert options.images.application == IMAGE
    assert options.images.database != IMAGE


def test_one_that_was_built_on_the_runner_need_not_be_in_a_registry(gated) -> None:
    code, words, docker = gated(image=IMAGE, pulled=1, there=0)
    assert code == 0
    assert "image inspect" in docker
    assert parsed(words)["on"] == "containers"


@pytest.mark.parametrize(
    "asked",
    [
        {"image": IMAGE, "platform": "p.yaml"},
        {"image": 'x"}\nports: {ingress: 1024}'},
        {"image": "x; touch harmed"},
        {"image": "$(touch harmed)"},
        {"image": "--all-tags"},
    ],
)
def test_what_is_no_image_is_refused_and_nothing_is_drilled(gated, tmp_path: Path, asked) -> None:
    code, words, _ = gated(**asked)
    assert code == 2
    assert words == []
    assert not (tmp_path / "harmed").exists()


def test_an_image_that_nobody_has_is_refused(gated) -> None:
    code, words, _ = gated(image=IMAGE, pulled=1, there=1)
    assert code == 2
    assert words == []


def test_what_a_cancelled_job_leaves_is_ended() -> None:
    last = action()["runs"]["steps"][-1]
    assert last["if"] == "always()"
    assert last["run"] == "peakdrill undo"
    assert job()["after_script"] == ["peakdrill undo"]
