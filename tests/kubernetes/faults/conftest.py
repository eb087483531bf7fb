"""A namespace in the cluster that KUBECONFIG names, for the tests of what breaks in it."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import cluster_platform
from cluster_platform import ClusterPlatform
from shop_of_pods import LEASE_S, Stand, until

from harness.errors import PlatformError
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.kubernetes.objects import nodes

CHILD_SITE = Path(__file__).parents[2] / "faults" / "child_site"


@pytest.fixture(scope="session")
def shared_cluster() -> Cluster:
    """Where it is required and missing, the tests fail; they never pass unseen."""
    try:
        found = connect(kubeconfig=os.environ.get("KUBECONFIG", "no KUBECONFIG"))
        found.get("/version")
    except PlatformError as error:
        why = f"not run: {error.what}"
        if os.environ.get("PEAKDRILL_REQUIRE_KUBERNETES") == "1":
            pytest.fail(f"{why}, and PEAKDRILL_REQUIRE_KUBERNETES=1 demands it")
        pytest.skip(why)
    return found


@pytest.fixture(scope="session")
def stand(shared_cluster: Cluster) -> Iterator[Stand]:
    name = f"faults-{secrets.token_hex(3)}"
    node = max(found.name for found in nodes(shared_cluster) if found.ready and found.schedulable)
    made = Stand(shared_cluster, name, node)
    made.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        accounts = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        until(lambda: made.cluster.find(accounts) is not None)
        made.grant()
        made.workload("Deployment", "application", 2)
        made.workload("StatefulSet", "database", 2)
        made.workload("Deployment", "keeper", 1)
        until(made.is_settled, 90)
        yield made
    finally:
        made.withdraw()
        made.cluster.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture
def home(stand: Stand) -> Iterator[Stand]:
    """Every pod on the node that is drained, which is open before and after."""
    stand.tidy()  # what a test that failed has left
    stand.bring_home()
    try:
        yield stand
    finally:
        stand.tidy()


@pytest.fixture
def keeper(stand: Stand, tmp_path: Path) -> Iterator[Path]:
    """The cluster's keeper of undos runs; its folder, with its log."""
    with stand.undoer(tmp_path / "undoer"):
        yield tmp_path / "undoer"


@pytest.fixture
def drilled(stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterPlatform:
    """The platform as children and this process find it."""
    monkeypatch.setitem(sys.modules, "harness.platforms.find", cluster_platform)
    monkeypatch.setenv("STAND_IN_PLATFORM", "cluster_platform")
    monkeypatch.setenv("PYTHONPATH", f"{CHILD_SITE}{os.pathsep}{Path(__file__).parent}")
    return ClusterPlatform.up(
        tmp_path / "platform", kubeconfig=stand.kubeconfig, namespace=stand.namespace,
        lease_s=LEASE_S, seen_within_s=10.0,
    )  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "r1"
    directory.mkdir()
    return directory


@pytest.fixture
def acting(
    drilled: ClusterPlatform, run: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ClusterPlatform]:
    """The environment of an action, in this very process."""
    from harness.chaos import keeping

    monkeypatch.setenv("PEAKDRILL_PLATFORM", str(drilled.directory))
    monkeypatch.setenv("PEAKDRILL_RUN", str(run))
    monkeypatch.delenv("PEAKDRILL_HOLD", raising=False)
    yield drilled
    keeping.stop_renewing()
