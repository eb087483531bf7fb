"""A scheduled drill in a real cluster: by its own means, with its own rights, to its own end."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduled_job import Scheduled

from harness.core.verdict import Verdict
from harness.platforms.kubernetes.platform import KubernetesPlatform

pytestmark = pytest.mark.kubernetes

PLATFORM = ["--on", "kubernetes", "--platform", "/etc/peakdrill/platform.yaml"]
DRILL = [
    "run", "pod-kill", *PLATFORM, "--targets", "/etc/peakdrill/targets.yaml", "--size", "smoke",
    "--out", "/var/lib/peakdrill/runs",
]  # fmt: skip
CLI = (sys.executable, "-m", "harness.cli")
START_S, DRILL_S = 90.0, 420.0


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Who signs; its public half lies beside it."""
    file = tmp_path_factory.mktemp("key") / "key.pem"
    subprocess.run([*CLI, "evidence", "key", "--new", str(file)], check=True, capture_output=True)
    return file


@pytest.fixture(scope="module")
def scheduled(stack: KubernetesPlatform, key: Path) -> Iterator[Scheduled]:
    found = Scheduled(stack, f"drills-{secrets.token_hex(3)}")
    try:
        found.bring(key.read_bytes())
        yield found
    finally:
        found.take_away()


def test_it_finds_what_was_brought_from_elsewhere(scheduled: Scheduled) -> None:
    for _ in range(4):  # a stack that has just come up may lack something for a moment
        ended = scheduled.run(["platform", "status", *PLATFORM, "--json"], within_s=START_S)
        assert ended.codes == {"peakdrill": 0, "forward": 0}
        if '"whole": true' in ended.said:
            break
    assert '"whole": true' in ended.said
    assert scheduled.stack.directory.name in ended.said


@pytest.mark.parametrize(
    ("verb", "resource"), [("get", "secrets"), ("get", "configmaps"), ("list", "pods")]
)
def test_without_a_right_it_ends_with_its_name(
    scheduled: Scheduled, verb: str, resource: str
) -> None:
    give_back = scheduled.without(verb, resource)
    try:
        ended = scheduled.run(DRILL, within_s=START_S)
    finally:
        give_back()
    assert ended.codes["peakdrill"] not in (0, 1)
    assert ended.codes["forward"] == 0
    where = f"in namespace {scheduled.stack.options.namespace} is missing"
    assert f"the right to {verb} {resource} {where}" in ended.said


def test_its_evidence_lies_in_s3_and_holds(scheduled: Scheduled, key: Path, tmp_path: Path) -> None:
    ended = scheduled.run(DRILL, within_s=DRILL_S)
    assert ended.codes["forward"] == 0
    assert "kept: " in ended.said
    folder = scheduled.download(tmp_path)
    words = ["verify", str(folder), "--key", str(key.with_suffix(".pem.pub")), "--json"]
    done = subprocess.run([*CLI, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = Verdict(json.loads(done.stdout)["verdict"])  # judged again, from what lay in S3
    assert verdict is not Verdict.ERROR
    assert ended.codes["peakdrill"] == verdict.exit_code
    assert not any(word in ended.said for _, word in scheduled.stack.secrets.known())
