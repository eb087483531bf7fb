"""Pods cut off by a NetworkPolicy, and whether they are: the object's being there proves nothing.

Many clusters accept a policy and do not enforce it. So connections are made from inside pods,
before it (they must hold) and after it (none may).
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import FaultError, PlatformError
from harness.platforms.cluster_faults import Target
from harness.platforms.kubernetes.execution import Container, run
from harness.platforms.kubernetes.targets import POD_NAME, Pods
from harness.platforms.reference.lease import MADE_BY

MADE = "peakdrill.dev/made"  # a label, so that they can be listed
_CONNECT_S, _WITHIN_S = 2, 15.0
_HELD, _FAILED = 0, 7  # our script's own: anything else means that nothing was tried
_PYTHON = (
    "import socket,sys\n"
    "try: socket.create_connection((sys.argv[1],int(sys.argv[2])),2).close()\n"
    "except OSError: sys.exit(7)"
)
_SCRIPT = f"""h=${{1:-$KUBERNETES_SERVICE_HOST}}; p=${{2:-$KUBERNETES_SERVICE_PORT}}
if command -v python3 >/dev/null 2>&1; then exec python3 -c "$3" "$h" "$p"; fi
command -v nc >/dev/null 2>&1 || exit 9
nc -w {_CONNECT_S} "$h" "$p" </dev/null >/dev/null 2>&1 || exit 7"""
_API = ("", "")  # every pod is told where it is


def folder(pods: Pods) -> str:
    return f"/apis/networking.k8s.io/v1/namespaces/{pods.namespace}/networkpolicies"


def policy(
    pods: Pods, name: str, part: str, targets: Sequence[Target], lease: str
) -> dict[str, object]:
    """Nothing in, nothing out. Raises FaultError where no labels mean just these pods."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": name,
            "namespace": pods.namespace,
            "labels": {MADE: "partition"},
            "annotations": {MADE_BY: lease},
        },
        "spec": {
            "podSelector": {"matchExpressions": _expressions(pods, part, targets)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [],
            "egress": [],
        },
    }


def exists(pods: Pods, name: str) -> bool:
    if name:
        return pods.cluster.find(f"{folder(pods)}/{name}") is not None
    return bool(pods.cluster.get(folder(pods), labelSelector=MADE)["items"])


def delete(pods: Pods, name: str) -> None:
    where = f"{folder(pods)}/{name}"
    found = pods.cluster.find(where)
    if found is not None and MADE_BY in (found["metadata"].get("annotations") or {}):
        pods.cluster.delete(where)


def passing(pods: Pods, witness: str, targets: Sequence[Target], port: int) -> tuple[str, ...]:
    """A sentence for each connection that holds, into each pod and out of it."""
    others = [w for w in pods.matching(witness) if w.uid not in {t.uid for t in targets}]
    if not others:
        raise FaultError(
            f"every {witness} pod would be cut off itself: nobody is left to try a connection",
            next_step="name another part to look from",
        )
    found: list[str] = []
    for target in targets:
        door = port or target.port
        if not door or not target.address:
            raise FaultError(
                f"pod {target.name} declares no port: nobody can see whether it is reached",
                next_step="name one in the experiment: port",
            )
        if _connects(pods, others[0], target.address, str(door)):
            found.append(f"{others[0].name} reaches {target.name} at port {door}")
        if _connects(pods, target, *_API):
            found.append(f"{target.name} reaches the cluster's API")
    return tuple(found)


def _connects(pods: Pods, inside: Target, host: str, port: str) -> bool:
    place = Container(pods.namespace, inside.name, inside.container)
    words = ("sh", "-c", _SCRIPT, "sh", host, port, _PYTHON)
    try:
        ran = run(pods.cluster, place, words, within_s=_WITHIN_S)
    except PlatformError as error:
        raise FaultError(f"no connection could be tried from inside {inside.name}: {error.what}",
                         next_step=error.next_step) from error  # fmt: skip
    if ran.code not in (_HELD, _FAILED):
        told = ran.stderr.decode(errors="replace").strip()[-200:] or f"exit status {ran.code}"
        raise FaultError(
            f"no connection could be tried from inside {inside.name}: {told}",
            next_step="its image needs a shell, and python3 or nc",
        )
    return ran.code == _HELD


def _expressions(pods: Pods, part: str, targets: Sequence[Target]) -> list[dict[str, object]]:
    """By the label that each pod of a StatefulSet has of its own; else by those of its part."""
    names = sorted(target.name for target in targets)
    if all(target.controller.startswith("StatefulSet/") for target in targets):
        return [{"key": POD_NAME, "operator": "In", "values": names}]
    labels = pods.labels(part)
    if {target.name for target in pods.labelled(labels)} != set(names):
        raise FaultError(
            f"no label means just {', '.join(names)}: others would be cut off with them",
            next_step="name a part, or a pod of a StatefulSet",
        )
    return [
        {"key": key, "operator": "In", "values": list(values)} for key, values in labels.items()
    ]
