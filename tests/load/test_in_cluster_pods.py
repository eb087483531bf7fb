"""Load workers as pods of a real cluster: the stub stands there as the ingress, and nobody else."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from drilled_in_pods import HEAD, Drilled, seen, traded, unfit

from harness.core.judge import judge
from harness.core.load_places import WorkersIn
from harness.core.operation import Outcome
from harness.errors import PlatformError
from harness.evidence.rundir import RunDirectory
from harness.evidence.workers import read_places
from harness.platforms.kubernetes import execution
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.kubernetes.load_pods import LABEL, KubernetesLoadPods
from tests.core import simulate

pytestmark = pytest.mark.kubernetes
IMAGE = os.environ.get("PEAKDRILL_TEST_IMAGE", "localhost/peakdrill-reference:dev")
PART = {"peakdrill.dev/part": "ingress"}
HERE = Path(__file__).parent


@dataclass
class Doors:
    """A namespace with a Service and a Deployment `ingress`, behind which the stub answers."""

    cluster: Cluster
    name: str

    @property
    def port(self) -> int:
        service = self.cluster.get(f"/api/v1/namespaces/{self.name}/services/ingress")
        return int(service["spec"]["ports"][0]["nodePort"])

    @property
    def pods(self) -> KubernetesLoadPods:
        return KubernetesLoadPods(self.cluster, self.name, self.name)

    def make(self) -> None:
        stub = (HERE / "stub_application.py").read_text()
        words = ["python3", "/stub/stub_application.py", "8080", "/tmp/answers.log", "0.0.0.0"]
        container = {
            "name": "ingress", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": words,
            "volumeMounts": [{"name": "stub", "mountPath": "/stub"}],
            "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        }  # fmt: skip
        volumes = [{"name": "stub", "configMap": {"name": "stub"}}]
        ports = [{"name": "web", "port": 8080}]
        for path, kind, more in (
            ("/api/v1/namespaces/{}/configmaps", "ConfigMap", {"data": {"stub_application.py": stub}}),
            ("/api/v1/namespaces/{}/services", "Service",
             {"spec": {"type": "NodePort", "selector": PART, "ports": ports}}),
            ("/apis/apps/v1/namespaces/{}/deployments", "Deployment",
             {"spec": {"selector": {"matchLabels": PART}, "template": {
                 "metadata": {"labels": PART},
                 "spec": {"containers": [container], "volumes": volumes}}}}),
        ):  # fmt: skip
            name = "stub" if kind == "ConfigMap" else "ingress"
            version = "apps/v1" if kind == "Deployment" else "v1"
            body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **more}
            self.cluster.call("POST", path.format(self.name), body=body)

    def is_ready(self) -> bool:
        path = f"/apis/apps/v1/namespaces/{self.name}/deployments/ingress"
        return (self.cluster.get(path).get("status") or {}).get("readyReplicas") == 1

    def answered(self) -> str:
        pods = self.cluster.get(
            f"/api/v1/namespaces/{self.name}/pods", labelSelector="peakdrill.dev/part=ingress"
        )
        place = execution.Container(self.name, pods["items"][0]["metadata"]["name"], "ingress")
        return execution.run(self.cluster, place, ["cat", "/tmp/answers.log"]).stdout.decode()

    def left(self) -> list[str]:
        found = self.cluster.get(f"/api/v1/namespaces/{self.name}/pods", labelSelector=LABEL)
        return [item["metadata"]["name"] for item in found["items"]]


def reached() -> Cluster:
    """Where it is required and missing, the tests fail; they never pass unseen."""
    why = "not run: KUBECONFIG names no cluster"
    if os.environ.get("KUBECONFIG"):
        try:
            found = connect()
            found.get("/version")
        except PlatformError as error:
            why = f"not run: {error.what}"
        else:
            return found
    if os.environ.get("PEAKDRILL_REQUIRE_KUBERNETES") == "1":
        pytest.fail(f"{why}, and PEAKDRILL_REQUIRE_KUBERNETES=1 demands it")
    pytest.skip(why)


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    made = Doors(reached(), f"load-{secrets.token_hex(3)}")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made.name}}
    made.cluster.call("POST", "/api/v1/namespaces", body=namespace)
    try:
        last = time.monotonic() + 120
        accounts = f"/api/v1/namespaces/{made.name}/serviceaccounts/default"
        while made.cluster.find(accounts) is None and time.monotonic() < last:
            time.sleep(0.2)
        made.make()
        while not made.is_ready() and time.monotonic() < last:
            time.sleep(0.5)
        assert made.is_ready()
        yield made
    finally:
        made.cluster.delete(f"/api/v1/namespaces/{made.name}")
        made.cluster._api.rest_client.pool_manager.clear()  # its connections are kept open


@pytest.fixture
def drilled(doors: Doors, tmp_path: Path) -> Drilled:
    password = tmp_path / "password"
    password.write_text("admin\n")
    run_id = f"incluster{secrets.token_hex(2)}"
    plan = replace(simulate.plan_of(), workers=2, workers_in=WorkersIn.PODS, run_id=run_id)
    run = RunDirectory.create(tmp_path / "runs", run_id)
    run.save_plan(plan, "", HEAD)
    url = f"http://127.0.0.1:{doors.port}"
    return Drilled(plan, run, doors.pods, url, password, tmp_path / "none.log")


def test_two_pods_trade_and_everything_of_them_is_collected(
    drilled: Drilled, doors: Doors, until
) -> None:
    with drilled.load() as load:
        traded(load, 3)
        until(lambda: all(rate.good_per_s > 0 for rate in seen(load).rates))
    assert load.workers_lost == []
    plan, evidence = drilled.evidence()
    fit = {f.name: f for f in judge(plan, evidence).fitness}
    for name in ("load-workers", "ledger", "ledger-closed", "schedule", "clock"):
        assert fit[name].fit, fit[name]
    assert evidence.observation.clock_error_ns > 0
    places = read_places(drilled.run.path)
    assert [place.worker for place in places] == [0, 1]
    assert all(place.node for place in places)
    answered = doors.answered()
    mine = evidence.operations.where(evidence.operations.outcome == Outcome.ACKED)
    assert len(mine) > 50
    for worker in (0, 1):
        assert f" sale.order.create pd-{plan.run_id}-{worker}-" in answered
    until(lambda: doors.left() == [])


def test_a_pod_that_is_gone_is_a_worker_lost_by_name(drilled: Drilled, doors: Doors, until) -> None:
    with drilled.load() as load:
        traded(load, 2)
        until(lambda: all(rate.good_per_s > 0 for rate in seen(load).rates))
        name = read_places(drilled.run.path)[1].name
        path = f"/api/v1/namespaces/{doors.name}/pods/{name}"
        doors.cluster.delete(path, gracePeriodSeconds="0")
        until(lambda: load.workers.workers[1].lost)  # type: ignore[attr-defined]
    (lost,) = load.workers_lost
    assert lost.startswith(f"worker 1 ({name} on ")
    assert "its pod is gone" in lost
    assert unfit(drilled, "load-workers").measured == lost
    assert drilled.health(0).closed
    assert not drilled.health(1).closed
    assert drilled.health(1).end_seq > 0
