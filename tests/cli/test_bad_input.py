"""Bad input through the real command line: one clear message, the right code, nothing broken."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import Refused
from harness.evidence import canonical
from harness.inputs import places
from harness.preflight import refuse_full_disk
from tests.cli import stand_ins

EXAMPLE = (places.SHIPPED / "targets.yaml").read_text()
PEAKDRILL = [sys.executable, "-m", "harness.cli"]


@pytest.fixture
def real(tmp_path: Path):
    """The command in a process of its own, in an empty folder, with a home of its own."""

    def caller(
        *arguments: str, before: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PEAKDRILL, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={
                "PYTHONPATH": str(places.SHIPPED),
                "PATH": "/usr/bin:/bin",
                # with little room it would leave half a module's code for everybody else
                "PYTHONDONTWRITEBYTECODE": "1",
                "PEAKDRILL_HOME": str(tmp_path / "state"),
            },
            preexec_fn=before,
        )

    return caller


def refused(ended: subprocess.CompletedProcess[str], *told: str, code: int = 2) -> None:
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    assert ended.stderr.count("peakdrill: ") == 1
    assert "Traceback" not in ended.stderr
    for words in told:
        assert words in ended.stderr


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("order-capture:", "order-captur:", 7, "did you mean order-capture?); allowed: order-c"),
        ("rto_s: 60", "rto_s: -60", 10, "order-capture.rto_s: must be greater than 0, not -60"),
        ("workloads:", "workloads: [", 8, "is not YAML: "),
    ],
    ids=["unknown workload", "negative RTO", "syntax"],
)
def test_targets(
    real, tmp_path: Path, command: str, old: str, new: str, line: int, told: str
) -> None:
    (tmp_path / "targets.yaml").write_text(EXAMPLE.replace(old, new, 1))
    refused(real(command, "node-loss"), f"targets.yaml:{line}: ", told)
    assert [file.name for file in tmp_path.iterdir()] == ["targets.yaml"]


def test_an_unknown_scenario(real, tmp_path: Path) -> None:
    refused(real("run", "node-los"), "no scenario 'node-los'", "did you mean node-loss?")
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_that_breaks(real, tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "mine.py").write_text("import nothing_like_that\n")
    refused(real("run", "mine"), "scenarios/mine.py:1: broke while it was loaded: ModuleNotFound")


def test_a_file_size_limit_is_a_full_disk(real) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    refused(real("run", "node-loss", "--size", "smoke", before=little_room), "the disk is full")


def test_room_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"the disk is full: .* has room for"):
        refuse_full_disk(tmp_path / "runs", 2**62)
    refuse_full_disk(tmp_path / "runs", 1)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_full_file_system(real, tmp_path: Path) -> None:
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tiny)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("may not mount a tmpfs here")
    try:
        ended = real("run", "node-loss", "--size", "smoke", "--out", str(tiny / "runs"))
        refused(ended, "the disk is full", "and a run needs 200 MB", "--out")
    finally:
        subprocess.run(["umount", str(tiny)], check=True)


def test_a_folder_that_is_a_file(real, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    refused(real("run", "node-loss"), "cannot write to runs", "--out")


def test_a_port_in_use(real, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(real("platform", "up", "--port", str(port)), f"port {port}", "in use")
    assert not list((tmp_path / "state").glob("platforms/*"))


@pytest.mark.parametrize("command", ["check", "report"])
def test_no_run_there(real, tmp_path: Path, command: str) -> None:
    refused(real(command, "runs/r1"), "there is no run directory runs/r1")
    (tmp_path / "empty").mkdir()
    refused(real(command, "empty"), "there is no run in empty")


@pytest.mark.parametrize("command", ["check", "report"])
def test_a_damaged_run(real, tmp_path: Path, command: str) -> None:
    run = tmp_path / "runs" / "r1"
    run.mkdir(parents=True)
    (run / "plan.json").write_text('{"run_id": "r1", "scen')
    refused(real(command, "r1"), "r1/plan.json", code=4)
    (run / "seal.json").write_text("{}")
    refused(real(command, "r1"), "seal.json", code=4)


@pytest.mark.parametrize("body", ["", '{"begin_ns": ', "{}", "[]", '{"begin_ns": null}'])
def test_a_torn_run_that_was_never_sealed(real, tmp_path: Path, body: str) -> None:
    run = tmp_path / "runs" / "r1"
    (run / "load").mkdir(parents=True)
    (run / "plan.json").write_bytes(canonical.dumps(stand_ins.plan()))
    (run / "events.jsonl").write_text("")
    (run / "load" / "plan.json").write_text(body)
    refused(real("check", "r1"), "load/plan.json: `begin_ns` cannot be read", code=4)


def test_new_overwrites_nothing(real, tmp_path: Path) -> None:
    (tmp_path / "experiments").mkdir()
    mine = tmp_path / "experiments" / "shelf-loss.yaml"
    mine.write_text("mine")
    refused(real("new", "shelf-loss"), "experiments/shelf-loss.yaml is there already")
    assert mine.read_text() == "mine"
    assert not (tmp_path / "scenarios").exists()
