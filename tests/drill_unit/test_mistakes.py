"""A mistake of ours, or a disk that is full, leaves evidence that passes nothing, and no load."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import drill as drill_module
from harness.core.verdict import Verdict
from harness.drill import drill
from harness.errors import PeakdrillError
from harness.evidence.check import check
from harness.evidence.rundir import Head, RunDirectory
from harness.load_places.here import LocalWorkers
from harness.platforms.capabilities import Wholeness
from harness.progress import Silent
from harness.trading import Trading
from tests.core import simulate


def test_a_mistake_is_raised_after_the_evidence_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = simulate.plan_of()
    run = RunDirectory.create(tmp_path, plan.run_id)
    run.save_plan(plan, "", Head("test", "2026-01-01T00:00:00Z", "0", "3"))
    looked = []

    @contextmanager
    def trading(*_: object):
        raise ZeroDivisionError("with a password in it")
        yield

    monkeypatch.setattr(drill_module, "trading", trading)
    monkeypatch.setattr(drill_module, "read_back", lambda *_: looked.append("read back"))
    platform = SimpleNamespace(whole=lambda: Wholeness(whole=True))
    with pytest.raises(ZeroDivisionError):
        drill(plan, platform, run, Silent())  # type: ignore[arg-type]
    assert looked == ["read back"]
    checked = check(run.path)
    assert checked.same
    assert checked.judgement.verdict is Verdict.INVALID
    assert "an error of peakdrill: ZeroDivisionError" in checked.judgement.reasons[0]
    assert b"password" not in checked.stored


def test_a_mark_that_cannot_be_written_leaves_no_load_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDirectory.create(tmp_path, "r1")
    wait = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(wait, stdin=subprocess.PIPE) as child:
        workers = LocalWorkers(simulate.plan_of(), run, child)
        load = Trading(simulate.plan_of(), run, Silent(), 0, workers, None)  # type: ignore[arg-type]

        def full(*_: object) -> None:
            raise PeakdrillError("the disk is full")

        monkeypatch.setattr(load, "_mark", full)
        with pytest.raises(PeakdrillError, match="full"):
            load.stop()
        assert child.returncode == 0
