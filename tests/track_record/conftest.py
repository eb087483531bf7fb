"""Platforms to find defects on: the one of the whole session, and one whose standby may lag."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.platforms.embedded import EmbeddedPlatform, s3, up
from harness.platforms.embedded.credentials import files_of, load
from harness.platforms.embedded.layout import Layout, load_state
from tests.conftest import processes_naming
from tests.track_record.barman import Barman

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def asynchronous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedPlatform]:
    """Patroni's own default: a commit does not wait for the standby. In a home of its own."""
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))
    started = up(synchronous=False)
    try:
        yield started
    finally:
        started.down()
    assert processes_naming(started.directory) == []


@pytest.fixture
def barman(platform: EmbeddedPlatform, tmp_path: Path) -> Barman:
    """barman's cloud commands, with a bucket of their own on the platform's S3."""
    layout = Layout(platform.directory)
    ports = load_state(layout).ports
    made = Barman(
        s3.admin(ports, load(layout)), s3.url(ports), files_of(layout).superuser_pass, tmp_path
    )
    made.make_bucket()
    return made


def peakdrill(*words: str, limit_s: float = 400.0) -> tuple[int, str, str]:
    """The command line as a user runs it: exit code, stdout, stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *words], cwd=ROOT, env=dict(os.environ), check=False,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr
