"""What CI starts outside of a test is gone afterwards, however the shell that started it ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.platforms.embedded.waiting import await_ready

ROOT = Path(__file__).resolve().parents[2]
UP = """
. .ci/clusters
export CLUSTERS_HOME=$1 CLUSTER=$2 CLUSTER_HOME=$1/cluster DOCKER_HOST=unix://$1/none
mkdir -p "$CLUSTER_HOME"
trap clusters_down EXIT
_leave_somebody_behind
setsid --fork sh -c 'echo $$ >"$0"; exec sleep 300' "$1/docker.pid" >/dev/null 2>&1
until [ -s "$1/docker.pid" ]; do sleep 0.05; done
echo up
"""


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """The cluster's tool: it tells what it was told, and for whom."""
    file = tmp_path / "cluster-tool"
    file.write_text('#!/bin/sh\nsleep 0.3; echo "$*" "$CLUSTER_HOME" >>"$0.told"\n')
    file.chmod(0o755)
    return file


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "clusters"
    made.mkdir()
    return made


@pytest.fixture
def shell(home: Path, tool: Path) -> Iterator[subprocess.Popen[str]]:
    """Its "daemon" runs when the fixture is there."""
    child = subprocess.Popen(
        ["bash", "-c", UP + "read -r word; exit 7", "_", str(home), str(tool)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("how", ["exit", "TERM", "KILL", "TERM to all"])
def test_nothing_is_left(shell: subprocess.Popen[str], home: Path, tool: Path, how: str) -> None:
    daemon = int(home.joinpath("docker.pid").read_text())
    if how == "exit":
        assert shell.stdin is not None
        shell.stdin.write("on\n")
        shell.stdin.flush()
        assert shell.wait(30) == 7
    elif how == "TERM to all":
        os.killpg(shell.pid, signal.SIGTERM)
    else:
        shell.send_signal(getattr(signal, f"SIG{how}"))
    await_ready("nothing left", lambda: not home.exists(), within_s=60, poll_s=0.1)
    assert is_gone(daemon)
    told = tool.with_name("cluster-tool.told").read_text().splitlines()
    assert told == [f"down --all {home}/cluster"], "taken away, and once"
