"""A namespace with a small application in a real cluster, and who keeps its undos."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from harness.platforms.kubernetes.client import Cluster
from harness.platforms.kubernetes.faults import KubernetesFaults
from harness.platforms.kubernetes.objects import PART
from harness.platforms.reference import lease as leases

HERE = Path(__file__).parent
MANIFESTS = HERE.parents[2] / "deploy" / "reference" / "base"
IMAGE = "localhost/busybox:1"
LEASE_S = 15  # as it ships: a busy machine renews late
_SERVE = "httpd -f -p 8080"


class Stand:
    """Everything in it goes with its namespace, but for the rights on nodes."""

    def __init__(self, cluster: Cluster, namespace: str, node: str) -> None:
        self.cluster, self.namespace, self.node = cluster, namespace, node
        self.kubeconfig = cluster.where.kubeconfig

    def make(self, *documents: dict[str, Any]) -> None:
        for document in documents:
            kind, meta = document["kind"], document["metadata"]
            version = document["apiVersion"]
            root = f"/apis/{version}" if "/" in version else f"/api/{version}"
            plural = {"NetworkPolicy": "networkpolicies"}.get(kind, f"{kind.lower()}s")
            spaced = kind not in {"Namespace", "ClusterRole", "ClusterRoleBinding"}
            place = f"/namespaces/{self.namespace}" if spaced else ""
            self.cluster.apply(f"{root}{place}/{plural}/{meta['name']}", document)

    def workload(self, kind: str, name: str, replicas: int, **labels: str) -> None:
        """Pods that serve on 8080, on the node that is to be drained as long as it takes any."""
        labels = {PART: name, **labels}
        preferred = [{"weight": 100, "preference": {"matchExpressions": [
            {"key": "kubernetes.io/hostname", "operator": "In", "values": [self.node]}]}}]  # fmt: skip
        affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
        container = {
            "name": name, "image": IMAGE, "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", f"trap exit TERM; {_SERVE} & wait"],
            "ports": [{"containerPort": 8080}],
            "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        }  # fmt: skip
        away = [{"key": "node.kubernetes.io/unreachable", "operator": "Exists"}]
        spec = {
            "containers": [container], "terminationGracePeriodSeconds": 2, "tolerations": away,
            "affinity": affinity if name != "keeper" else {},
        }  # fmt: skip
        body = {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
            **({"serviceName": name} if kind == "StatefulSet" else {}),
        }  # fmt: skip
        self.make({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body})

    def budget(self, name: str, part: str, least: int) -> None:
        document = {
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name},
            "spec": {"minAvailable": least, "selector": {"matchLabels": {PART: part}}},
        }  # fmt: skip
        if not self.cluster.serves("policy", "v1"):
            document["apiVersion"] = "policy/v1beta1"
        self.make(document)
        path = f"/apis/{document['apiVersion']}/namespaces/{self.namespace}/poddisruptionbudgets"
        until(lambda: "expectedPods" in self.get(f"{path}/{name}").get("status", {}))

    def drop_budget(self, name: str) -> None:
        version = "v1" if self.cluster.serves("policy", "v1") else "v1beta1"
        folder = f"/apis/policy/{version}/namespaces/{self.namespace}/poddisruptionbudgets"
        self.cluster.delete(f"{folder}/{name}")

    def get(self, path: str, **query: str) -> Any:
        return self.cluster.call("GET", path, query=query)

    def pods(self, part: str = "") -> list[dict[str, Any]]:
        query = {"labelSelector": f"{PART}={part}"} if part else {}
        return list(self.get(f"/api/v1/namespaces/{self.namespace}/pods", **query)["items"])

    def uids(self, part: str = "") -> set[str]:
        """Of those that are not on their way out."""
        here = (pod for pod in self.pods(part) if "deletionTimestamp" not in pod["metadata"])
        return {pod["metadata"]["uid"] for pod in here}

    def nodes_of(self, part: str) -> list[str]:
        """Where those are that are not on their way out."""
        here = (pod for pod in self.pods(part) if "deletionTimestamp" not in pod["metadata"])
        return sorted(pod["spec"].get("nodeName", "") for pod in here)

    def leases(self) -> list[dict[str, Any]]:
        folder = f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases"
        return list(self.get(folder)["items"])

    def policies(self) -> list[dict[str, Any]]:
        folder = f"/apis/networking.k8s.io/v1/namespaces/{self.namespace}/networkpolicies"
        return list(self.get(folder)["items"])

    def is_open(self) -> bool:
        """Whether the node takes pods."""
        return not self.get(f"/api/v1/nodes/{self.node}")["spec"].get("unschedulable", False)

    def cordon(self, *, closed: bool) -> None:
        """As its owner does."""
        change = {"spec": {"unschedulable": closed or None}}
        self.cluster.patch(f"/api/v1/nodes/{self.node}", change)

    def token(self, account: str) -> str:
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{account}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        return str(self.cluster.call("POST", path, body=body)["status"]["token"])

    def kubeconfig_of(self, account: str, file: Path) -> str:
        """Whoever uses it has that account's rights, and no more."""
        configuration = self.cluster.configuration
        server = {"server": configuration.host, "certificate-authority": configuration.ssl_ca_cert}
        file.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "few",
            "clusters": [{"name": "it", "cluster": server}],
            "users": [{"name": account, "user": {"token": self.token(account)}}],
            "contexts": [{"name": "few", "context": {"cluster": "it", "user": account}}],
        }))  # fmt: skip
        return str(file)

    def is_settled(self) -> bool:
        """All that was asked for is ready, on the node that is to be drained."""
        self._bury()
        ready = [pod for pod in self.pods() if _ready(pod)]
        return len(ready) == len(self.pods()) == 5

    def enforces_policies(self, faults: KubernetesFaults) -> bool:
        """Tried, with a policy of our own that lets nothing reach a pod."""
        targets = faults.targets("database-0")
        name = "tried-by-the-tests"
        self.make(faults.policy(name, "database-0", targets, "tests"))
        try:
            time.sleep(3)
            return not faults.passing(targets)
        finally:
            faults.delete_policy(name)

    def _bury(self) -> None:
        """Pods whose containers have ended: a kubelet may let them lie for a minute."""
        for pod in self.pods():
            told = pod["status"].get("containerStatuses") or ()
            dead = told and not any("running" in c["state"] for c in told)
            if dead and "deletionTimestamp" in pod["metadata"]:
                path = f"/api/v1/namespaces/{self.namespace}/pods/{pod['metadata']['name']}"
                self.cluster.delete(path, gracePeriodSeconds="0")

    def tidy(self) -> None:
        """The node open, and neither leases nor policies; what another drill has closed stays."""
        path = f"/api/v1/nodes/{self.node}"
        by = (self.get(path)["metadata"].get("annotations") or {}).get(leases.CORDONED_BY, "")
        ours = {lease["metadata"]["name"] for lease in self.leases()}
        if not by or by in ours or by.startswith("tests"):
            says = {"annotations": {leases.CORDONED_BY: None}}
            self.cluster.patch(path, {"metadata": says, "spec": {"unschedulable": None}})
        folder = f"/apis/networking.k8s.io/v1/namespaces/{self.namespace}/networkpolicies"
        for policy in self.policies():
            self.cluster.delete(f"{folder}/{policy['metadata']['name']}")
        for lease in self.leases():
            self.cluster.delete(leases.path(self.namespace, lease["metadata"]["name"]))

    def bring_home(self) -> None:
        """Back to the node that is drained, for the next test: a scheduler moves nobody."""
        until(self.is_settled, 60)
        for part in ("application", "database"):
            for pod in self.pods(part):
                if pod["spec"]["nodeName"] != self.node:
                    path = f"/api/v1/namespaces/{self.namespace}/pods/{pod['metadata']['name']}"
                    self.cluster.delete(path, gracePeriodSeconds="1")
        until(self._is_home, 60)
        for pod, role in {"database-0": "primary", "database-1": "replica"}.items():
            change = {"metadata": {"labels": {"peakdrill.dev/role": role}}}
            self.cluster.patch(f"/api/v1/namespaces/{self.namespace}/pods/{pod}", change)

    def _is_home(self) -> bool:
        homes = {*self.nodes_of("application"), *self.nodes_of("database")}
        return self.is_settled() and homes == {self.node}

    @contextmanager
    def undoer(self, folder: Path) -> Iterator[None]:
        """It runs with its own account's rights: those of the manifests that ship."""
        folder.mkdir()
        configuration = self.cluster.configuration
        (folder / "token").write_text(self.token("undoer"))
        (folder / "ca.crt").write_bytes(Path(str(configuration.ssl_ca_cert)).read_bytes())
        command = [
            sys.executable, str(HERE / "undoer_process.py"), self.namespace,
            str(configuration.host), str(folder),
        ]  # fmt: skip
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            until(lambda: "keeps the undos" in (folder / "log").read_text())
            yield
        finally:
            process.terminate()
            assert process.wait(20) == 0, (folder / "log").read_text()

    def grant(self) -> None:
        """The undoer's rights, as the manifests have them, in this namespace."""
        files = ("edge/undoer.yaml", "tenant/undoer-rights.yaml")
        for file in files:
            for document in yaml.safe_load_all((MANIFESTS / file).read_text()):
                if document["kind"] == "Deployment":
                    continue
                for name in (document["metadata"], document.get("roleRef", {})):
                    name["name"] = name.get("name", "").replace("shop-edge", self.namespace)
                for subject in document.get("subjects", ()):
                    subject["namespace"] = self.namespace
                self.make({k: v for k, v in document.items() if v != {"name": ""}})

    def withdraw(self) -> None:
        for plural in ("clusterrolebindings", "clusterroles"):
            self.cluster.delete(
                f"/apis/rbac.authorization.k8s.io/v1/{plural}/{self.namespace}-undoer"
            )


def until(reached: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.2)


def _ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions") or ()
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
