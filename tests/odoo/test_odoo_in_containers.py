"""Release candidates of images that know nothing of peakdrill: Odoo, PostgreSQL, Redis, Traefik.

Beside what test_odoo_14.py needs: Docker with the reference image of this source (the store and
what else stands outside the candidate). Without Docker it says so and is not run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from odoo_images import APPLICATION, CACHE, INGRESS, images

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


def test_an_odoo_loses_the_node_under_its_primary(candidate: None, tmp_path: Path) -> None:
    """The image's own Patroni promotes; Odoo finds the new leader by libpq alone."""
    report = node_lost(PLATFORM, "examples/targets-odoo.yaml", tmp_path)
    platform = report["plan"]["platform"]
    assert platform["heading"] == APPLICATION
    assert not LACKING & set(platform["capabilities"])


def test_a_shop_behind_redis_and_bare_traefik_loses_one(candidate: None, tmp_path: Path) -> None:
    told = {
        "kind": "containers",
        "images": {"cache": CACHE, "ingress": INGRESS},
        "ingress": {"managed": "own"},
        "cache": {
            "managed": "own",
            "user": "redis",
            "data": "/var/lib/redis",
            "command": ["/bin/sh", "-ec", " && ".join(REDIS)],
        },
    }
    file = tmp_path / "platform.yaml"
    file.write_text(json.dumps(told))  # JSON is YAML
    report = node_lost(file, "targets.yaml", tmp_path)
    had = set(report["plan"]["platform"]["capabilities"])
    assert {"cache", "integrations", "database.damage"} <= had
    assert not {"backups", "secrets", "audit", "clean-room"} & had


REDIS = (
    "umask 077",
    r"""printf 'requirepass %s\n' "$(cat /secrets/valkey)" > /tmp/redis.conf""",
    "exec redis-server /tmp/redis.conf --bind 0.0.0.0 --appendonly yes --dir /var/lib/redis",
)


def node_lost(file: Path, targets: str, folder: Path) -> dict:
    """A smoke drill, to a verdict; whatever it is, every acknowledged write is accounted for."""
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "node-loss", "--on", "containers",
         "--platform", str(file), "--targets", str(ROOT / targets),
         "--size", "smoke", "--json", "--seed", "14", "--out", str(folder / "runs")],
        cwd=ROOT, env=os.environ | {"PEAKDRILL_HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2400, check=False,
    )  # fmt: skip
    assert done.stdout, f"exit {done.returncode}: {done.stderr}"
    report: dict = json.loads(done.stdout)
    print(json.dumps(report["reasons"], indent=1))
    assert done.returncode in {0, 1, 3, 4}, report["reasons"]
    conditions = {c["name"]: c for c in report["fitness"]["conditions"]}
    for name in ("effect", "fault-held", "healed", "ledger", "read-back", "platform-whole"):
        assert conditions[name]["fit"], conditions[name]
    for name, workload in report["workloads"].items():
        for violation in VIOLATIONS:
            assert workload["rpo"][violation] == 0, (name, violation, workload["rpo"])
    assert "failed-over" in [mark["name"] for mark in report["timeline"]["marks"]]
    return report
