"""What happened, as an exit code and one message: mapped in one place."""

import errno
import subprocess
import sys
from pathlib import Path

import click
import pytest

from harness import cli
from harness.core.verdict import Verdict
from harness.errors import (
    BadInput,
    DamagedEvidence,
    FaultError,
    Interrupted,
    NotReady,
    PlatformError,
    Refused,
    UsageError,
)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("met", 0), ("missed", 1), ("inconclusive", 3), ("invalid", 4), ("error", 5)],
)
def test_run_exits_by_the_verdict(call, judge_at_once, verdict: str, code: int) -> None:
    judge_at_once.verdict = Verdict(verdict)
    assert call("run", "node-loss").code == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("a"), 2),
        (BadInput("f.yaml", "a", line=3), 2),
        (Refused("port 5432 is in use", next_step="end what listens there"), 2),
        (DamagedEvidence("a"), 4),
        (Interrupted("a"), 4),
        (KeyboardInterrupt(), 4),
        (click.Abort(), 4),
        (PlatformError("a"), 5),
        (NotReady("a"), 5),
        (FaultError("a"), 5),
    ],
)
def test_every_error_is_one_message(call, judge_at_once, error: BaseException, code: int) -> None:
    judge_at_once.error = error
    ended = call("run", "node-loss")
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.count("peakdrill: ") == 1
    assert "Traceback" not in ended.err
    if isinstance(error, Refused):
        assert "next: end what listens there" in ended.err


def test_an_unexpected_error_is_ours_and_leaves_a_log(call, judge_at_once, home: Path) -> None:
    judge_at_once.error = RuntimeError("surprise")
    ended = call("run", "node-loss")
    assert ended.code == 5
    assert "error of peakdrill, not of your platform: RuntimeError: surprise" in ended.err
    assert "Traceback" not in ended.err
    (log,) = (home / "state" / "errors").iterdir()
    assert str(log) in ended.err
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_debug_shows_the_traceback(call, judge_at_once, home: Path) -> None:
    judge_at_once.error = RuntimeError("surprise")
    ended = call("--debug", "run", "node-loss")
    assert ended.code == 5
    assert "Traceback" in ended.err
    assert not (home / "state" / "errors").exists()
    judge_at_once.error = Refused("no")
    assert "Traceback" in call("--debug", "run", "node-loss").err


def test_where_no_log_can_be_written_the_message_must_do(
    call, judge_at_once, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEAKDRILL_HOME", str(home / "file" / "below"))
    (home / "file").write_text("")
    judge_at_once.error = RuntimeError("surprise")
    ended = call("run", "node-loss")
    assert ended.code == 5
    assert "surprise" in ended.err


def test_a_disk_that_fills_up_during_the_run_makes_it_invalid(call, judge_at_once) -> None:
    judge_at_once.error = OSError(errno.ENOSPC, "No space left on device", "runs/r1/x")
    ended = call("run", "node-loss")
    assert ended.code == 4
    assert "the disk filled up while the run went on: runs/r1/x" in ended.err
    assert "peakdrill undo" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("rnu",),
        ("run",),
        ("run", "node-loss", "--size", "huge"),
        ("run", "node-loss", "--peak", "fast"),
        ("run", "node-loss", "--peak", "0x"),
        ("run", "node-loss", "--peak", "99x"),
        ("run", "node-loss", "--seed", "-1"),
        ("run", "node-loss", "--on", "moon"),
        ("run", "node-loss", "--allow-skip", "teapots"),
        ("run", "node-loss", "--release", "a\nb"),
        ("run", "node-los"),
        ("run", "no/such/file.py"),
        ("run", "node-loss", "--targets", "no.yaml"),
        ("run", "node-loss", "--experiment", "no.yaml"),
        ("run", "node-loss", "--platform", "no.yaml"),
        ("plan", "node-los"),
        ("check", "no-such-run"),
        ("report", "no-such-run"),
        ("report", ".", "--out", "x"),
        ("new", "Not A Name"),
        ("completion", "tcsh"),
        ("platform", "sideways"),
        ("platform", "up", "--dialect", "17"),
    ],
)
def test_a_wrong_order_is_usage(
    call, judge_at_once, home: Path, arguments: tuple[str, ...]
) -> None:
    ended = call(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err
    assert "Traceback" not in ended.err
    assert not judge_at_once.orders
    assert list(home.iterdir()) == []


def test_nobody_reads_on(tmp_path: Path) -> None:
    """click would exit with 1, which is `missed`."""
    broken = subprocess.run(
        f"{sys.executable} -m harness.cli completion bash | true; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(cli.__file__).parents[1]), "PATH": "/usr/bin:/bin"},
    )
    assert broken.returncode in {0, 5}  # 0: it was quicker than `true`
    assert "Traceback" not in broken.stderr
    assert "Exception ignored" not in broken.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_the_output_s_disk_is_full(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "harness.cli", "completion", "zsh"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={"PYTHONPATH": str(Path(cli.__file__).parents[1]), "PATH": "/usr/bin:/bin"},
        )
    assert ended.returncode == 2
    assert ended.stderr.startswith("peakdrill: the disk is full: the output cannot be written")
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
