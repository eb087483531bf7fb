"""The scheduled drill as it is brought beside a stack of a test: other namespaces, other ports."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3

from harness.inputs.kubernetes_file import PORTS
from harness.platforms.embedded import credentials, s3
from harness.platforms.embedded.s3_client import S3Client
from harness.platforms.kubernetes import bringing, manifests
from harness.platforms.kubernetes.client import Cluster
from harness.platforms.kubernetes.platform import KubernetesPlatform

SCHEDULED = Path(__file__).parents[2] / "deploy" / "scheduled"
RIGHTS = "/apis/rbac.authorization.k8s.io/v1"
BUCKET = "peakdrill-evidence"


@dataclass(frozen=True)
class Ended:
    """A pod of a Job, once all of its containers have ended."""

    codes: dict[str, int]
    said: str  # the drill's own log


@dataclass(frozen=True)
class Scheduled:
    stack: KubernetesPlatform
    namespace: str

    @property
    def cluster(self) -> Cluster:
        return self.stack.cluster

    @property
    def evidence(self) -> S3Client:
        known = credentials.load(self.stack.layout)
        return replace(s3.admin(self.stack.state.ports, known), bucket=BUCKET)

    def bring(self, key: bytes) -> None:
        """Everything of deploy/scheduled, and the two Secrets that its owner makes."""
        overlay = "base" if self._has_sidecars() else "overlays/kubernetes-1.20"
        found = [self._moved(each) for each in manifests.rendered(SCHEDULED / overlay)]
        first = [each for each in found if each["kind"] == "Namespace"]
        bringing.bring(self.cluster, [*first, *(each for each in found if each not in first)])
        self.evidence.create_locked_bucket(1)
        known = credentials.load(self.stack.layout)
        aws = (
            f"[default]\naws_access_key_id = {known.s3_admin_key}\n"
            f"aws_secret_access_key = {known.s3_admin_secret}\n"
        )
        for name, file, text in (
            ("s3", "credentials", aws.encode()), ("signing-key", "signing-key.pem", key),
        ):  # fmt: skip
            data = {file: base64.b64encode(text).decode()}
            meta = {"name": name, "namespace": self.namespace}
            made = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}
            self.cluster.apply(f"{self._folder}/secrets/{name}", made)

    def download(self, folder: Path) -> Path:
        """The newest run, as it lies there."""
        store = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.evidence.port}",
            aws_access_key_id=self.evidence.access_key,
            aws_secret_access_key=self.evidence.secret_key,
            region_name="us-east-1",
        )
        listed = store.list_objects_v2(Bucket=BUCKET, Prefix="scheduled/runs/")["Contents"]
        names = [item["Key"].removeprefix("scheduled/runs/") for item in listed]
        run = max(name.split("/")[0] for name in names)
        for name in names:
            if name.startswith(f"{run}/"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                told = store.get_object(Bucket=BUCKET, Key=f"scheduled/runs/{name}")
                (folder / name).write_bytes(told["Body"].read())
        store.close()
        return folder / run

    def run(self, words: list[str], *, within_s: float) -> Ended:
        """A Job made from the CronJob, with other words for the drill."""
        version = "v1" if self._has_sidecars() else "v1beta1"
        path = f"/apis/batch/{version}/namespaces/{self.namespace}/cronjobs/pod-kill"
        spec = self.cluster.get(path)["spec"]["jobTemplate"]["spec"]
        for container in spec["template"]["spec"]["containers"]:
            if container["name"] == "peakdrill":
                container["args"] = words
        name = f"drill-{secrets.token_hex(3)}"
        job = {
            "apiVersion": "batch/v1", "kind": "Job", "spec": spec,
            "metadata": {"name": name, "namespace": self.namespace},
        }  # fmt: skip
        self.cluster.call("POST", f"/apis/batch/v1/namespaces/{self.namespace}/jobs", body=job)
        found: list[dict[str, Any]] = []

        def is_over() -> bool:
            listed = self.cluster.get(f"{self._folder}/pods", labelSelector=f"job-name={name}")
            found[:] = listed["items"]
            return [p["status"]["phase"] for p in found] in (["Succeeded"], ["Failed"])

        try:
            until(is_over, within_s)
        finally:
            said = "".join(
                self.cluster.text(
                    f"{self._folder}/pods/{p['metadata']['name']}/log", {"container": "peakdrill"}
                )
                for p in found
            )
            print(said)
        told = found[0]["status"]["containerStatuses"]
        return Ended({c["name"]: c["state"]["terminated"]["exitCode"] for c in told}, said)

    def without(self, verb: str, resource: str) -> Callable[[], None]:
        """One right is taken away in the tenant's namespace; what is returned gives it back."""
        path = f"{RIGHTS}/namespaces/{self.stack.options.namespace}/roles/peakdrill"
        before = self.cluster.get(path)["rules"]
        left = json.loads(json.dumps(before))
        for rule in left:
            if resource in rule["resources"]:
                rule["verbs"].remove(verb)
        self.cluster.patch(path, {"rules": [rule for rule in left if rule["verbs"]]})
        return lambda: self.cluster.patch(path, {"rules": before})

    def take_away(self) -> None:
        self.cluster.delete(f"/api/v1/namespaces/{self.namespace}")
        for kind in ("clusterrolebindings", "clusterroles"):
            self.cluster.delete(f"{RIGHTS}/{kind}/{self.namespace}")

    @property
    def _folder(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}"

    def _has_sidecars(self) -> bool:
        major, minor = re.match(r"v(\d+)\.(\d+)", self.cluster.version).groups()  # type: ignore[union-attr]
        return (int(major), int(minor)) >= (1, 29)

    def _moved(self, document: dict[str, Any]) -> dict[str, Any]:
        """Only names of namespaces, of what belongs to the whole cluster, and numbers of ports."""
        options = self.stack.options
        text = json.dumps(document)
        for before, after in (
            (r"\bshop-edge\b", options.edge_namespace),
            (r'(?<=[.": ])shop(?=[":\\])', options.namespace),
            (r'("namespace": )"peakdrill"', rf'\1"{self.namespace}"'),
        ):
            text = re.sub(before, after, text)
        for name, number in PORTS:
            text = text.replace(f"{number}", f"{dict(options.node_ports)[name]}")
        found: dict[str, Any] = json.loads(text)
        if found["kind"] in {"Namespace", "ClusterRole", "ClusterRoleBinding"}:
            found["metadata"]["name"] = self.namespace
        if found["kind"] == "ClusterRoleBinding":
            found["roleRef"]["name"] = self.namespace
        if (found["kind"], found["metadata"]["name"]) == ("ConfigMap", "drill"):
            told = found["data"]["platform.yaml"]
            ports = json.dumps(dict(options.node_ports))
            found["data"]["platform.yaml"] = f"{told}node_ports: {ports}\n"
        manifests._spell_out(found)
        return found


def until(look: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        time.sleep(1.0)
