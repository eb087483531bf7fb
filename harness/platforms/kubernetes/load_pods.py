"""Pods for load workers, beside the doors: what `harness.platforms.load_pods` asks of a cluster.

The harness speaks to them by exec alone. They keep away from the databases' nodes, which are the
ones that a drill takes away; and each ends by itself, whatever becomes of the harness.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubernetes.stream import ws_client
from websocket import ABNF, WebSocketException

from harness.errors import NotReady, PlatformError
from harness.platforms.kubernetes import execution
from harness.platforms.kubernetes.client import Cluster
from harness.platforms.kubernetes.objects import PART
from harness.platforms.load_pods import LoadPod, Role
from harness.platforms.reference.site import INGRESS

LABEL, LOAD = "peakdrill.dev/load", "load"
WORK, SECRETS = "/load", "/held"
_BESIDE = ("python3", "-m", "load.beside", WORK, SECRETS)
_WEB, _QUEUE = 8080, 6380  # the doors inside the cluster
_POLL_S = 0.5
_OPEN_S = 10.0
_GRACE_S = "2"


@dataclass
class ExecTalk:
    """Lines to load/beside.py in one pod, and its lines back."""

    place: execution.Container
    socket: ws_client.WSClient
    _unread: bytearray = field(default_factory=bytearray, init=False)
    _errors: bytearray = field(default_factory=bytearray, init=False)

    def ask(self, line: bytes, *, within_s: float) -> bytes:
        until_s = time.monotonic() + within_s
        try:
            self.socket.write_stdin(line + b"\n")
            while (end := self._unread.find(b"\n")) < 0:
                self._read(until_s)
        except (OSError, WebSocketException) as error:
            raise PlatformError(
                f"the stream to {self.place} broke: {type(error).__name__}"
            ) from error
        told = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return told

    def close(self) -> None:
        with contextlib.suppress(OSError, WebSocketException):
            self.socket.close(timeout=1)
        with contextlib.suppress(OSError):  # one whose other end went first keeps its socket
            self.socket.sock.shutdown()

    def _read(self, until_s: float) -> None:
        """A frame. Not by the library's own `update`: it polls the socket beneath TLS, and sleeps
        over frames that TLS holds already.
        """
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            raise NotReady(f"{self.place} did not answer in time")
        self.socket.sock.settimeout(left_s)
        code, frame = self.socket.sock.recv_data_frame(control_frame=True)
        if code == ABNF.OPCODE_CLOSE:
            said = bytes(self._errors).decode(errors="replace").strip()
            raise PlatformError(f"the stream to {self.place} ended: {said[-200:]}")
        if code in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) and frame.data:
            kept = self._unread if frame.data[0] == ws_client.STDOUT_CHANNEL else self._errors
            kept += frame.data[1:]


@dataclass(frozen=True, slots=True)
class KubernetesLoadPods:
    """Of one stack: `namespace` is the edge's, `tenant` that of the databases."""

    cluster: Cluster
    namespace: str
    tenant: str
    work: str = WORK
    secrets: str = SECRETS

    @property
    def application_url(self) -> str:
        """By its address: names are not what is drilled."""
        return f"http://{self._door()}:{_WEB}"

    @property
    def queue_url(self) -> str:
        return f"redis://{self._door()}:{_QUEUE}/0"

    def start(
        self, run_id: str, roles: Sequence[Role], *, lives_s: float, within_s: float
    ) -> tuple[LoadPod, ...]:
        """What an earlier drill has left is taken away first: there is one at a time."""
        self._remove(LABEL)
        image = self._image()
        for role in roles:
            pod = self._manifest(run_id, role, image, lives_s)
            self.cluster.call("POST", self._pods, body=pod)
        until_s = time.monotonic() + within_s
        while True:
            found = [self._found(run_id, role) for role in roles]
            waiting = [
                name for name, pod in zip(_names(run_id, roles), found, strict=True) if not pod
            ]
            if not waiting:
                return tuple(pod for pod in found if pod)
            if time.monotonic() > until_s:
                raise NotReady(
                    f"load pods did not run within {within_s:g} s: "
                    + "; ".join(f"{name}: {self._why_not(name)}" for name in waiting),
                    next_step="they keep off the nodes of the databases; or --workers-in here",
                )
            time.sleep(_POLL_S)

    def talk(self, pod: LoadPod) -> ExecTalk:
        place = execution.Container(self.namespace, pod.name, LOAD)
        socket = execution.open_stream(self.cluster, place, _BESIDE, feed=True, within_s=_OPEN_S)
        return ExecTalk(place, socket)

    def why_gone(self, pod: LoadPod) -> str:
        item = self.cluster.find(f"{self._pods}/{pod.name}")
        if item is None:
            return "there is no such pod any more"
        if item["metadata"].get("deletionTimestamp"):
            return "it is being taken away"
        status = item.get("status") or {}
        return "" if status.get("phase") in ("Running", "Pending", "Unknown") else _end_of(status)

    def remove(self, run_id: str) -> None:
        self._remove(f"{LABEL}={_label(run_id)}")

    def _remove(self, selector: str) -> None:
        for item in self.cluster.get(self._pods, labelSelector=selector)["items"]:
            name = item["metadata"]["name"]
            self.cluster.delete(f"{self._pods}/{name}", gracePeriodSeconds=_GRACE_S)

    def _door(self) -> str:
        found = self.cluster.get(f"/api/v1/namespaces/{self.namespace}/services/{INGRESS}")
        return str(found["spec"]["clusterIP"])

    def _image(self) -> str:
        """The one that the stack runs: all that a worker needs is in it."""
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{INGRESS}"
        containers = self.cluster.get(path)["spec"]["template"]["spec"]["containers"]
        return str(containers[0]["image"])

    @property
    def _pods(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    def _found(self, run_id: str, role: Role) -> LoadPod | None:
        """None while it does not run. Raises PlatformError when it never will."""
        name = _name(run_id, role)
        item = self.cluster.get(f"{self._pods}/{name}")
        status = item.get("status") or {}
        if status.get("phase") in ("Failed", "Succeeded"):
            raise PlatformError(f"the load pod {name} ended at once: {_end_of(status)}")
        started = [bool(c.get("started", True)) for c in status.get("containerStatuses") or ()]
        if status.get("phase") != "Running" or not status.get("podIP") or not all(started):
            return None
        return LoadPod(role, name, item["spec"].get("nodeName") or "", str(status["podIP"]))

    def _why_not(self, name: str) -> str:
        status = self.cluster.get(f"{self._pods}/{name}").get("status") or {}
        for container in status.get("containerStatuses") or ():
            waiting = (container.get("state") or {}).get("waiting")
            if waiting:
                return f"{waiting.get('reason')}: {waiting.get('message', '')}"[:200]
        for condition in status.get("conditions") or ():
            if condition.get("status") != "True" and condition.get("message"):
                return str(condition["message"])[:200]
        return str(status.get("phase", "unknown"))

    def _manifest(self, run_id: str, role: Role, image: str, lives_s: float) -> dict[str, object]:
        words = ["python3", "-m", "load.in_pod", role.name, str(role.number), WORK]
        folders = {"work": WORK, "held": SECRETS, "tmp": "/tmp"}  # noqa: S108  the pod's own
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": _name(run_id, role),
                "labels": {LABEL: _label(run_id), PART: LOAD},
            },
            "spec": {
                "restartPolicy": "Never",
                "activeDeadlineSeconds": int(lives_s),
                "terminationGracePeriodSeconds": 10,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "affinity": _affinity(self.tenant),
                "securityContext": {
                    "runAsNonRoot": True, "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": LOAD,
                        "image": image,
                        "imagePullPolicy": "IfNotPresent",
                        "command": words,
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "resources": {
                            "requests": {"cpu": "200m", "memory": "128Mi"},
                            "limits": {"cpu": "2", "memory": "1Gi"},
                        },
                        "volumeMounts": [
                            {"name": name, "mountPath": path} for name, path in folders.items()
                        ],
                    }
                ],
                "volumes": [
                    {"name": "work", "emptyDir": {}},
                    {"name": "held", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
                    {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
                ],
            },
        }  # fmt: skip


