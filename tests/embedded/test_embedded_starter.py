"""The command that starts a platform may end, or be killed: the one stays, the other is cleared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.platforms.embedded import find
from tests.conftest import processes_naming

pytestmark = pytest.mark.platform

_START = """
import sys
from harness.platforms.embedded import up
from harness.progress import Silent

class Told(Silent):
    def phase(self, name, limit_s=None):
        print(name, flush=True)

up(progress=Told())
print("whole", flush=True)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path))
    yield tmp_path
    left = find()
    if left is not None:
        left.down()
    assert processes_naming(tmp_path) == []


def starter() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _START],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
        start_new_session=True,
    )


def test_the_platform_outlives_its_starter(home: Path) -> None:
    with starter() as command:
        told, _ = command.communicate(timeout=120)
    assert told.splitlines()[-1] == "whole"
    found = find()
    assert found is not None
    assert found.whole().missing == ()
    found.down()
    assert list((home / "platforms").iterdir()) == []


def test_a_killed_start_is_cleared(home: Path) -> None:
    with starter() as command:
        assert command.stdout is not None
        for line in command.stdout:
            if "redundant" in line:  # all nodes run, and it is not whole yet
                break
        command.kill()
    assert processes_naming(home) != []
    assert find() is None
    assert processes_naming(home) == []
    assert list((home / "platforms").iterdir()) == []
