"""A pod that has a volume of the old environment mounted, read-only, for one look."""

from __future__ import annotations

import secrets as random_words
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import PlatformError
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.kubernetes import execution, objects
from harness.platforms.kubernetes.client import Cluster
from harness.platforms.kubernetes.site import DATABASE
from harness.platforms.kubernetes.state import LABEL, Kept
from harness.platforms.reference.rooms import FILESTORE, MOUNTED

NAME = "witness"
_RUNS_S = 60.0
_SAFE = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True, slots=True)
class Witness:
    """A pod for each volume: they may be in different zones."""

    cluster: Cluster
    kept: Kept

    def look_into(self, volume: str, words: Sequence[str], *, within_s: float) -> bytes:
        """What the command wrote to stdout. Raises PlatformError."""
        name = f"{NAME}-{volume}-{random_words.token_hex(3)}"
        namespace = self.kept.tenant("")
        folder = f"/api/v1/namespaces/{namespace}/pods"
        self.cluster.call("POST", folder, body=self._pod(name, volume, within_s))
        try:
            await_ready(
                f"{name} in {namespace}", lambda: self._runs(namespace, name), within_s=_RUNS_S,
                poll_s=0.3, next_step=f"`kubectl -n {namespace} describe pod {name}`",
            )  # fmt: skip
            place = execution.Container(namespace, name, NAME)
            ran = execution.run(self.cluster, place, words, within_s=within_s)
        finally:
            self.cluster.delete(f"{folder}/{name}", gracePeriodSeconds="0")
        if ran.code != 0:
            said = ran.stderr.decode(errors="replace").strip()[-300:]
            raise PlatformError(f"the volume {volume} in {namespace} cannot be read: {said}")
        return ran.stdout

    def _runs(self, namespace: str, name: str) -> bool:
        pod = objects.pod(self.cluster, namespace, name)
        return pod is not None and pod.ready

    def _pod(self, name: str, volume: str, within_s: float) -> dict[str, Any]:
        """Without fsGroup: mounting must not change who a file belongs to."""
        claim = volume if volume == FILESTORE else f"data-{volume}{_number(volume)}"
        spec = {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": int(within_s + 2 * _RUNS_S),
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True, "runAsUser": 1000, "runAsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{
                "name": NAME, "image": self._image(), "imagePullPolicy": "IfNotPresent",
                "command": ["sleep", f"{within_s + _RUNS_S:g}"], "securityContext": _SAFE,
                "resources": {
                    "requests": {"cpu": "50m", "memory": "64Mi"},
                    "limits": {"cpu": "2", "memory": "256Mi"},
                },
                "volumeMounts": [{"name": "kept", "mountPath": MOUNTED, "readOnly": True}],
            }],
            "volumes": [{
                "name": "kept", "persistentVolumeClaim": {"claimName": claim, "readOnly": True},
            }],
        }  # fmt: skip
        labels = {LABEL: self.kept.platform_id, "peakdrill.dev/looks-at": volume}
        meta = {"name": name, "labels": labels}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}

    def _image(self) -> str:
        """The databases' own: it has what is asked for, and every node has it."""
        path = f"/apis/apps/v1/namespaces/{self.kept.tenant('')}/statefulsets/{DATABASE}"
        return str(self.cluster.get(path)["spec"]["template"]["spec"]["containers"][0]["image"])


def _number(volume: str) -> str:
    """A StatefulSet's claims bear the pod's name, and a pod's its number."""
    return "" if volume[-1].isdigit() else "-0"