def _affinity(tenant: str) -> dict[str, object]:
    """Never on a database's node; and rather on several nodes than on one."""
    host = "kubernetes.io/hostname"
    databases = {
        "topologyKey": host,
        "namespaces": [tenant],
        "labelSelector": {"matchLabels": {PART: "database"}},
    }
    others = {"topologyKey": host, "labelSelector": {"matchLabels": {PART: LOAD}}}
    return {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [databases],
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 50, "podAffinityTerm": others}
            ],
        }
    }


def _name(run_id: str, role: Role) -> str:
    part = role.name if role.name == "master" else f"{role.name}-{role.number}"
    return f"load-{_label(run_id)}-{part}"


def _names(run_id: str, roles: Sequence[Role]) -> list[str]:
    return [_name(run_id, role) for role in roles]


def _label(run_id: str) -> str:
    """A run's name as objects of a cluster may be called."""
    return run_id.lower()


def _end_of(status: Mapping[str, Any]) -> str:
    """In the API's words: Evicted, OOMKilled, DeadlineExceeded ..."""
    told = [str(status.get("reason") or status.get("phase") or "ended")]
    for container in status.get("containerStatuses") or ():
        ended = (container.get("state") or {}).get("terminated")
        if ended:
            told.append(f"{ended.get('reason', 'ended')}, exit code {ended.get('exitCode')}")
    return ": ".join(told)[:200]
