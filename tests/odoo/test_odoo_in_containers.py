"""A release candidate of images that know nothing of peakdrill: Debian's odoo-14 and PostgreSQL.

Beside what test_odoo_14.py needs: Docker with the reference image of this source (the ingress, the
store and what else stands outside the candidate). Without Docker it says so and is not run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from odoo_images import APPLICATION, images

from harness.errors import Refused
from harness.inputs.containers_file import ContainersOptions
from harness.platforms.containers import daemon
from harness.platforms.containers import images as reference
from harness.progress import Silent

pytestmark = [pytest.mark.odoo, pytest.mark.timeout(3600)]
ROOT = Path(__file__).resolve().parents[2]
PLATFORM = ROOT / "examples" / "platform-containers-odoo.yaml"
VIOLATIONS = ("lost", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected")
LACKING = {"database.damage", "backups", "secrets", "audit", "cache", "integrations", "clean-room"}


@pytest.fixture(scope="module")
def candidate() -> None:
    try:
        daemon.client()
        reference.ensure(ContainersOptions(), Silent())
    except Refused as error:
        if os.environ.get("PEAKDRILL_REQUIRE_CONTAINERS") == "1":
            pytest.fail(f"{error.what}, and PEAKDRILL_REQUIRE_CONTAINERS=1 demands it")
        pytest.skip(f"not run: {error.what}")
    images()


def test_the_node_under_the_primary_is_lost(candidate: None, tmp_path: Path) -> None:
    """The image's own Patroni promotes; Odoo finds the new leader by libpq alone."""
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "node-loss", "--on", "containers",
         "--platform", str(PLATFORM), "--targets", str(ROOT / "examples" / "targets-odoo.yaml"),
         "--size", "smoke", "--json", "--seed", "14", "--out", str(tmp_path / "runs")],
        cwd=ROOT, env=os.environ | {"PEAKDRILL_HOME": str(tmp_path / "home")},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2400, check=False,
    )  # fmt: skip
    assert done.stdout, f"exit {done.returncode}: {done.stderr}"
    report = json.loads(done.stdout)
    print(json.dumps(report["reasons"], indent=1))
    assert done.returncode in {0, 1, 3, 4}, report["reasons"]
    conditions = {c["name"]: c for c in report["fitness"]["conditions"]}
    for name in ("effect", "fault-held", "healed", "ledger", "read-back", "platform-whole"):
        assert conditions[name]["fit"], conditions[name]
    for name, workload in report["workloads"].items():
        for violation in VIOLATIONS:
            assert workload["rpo"][violation] == 0, (name, violation, workload["rpo"])
    platform = report["plan"]["platform"]
    assert platform["heading"] == APPLICATION
    assert not LACKING & set(platform["capabilities"])
    assert "failed-over" in [mark["name"] for mark in report["timeline"]["marks"]]
