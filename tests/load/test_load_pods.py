"""What is asked of a cluster for load pods, and what its answers mean. No cluster is needed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from harness.errors import NotReady, PlatformError
from harness.platforms.kubernetes.load_pods import KubernetesLoadPods
from harness.platforms.load_pods import LoadPod, Role

ROLES = (Role("master"), Role("worker", 0))
RUNNING = {"phase": "Running", "podIP": "10.0.0.9", "containerStatuses": [{"started": True}]}


@dataclass
class Cluster:
    """An API with pods, and nothing else."""

    status: dict = field(default_factory=lambda: dict(RUNNING))
    pods: dict[str, dict] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, *, body: dict) -> None:
        assert (method, path) == ("POST", "/api/v1/namespaces/shop-edge/pods")
        self.pods[body["metadata"]["name"]] = body

    def get(self, path: str, **query: str) -> dict:
        name = path.rsplit("/", 1)[1]
        if name == "pods":
            key, _, value = query["labelSelector"].partition("=")
            own = (p for p in self.pods.values() if key in p["metadata"]["labels"])
            return {"items": [p for p in own if value in ("", p["metadata"]["labels"][key])]}
        if path.endswith("deployments/ingress"):
            container = {"name": "ingress", "image": "registry.example/stack:7"}
            return {"spec": {"template": {"spec": {"containers": [container]}}}}
        if path.endswith("services/ingress"):
            return {"spec": {"clusterIP": "10.96.1.2"}}
        pod = self.pods[name]
        return {**pod, "spec": {**pod["spec"], "nodeName": "node3"}, "status": self.status}

    def find(self, path: str) -> dict | None:
        return self.get(path) if path.rsplit("/", 1)[1] in self.pods else None

    def delete(self, path: str, **query: str) -> None:
        assert query == {"gracePeriodSeconds": "2"}
        self.deleted.append(path.rsplit("/", 1)[1])
        del self.pods[self.deleted[-1]]


def started(cluster: Cluster, run_id: str = "20261128T0300Zab") -> tuple[LoadPod, ...]:
    return offered(cluster).start(run_id, ROLES, lives_s=600, within_s=0.1)


def offered(cluster: Cluster) -> KubernetesLoadPods:
    return KubernetesLoadPods(cluster, "shop-edge", "shop")  # type: ignore[arg-type]


def test_a_pod_a_role_runs_off_the_databases_nodes_without_a_right_or_a_secret() -> None:
    cluster = Cluster()
    master, worker = started(cluster)
    assert (worker.role, worker.node, worker.address) == (ROLES[1], "node3", "10.0.0.9")
    assert master.name == "load-20261128t0300zab-master"
    spec = cluster.pods[worker.name]["spec"]
    (container,) = spec["containers"]
    assert container["image"] == "registry.example/stack:7"
    assert container["command"] == ["python3", "-m", "load.in_pod", "worker", "0", "/load"]
    assert "env" not in container
    assert spec["automountServiceAccountToken"] is False
    assert (spec["restartPolicy"], spec["activeDeadlineSeconds"]) == ("Never", 600)
    assert spec["securityContext"]["runAsNonRoot"] is True
    away = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert away[0]["labelSelector"] == {"matchLabels": {"peakdrill.dev/part": "database"}}
    assert away[0]["namespaces"] == ["shop"]
    (held,) = (v for v in spec["volumes"] if v["name"] == "held")
    assert held["emptyDir"]["medium"] == "Memory"
    assert "password" not in json.dumps(cluster.pods)


def test_the_load_goes_to_the_door_inside() -> None:
    pods = offered(Cluster())
    assert pods.application_url == "http://10.96.1.2:8080"
    assert pods.queue_url == "redis://10.96.1.2:6380/0"


def test_what_does_not_run_is_named_with_the_clusters_own_reason() -> None:
    condition = {"status": "False", "message": "0/2 nodes are available: anti-affinity"}
    with pytest.raises(NotReady, match=r"worker-0: 0/2 nodes are available"):
        started(Cluster({"phase": "Pending", "conditions": [condition]}))
    waiting = {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}
    with pytest.raises(NotReady, match="master: ErrImagePull: no such image"):
        started(Cluster({"phase": "Pending", "containerStatuses": [waiting]}))
    with pytest.raises(NotReady):  # it runs, and has no address yet
        started(Cluster({"phase": "Running"}))


def test_what_ended_at_once_is_not_waited_for() -> None:
    ended = {"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    with pytest.raises(PlatformError, match="ended at once: Failed: OOMKilled, exit code 137"):
        started(Cluster({"phase": "Failed", "containerStatuses": [ended]}))


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (RUNNING, ""),
        ({"phase": "Unknown"}, ""),  # its node is silent: nobody knows
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"phase": "Failed", "reason": "DeadlineExceeded"}, "DeadlineExceeded"),
    ],
)
def test_why_a_pod_is_gone(status: dict, why: str) -> None:
    cluster = Cluster()
    _, worker = started(cluster)
    cluster.status = status
    assert offered(cluster).why_gone(worker) == why


def test_a_pod_that_leaves_or_left_is_gone() -> None:
    cluster = Cluster()
    _, worker = started(cluster)
    cluster.pods[worker.name]["metadata"]["deletionTimestamp"] = "2026-11-28T03:00:00Z"
    assert offered(cluster).why_gone(worker) == "it is being taken away"
    del cluster.pods[worker.name]
    assert offered(cluster).why_gone(worker) == "there is no such pod any more"


def test_all_of_a_run_goes_and_the_next_one_takes_what_another_left() -> None:
    cluster = Cluster()
    first = started(cluster, "r1")
    second = started(cluster, "r2")
    assert cluster.deleted == [pod.name for pod in first]
    offered(cluster).remove("r1")
    assert len(cluster.pods) == len(second)
    offered(cluster).remove("R2")  # as a run is called
    assert cluster.pods == {}
