"""What `platform check` looks at in a cluster, with a stack in it and before. Changes nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.errors import PlatformError
from harness.inputs.kubernetes_file import KubernetesOptions, NodeHooks
from harness.platforms.kubernetes import bringing, hooks, manifests, objects
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.kubernetes.platform import KubernetesPlatform
from harness.platforms.looks import GROUND, Look, Unwell, at_running, looked
from harness.platforms.reference.rooms import CLEAN

_CORE, _APPS = "", "apps"
_CLUSTER_WIDE = (("list", "nodes", _CORE), ("get", "nodes", _CORE))
_OF_NODES = (("get", "nodes/proxy", _CORE),)
_DRILL = (  # in the tenant's namespace and in the edge's
    ("list", "pods", _CORE), ("get", "pods", _CORE), ("patch", "pods", _CORE),
    ("delete", "pods", _CORE), ("get", "pods/log", _CORE), ("create", "pods/exec", _CORE),
    ("get", "pods/exec", _CORE), ("create", "pods/portforward", _CORE),
    ("get", "pods/portforward", _CORE), ("patch", "secrets", _CORE), ("get", "configmaps", _CORE),
    ("patch", "configmaps", _CORE), ("delete", "endpoints", _CORE),
    ("get", "deployments", _APPS), ("patch", "deployments", _APPS),
    ("get", "statefulsets", _APPS), ("patch", "statefulsets", _APPS),
)  # fmt: skip
_BRING = (
    ("create", "services", _CORE), ("create", "secrets", _CORE), ("create", "configmaps", _CORE),
    ("create", "serviceaccounts", _CORE), ("create", "persistentvolumeclaims", _CORE),
    ("create", "deployments", _APPS), ("create", "statefulsets", _APPS),
    ("create", "roles", "rbac.authorization.k8s.io"),
    ("create", "rolebindings", "rbac.authorization.k8s.io"),
    ("create", "networkpolicies", "networking.k8s.io"),
    ("create", "poddisruptionbudgets", "policy"),
)  # fmt: skip
_LEASES, _POLICIES = "coordination.k8s.io", "networking.k8s.io"
_BREAK = (  # faults of the cluster's own, and their undo
    *((verb, "leases", _LEASES) for verb in ("create", "get", "list", "patch", "delete")),
    *((verb, "networkpolicies", _POLICIES) for verb in ("create", "get", "list", "delete")),
    ("create", "pods/eviction", _CORE), ("get", "replicasets", _APPS),
)  # fmt: skip
_LEAVE = (  # what a clean room asks of the environment that is left
    ("create", "pods", _CORE), ("get", "secrets", _CORE),
    ("list", "persistentvolumeclaims", _CORE),
)  # fmt: skip
_FURNISH = (  # and of the one that is made, beside what every stack needs
    ("get", "secrets", _CORE), ("list", "persistentvolumeclaims", _CORE),
    ("get", "services", _CORE), ("list", "rolebindings", "rbac.authorization.k8s.io"),
)  # fmt: skip
_LEAST_NODES = 2


def looks(options: KubernetesOptions, platform: KubernetesPlatform | None) -> Iterable[Look]:
    """The ground first; a stack that is up is asked itself."""
    yield looked(GROUND, lambda: _disposable(options))
    cluster = platform.cluster if platform else None
    found = looked(GROUND, lambda: _answers(cluster or connect(options.context)))
    yield found
    if not found.well:
        return  # nothing else could be seen
    cluster = cluster or connect(options.context)
    yield looked(GROUND, lambda: _able_nodes(cluster))
    yield looked(GROUND, lambda: _rights(cluster, options, bring=platform is None))
    if platform is None:
        yield looked(GROUND, lambda: _free(cluster, options))
        yield looked(GROUND, lambda: _manifests(cluster))
        yield looked(GROUND, lambda: _ports(cluster, options))
    yield looked("faults.cluster", lambda: rights_to_break(cluster, options.namespace))
    if platform is None or platform.clean_room is not None:
        yield looked("clean-room", lambda: _rights_to_leave(cluster, options, platform))
    yield looked("nodes", lambda: hooks_look(cluster, options.nodes, options.folder))
    yield looked("nodes", lambda: kubelets_look(cluster))
    if platform is not None:
        yield looked(GROUND, lambda: _pods(platform))
        yield from at_running(platform)


def _disposable(options: KubernetesOptions) -> str:
    if not options.disposable:
        raise Unwell("platform.yaml does not say `disposable: true`: nothing may be broken")
    return "declared disposable"


def _answers(cluster: Cluster) -> str:
    return f"{cluster.where} answers: Kubernetes {cluster.version}"


def _able_nodes(cluster: Cluster) -> str:
    nodes = objects.nodes(cluster)
    able = [node.name for node in nodes if node.ready and node.schedulable]
    if len(able) < _LEAST_NODES:
        raise Unwell(f"{len(able)} of {len(nodes)} nodes are ready: two databases need two")
    return f"{len(able)} of {len(nodes)} nodes are ready: {', '.join(able)}"


def _rights(cluster: Cluster, options: KubernetesOptions, *, bring: bool) -> str:
    """Asked of the API by SelfSubjectAccessReview, one by one."""
    wanted = [(verb, resource, group, "") for verb, resource, group in _CLUSTER_WIDE]
    if options.nodes:
        wanted += [(verb, resource, group, "") for verb, resource, group in _OF_NODES]
    if bring:
        wanted += [(verb, "namespaces", _CORE, "") for verb in ("get", "create", "delete")]
    for namespace in (options.namespace, options.edge_namespace):
        in_it = (*_DRILL, *_BRING) if bring else _DRILL
        wanted += [(verb, resource, group, namespace) for verb, resource, group in in_it]
    return all_of(cluster, wanted)


def rights_to_break(cluster: Cluster, namespace: str) -> str:
    """Pods of one namespace, and nodes."""
    wanted = [(verb, resource, group, namespace) for verb, resource, group in _BREAK]
    return all_of(cluster, [*wanted, ("patch", "nodes", _CORE, "")])


def _rights_to_leave(
    cluster: Cluster, options: KubernetesOptions, platform: KubernetesPlatform | None
) -> str:
    """A third namespace can be made, and what both have in common can be seen."""
    room = f"{options.namespace}-{CLEAN}"
    bringing.refuse_foreign(cluster, room, platform.kept.platform_id if platform else "")
    wanted = [(verb, "namespaces", _CORE, "") for verb in ("get", "create", "delete")]
    wanted += [("get", "persistentvolumes", _CORE, "")]
    wanted += [(*right, options.namespace) for right in _LEAVE]
    wanted += [("get", "secrets", _CORE, options.edge_namespace)]
    wanted += [(*right, room) for right in (*_DRILL, *_BRING, *_FURNISH)]
    return f"{all_of(cluster, wanted)}; namespace {room} is free"


def all_of(cluster: Cluster, wanted: Sequence[tuple[str, str, str, str]]) -> str:
    """(verb, resource, group, namespace); every one that is missing is named."""
    lacking = [
        f"{verb} {resource} {f'in {namespace}' if namespace else 'cluster-wide'}"
        for verb, resource, group, namespace in wanted
        if not cluster.may(verb, resource, namespace, group=group)
    ]
    if lacking:
        raise Unwell(f"rights are missing: {'; '.join(lacking)}")
    return f"all {len(wanted)} rights that are needed"


def _free(cluster: Cluster, options: KubernetesOptions) -> str:
    for namespace in (options.namespace, options.edge_namespace):
        bringing.refuse_foreign(cluster, namespace, platform_id="")
    return f"namespaces {options.namespace} and {options.edge_namespace} are free"


def _manifests(cluster: Cluster) -> str:
    if shutil.which("kubectl") is None:
        raise Unwell("kubectl is not there: it renders the reference stack's manifests")
    place = manifests.folder(serves_policy_v1=cluster.serves("policy", "v1"))
    return (
        f"the reference stack's manifests: {place.name}, {len(manifests.rendered(place))} objects"
    )


def _ports(cluster: Cluster, options: KubernetesOptions) -> str:
    taken = {
        int(port["nodePort"]): f"{item['metadata']['namespace']}/{item['metadata']['name']}"
        for item in cluster.get("/api/v1/services")["items"]
        for port in item["spec"].get("ports") or ()
        if port.get("nodePort")
    }
    clashes = [f"{n} {p} ({taken[p]})" for n, p in options.node_ports if p in taken]
    if clashes:
        raise Unwell(f"NodePorts are taken: {', '.join(clashes)}: choose others under node_ports:")
    return "every NodePort is free"


def hooks_look(cluster: Cluster, asked: NodeHooks | None, folder: Path) -> str:
    """Executable files, with a command for every node; they are not run."""
    if asked is None:
        raise Unwell("platform.yaml names no commands that cut a node's power: nodes: stop, start")
    for words in (asked.stop, asked.start):
        if not _is_program(words[0], folder):
            raise Unwell(f"{words[0]} is no executable file (looked for in {folder})")
    first = objects.nodes(cluster)[0].name
    told = " ".join(hooks.words_for(asked.stop, first))
    return f"the power of {first} would be cut by: {told}; not tried"


def _is_program(word: str, folder: Path) -> bool:
    if "/" not in word:
        return shutil.which(word) is not None
    file = folder / word
    return file.is_file() and os.access(file, os.X_OK)


def kubelets_look(cluster: Cluster) -> str:
    """How a node's death will be seen: every kubelet answers through the API server."""
    silent = []
    for node in objects.nodes(cluster):
        try:
            cluster.text(f"/api/v1/nodes/{node.name}/proxy/healthz", within_s=3.0)
        except PlatformError:
            silent.append(node.name)
    if silent:
        raise Unwell(f"no answer from the kubelet of {', '.join(silent)} through the API server")
    return "every kubelet answers through the API server"


def _pods(platform: KubernetesPlatform) -> str:
    gaps = platform.site.gaps()
    if gaps:
        raise Unwell("; ".join(gaps))
    return "every part has its pods, and all are ready"
