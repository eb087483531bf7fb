"""platform.yaml of kind kubernetes -> KubernetesOptions: which cluster, where in it, and how.

kind: kubernetes
disposable: true              # must be said; production is refused
context: kind-staging         # of the kubeconfig; the current one by default
namespace: shop               # the tenant's; NAMESPACE-edge for the doors
stack: reference
node_ports: {ingress: 30080}  # those that are not named keep their defaults
nodes:
  stop: ["./power", "off", "{node}"]     # no shell; {node} a node's name, {number} its number
  start: ["./power", "on", "{node}"]

A relative first word of a hook begins at the file's own folder, where the hooks run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from harness.inputs.problems import Strict, validated
from harness.inputs.yaml_lines import Document, read_yaml

KIND = "kubernetes"
EDGE = "-edge"
PORTS = (
    ("ingress", 30080), ("queue_door", 30637), ("ingress_api", 30081), ("store", 30833),
    ("partners", 30890), ("pg_0", 30540), ("pg_1", 30541), ("patroni_0", 30580),
    ("patroni_1", 30581),
)  # fmt: skip
HOOK_LIMIT_S = 60.0
RESERVED = ("default", "kube-system", "kube-public", "kube-node-lease")
_PLACES = ("{node}", "{number}")


@dataclass(frozen=True, slots=True)
class NodeHooks:
    """How the owner cuts a node's power, and gives it back: words of a command, no shell."""

    stop: tuple[str, ...]
    start: tuple[str, ...]
    limit_s: float = HOOK_LIMIT_S  # for each


@dataclass(frozen=True, slots=True)
class KubernetesOptions:
    """What a person says of a cluster that may be drilled. Holds no secret."""

    folder: Path  # of the file: where hooks run
    disposable: bool = False
    context: str = ""  # "": the current one
    namespace: str = "shop"
    stack: str = "reference"
    address: str = "127.0.0.1"
    node_ports: tuple[tuple[str, int], ...] = PORTS
    synchronous: bool = True
    dialect: int = 19
    leader_ttl_s: int = 20
    nodes: NodeHooks | None = None

    @property
    def edge_namespace(self) -> str:
        """Of what stands outside an environment: doors, store, partners."""
        return self.namespace + EDGE


Word = Annotated[
    str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Port = Annotated[int, Field(ge=1, le=65535)]


class NodesModel(Strict):
    """The hooks as they are written."""

    stop: Annotated[list[Word], Field(min_length=1, description="Cuts a node's power.")]
    start: Annotated[list[Word], Field(min_length=1, description="Gives it back.")]
    limit_s: Annotated[float, Field(gt=0, le=900, description="For each hook. 60 by default.")] = (
        HOOK_LIMIT_S
    )


class PortsModel(Strict):
    """NodePorts as they are written."""

    ingress: Port | None = None
    queue_door: Port | None = None
    ingress_api: Port | None = None
    store: Port | None = None
    partners: Port | None = None
    pg_0: Port | None = None
    pg_1: Port | None = None
    patroni_0: Port | None = None
    patroni_1: Port | None = None


class KubernetesModel(Strict):
    """platform.yaml of kind kubernetes as it is written."""

    kind: Literal["kubernetes"]
    disposable: Annotated[
        bool, Field(description="Whether it may be broken. false by default.")
    ] = False
    context: Annotated[Word | None, Field(description="Of the kubeconfig.")] = None
    namespace: Annotated[
        str, StringConstraints(max_length=55, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    ] = "shop"
    stack: Annotated[
        Literal["reference", "own"], Field(description="own: see own_cluster_file.py.")
    ] = "reference"
    address: Annotated[Literal["127.0.0.1"], Field(description="Where NodePorts answer.")] = (
        "127.0.0.1"
    )
    node_ports: PortsModel | None = None
    synchronous: Annotated[
        bool, Field(description="Whether a commit waits for the standby. true by default.")
    ] = True
    dialect: Annotated[
        Literal[14, 18, 19], Field(description="The Odoo that the stand-in speaks.")
    ] = 19
    leader_ttl_s: Annotated[
        int, Field(ge=20, le=300, description="How long a dead leader holds the lock.")
    ] = 20
    nodes: Annotated[
        NodesModel | None, Field(description="Commands that cut a node's power, and give it back.")
    ] = None


def read_kubernetes(file: Path) -> KubernetesOptions:
    """Read and check; nothing is asked of the cluster. Raises UsageError and BadInput."""
    document = read_yaml(file)
    model = validated(KubernetesModel, document)
    if model.namespace in RESERVED:
        raise document.bad(("namespace",), "is the cluster's own: name one for the stack alone")
    if model.stack == "own":
        raise document.bad(("stack",), "is own: that is nothing to bring up or to end")
    return KubernetesOptions(
        folder=file.absolute().parent,
        disposable=model.disposable,
        context=model.context or "",
        namespace=model.namespace,
        stack=model.stack,
        address=model.address,
        node_ports=_node_ports(document, model.node_ports),
        synchronous=model.synchronous,
        dialect=model.dialect,
        leader_ttl_s=model.leader_ttl_s,
        nodes=hooks_of(document, model.nodes),
    )


def _node_ports(document: Document, asked: PortsModel | None) -> tuple[tuple[str, int], ...]:
    named = asked.model_dump(exclude_none=True) if asked else {}
    chosen = {name: int(named.get(name, port)) for name, port in PORTS}
    for name, port in chosen.items():
        twin = next((other for other in chosen if other != name and chosen[other] == port), None)
        if twin is not None:
            path = ("node_ports", name if name in named else twin)
            raise document.bad(path, f"is {port}, and so is {twin if path[1] == name else name}")
    return tuple(chosen.items())


def hooks_of(document: Document, asked: NodesModel | None) -> NodeHooks | None:
    """Both name the node, or every node would be the same one to them."""
    if asked is None:
        return None
    for key, words in (("stop", asked.stop), ("start", asked.start)):
        if not any(place in word for word in words for place in _PLACES):
            raise document.bad(
                ("nodes", key), "does not say which node: {node} its name, {number} its number"
            )
    return NodeHooks(tuple(asked.stop), tuple(asked.start), asked.limit_s)
