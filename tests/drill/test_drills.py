"""A whole drill as everybody runs it, honest; and by the command line on a lesser platform."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.core.operation import Workload
from harness.evidence.load import load_record
from tests.drill.conftest import EXIT_CODES
from tests.gameday.rehearsal import NODE, Rehearsed

pytestmark = [pytest.mark.platform, pytest.mark.drill, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
VIOLATIONS = (
    "lost", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected", "stale",
)  # fmt: skip


def test_an_honest_drill_loses_nothing_and_can_be_judged_again(rehearsed: Rehearsed) -> None:
    report, run = rehearsed.drilled(NODE)
    site = rehearsed.room.site
    assert report["schema"] == "peakdrill/run/v1"
    assert set(report["workloads"]) == {w.value for w in Workload}
    for name, workload in report["workloads"].items():
        found = {kind: workload["rpo"][kind] for kind in VIOLATIONS}
        assert not any(found.values()), f"{name}: {found}"
        assert workload["rpo"]["acked"] > 0
    away = report["workloads"]["order-capture"]["rto"]
    assert away["low_s"] > 1  # a leader's lock outlives it: a failover takes time
    assert away["recovered"]
    assert away["low_s"] <= away["high_s"]
    the_load_did_not_sag(run)
    site.judge_again(run, EXIT_CODES[report["verdict"]])
    no_secret_in(run, site)


def the_load_did_not_sag(run: Path) -> None:
    """Over the outage, what was offered is within 5% of the schedule, workload by workload."""
    record = load_record(run)
    for series in record.series:
        scheduled, offered = int(series.scheduled.sum()), int(series.offered.sum())
        assert abs(offered - scheduled) <= max(2, 0.05 * scheduled), series.workload


def no_secret_in(run: Path, site) -> None:
    """No file of the run holds a secret of the platform."""
    secrets = json.loads((site.platform.directory / "secrets" / "secrets.json").read_text())
    words = {w for w in re.findall(r'"([^"]{12,})"', json.dumps(secrets)) if "/" not in w}
    assert words
    for path in run.rglob("*"):
        if path.is_file():
            body = path.read_bytes()
            for word in words:
                assert word.encode() not in body, f"{path.name} holds a secret"


def test_a_capability_that_is_lacking_is_skipped_with_the_reason(site, tmp_path: Path) -> None:
    text = (ROOT / "scenarios" / "node_loss.py").read_text()
    wanting = tmp_path / "scenarios" / "node_loss_of_a_tenant.py"
    wanting.parent.mkdir()
    wanting.write_text(text.replace('"ingress"}', '"ingress", "tenants"}'))
    code, out, err = site.peakdrill("run", str(wanting), "--json", "--out", str(site.out))
    assert code == 3, err
    report = json.loads(out)
    assert report["verdict"] == "inconclusive"
    assert report["reasons"][0].startswith("skipped: ")
    assert "tenants" in report["reasons"][0]
    site.judge_again(site.only_run(), 3)
