"""A candidate's image under its own name, and a drill on it that dies with its primary frozen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker as docker_library
import pytest
from docker_seen import labelled, until

from harness.inputs.containers_file import REFERENCE_IMAGE
from harness.platforms import find
from harness.platforms.capabilities import Platform
from harness.platforms.embedded.process import descendants, identify

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]
ROOT = Path(__file__).resolve().parents[2]
_LIMIT_S = 300


@pytest.fixture
def candidate(
    docker: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Path]]:
    """The reference image under another name, and the platform.yaml that names it."""
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "own"))
    name = f"localhost/candidate-shop:{os.getpid()}"
    file = tmp_path / "platform.yaml"
    file.write_text(f"kind: containers\nimages: {{application: '{name}'}}\ndialect: 18\n")
    asked = docker_library.from_env()
    asked.images.get(REFERENCE_IMAGE).tag(name)
    try:
        yield name, file
    finally:
        for platform in find.every_running():
            platform.down()
        asked.images.remove(name, noprune=True)
        asked.close()


def peakdrill(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *words], cwd=ROOT, capture_output=True, text=True,
        timeout=_LIMIT_S, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def killed_with_a_frozen_primary(file: Path, folder: Path) -> Iterator[None]:
    """A drill whose harness, load and experiment all die by SIGKILL while a node stands still."""
    words = ["run", "primary-frozen", "--on", "containers", "--platform", str(file)]
    words += ["--size", "smoke", "--out", str(folder / "runs")]
    log = folder / "drill.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", "harness.cli", *words], cwd=ROOT, stdout=out, stderr=out,
            stdin=subprocess.DEVNULL,
        ) as drill,
    ):  # fmt: skip
        try:
            until(
                lambda: bool(paused()) or drill.poll() is not None, lambda: log.read_text()[-500:]
            )
            assert drill.poll() is None, log.read_text()[-2000:]
            until(lambda: len(paused()) == 2, "both containers of a node that stand still")
            yield
        finally:
            first = identify(drill.pid)
            family = (*((first,) if first else ()), *descendants(drill.pid))
            for each in family:  # all of them before one can see another die
                os.kill(each.pid, signal.SIGSTOP)
            for each in family:
                os.kill(each.pid, signal.SIGKILL)


def paused() -> list[str]:
    asked = docker_library.from_env()
    try:
        chosen = {"label": "peakdrill.platform", "status": "paused"}
        return [c.name for c in asked.containers.list(filters=chosen) if c.name in labelled()]
    finally:
        asked.close()


def running() -> Platform:
    found = find.running("containers")
    assert found is not None
    return found


def test_a_platform_that_was_brought_up_is_whole_again_after_an_undo(
    candidate: tuple[str, Path], tmp_path: Path
) -> None:
    name, file = candidate
    done = peakdrill("platform", "up", "--on", "containers", "--platform", str(file))
    assert done.returncode == 0, done.stderr
    platform = running()
    assert platform.facts().heading == name
    assert platform.endpoints().version == 18
    with killed_with_a_frozen_primary(file, tmp_path):
        pass
    assert len(paused()) == 2  # nobody is left who could thaw it
    assert not platform.whole().whole
    done = peakdrill("undo")
    assert done.returncode == 0, done.stderr
    assert paused() == []
    until(lambda: platform.whole().whole, lambda: f"whole: {platform.whole().missing}")
    done = peakdrill("platform", "down", "--on", "containers")
    assert done.returncode == 0, done.stderr
    assert labelled(platform.directory.name) == []
    assert not platform.directory.exists()


def test_one_that_a_drill_brought_up_by_itself_is_gone_after_an_undo(
    candidate: tuple[str, Path], tmp_path: Path
) -> None:
    _, file = candidate
    with killed_with_a_frozen_primary(file, tmp_path):
        platform_id = running().directory.name
    assert len(labelled(platform_id)) > 10
    done = peakdrill("undo")
    assert done.returncode == 0, done.stderr
    assert labelled(platform_id) == []
    assert find.running("containers") is None
