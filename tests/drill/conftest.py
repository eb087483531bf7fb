"""Drills against the real embedded platform: as a user by the command line, and in process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.core.plan import Plan
from harness.evidence import layout
from harness.platforms.embedded import EmbeddedPlatform

ROOT = Path(__file__).resolve().parents[2]
DRILL_LIMIT_S = 400
VERDICTS = {0: "met", 1: "missed", 3: "inconclusive", 4: "invalid"}  # by exit code
EXIT_CODES = {verdict: code for code, verdict in VERDICTS.items()}


@dataclass(frozen=True)
class Site:
    """A platform that is up, and a folder for runs."""

    platform: EmbeddedPlatform
    out: Path

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The command line as a user runs it, in a session of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "harness.cli", *words],
            cwd=ROOT,
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def peakdrill(self, *words: str) -> tuple[int, str, str]:
        """Run to the end: exit code, stdout, stderr."""
        child = self.start(*words)
        try:
            out, err = child.communicate(timeout=DRILL_LIMIT_S)
        finally:
            child.kill()
        return child.returncode, out, err

    def drill(self, scenario: str, *words: str) -> tuple[int, dict[str, object], Path]:
        """A smoke drill by --json: exit code, the report, the run directory."""
        order = (scenario, "--size", "smoke", "--json", "--out", str(self.out))
        code, out, err = self.peakdrill("run", *order, *words)
        assert out, f"exit {code}: {err}"
        report = json.loads(out)
        return code, report, self.out / report["run_id"]

    def judge_again(self, run: Path, code: int) -> None:
        """`check` judges the same, byte for byte, and writes nothing."""
        before = {p: p.stat().st_mtime_ns for p in run.rglob("*")}
        checked, out, err = self.peakdrill("check", str(run))
        assert checked == code, out + err
        _, printed, _ = self.peakdrill("check", str(run), "--print-verdict")
        assert printed == (run / "verdict.json").read_text()
        signed, told, err = self.peakdrill("verify", str(run), "--chain", str(self.out))
        assert signed == 0, told + err
        assert {p: p.stat().st_mtime_ns for p in run.rglob("*")} == before

    def only_run(self) -> Path:
        """The one run directory that there is."""
        (run,) = [path.parent for path in self.out.glob(f"*/{layout.PLAN}")]
        return run


@pytest.fixture
def site(platform: EmbeddedPlatform, tmp_path: Path) -> Site:
    return Site(platform, tmp_path / "runs")


@pytest.fixture
def smoke_plan(platform: EmbeddedPlatform) -> Plan:
    """The plan of a smoke null run of node-loss on this platform."""
    from harness.core.plan import Size
    from harness.session import Order, plan_only

    return plan_only(Order("node-loss", size=Size.SMOKE, seed=7))
