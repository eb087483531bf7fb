"""deploy/reference as it is brought to one cluster: rendered, then named, numbered and set.

`kubectl kustomize` only renders; nothing is sent by it. What is rendered says `shop` and
`shop-edge`, the default ports and settings; here it gets those that were asked for.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.errors import PlatformError, Refused
from harness.inputs.kubernetes_file import EDGE, PORTS, KubernetesOptions
from harness.platforms.embedded.programs import SOURCE_ROOT
from harness.platforms.kubernetes.site import SETTINGS
from harness.platforms.kubernetes.state import LABEL, Kept

BASE, OLD = "base", "overlays/kubernetes-1.20"
_NAMESPACE = "shop"
_IN_NAMESPACE = re.compile(r"\.(shop-edge|shop)(?=[.:,]|$)")  # store.shop-edge:8333
_NAMES_ONE = ("namespace", "tenant", "kubernetes.io/metadata.name")
_RENDER_S = 60.0
Document = dict[str, Any]


def folder(*, serves_policy_v1: bool) -> Path:
    """What is brought to this cluster. Raises Refused where this is no whole checkout."""
    found = SOURCE_ROOT / "deploy" / "reference" / (BASE if serves_policy_v1 else OLD)
    if not (found / "kustomization.yaml").is_file():
        raise Refused(
            f"{found} is missing: the reference stack's manifests are part of the checkout",
            next_step="install peakdrill from its repository (`pip install -e .`)",
        )
    return found


def rendered(place: Path) -> list[Document]:
    """As written, in the order in which they are brought. Raises PlatformError."""
    words = ["kubectl", "kustomize", str(place)]
    try:
        done = subprocess.run(words, capture_output=True, timeout=_RENDER_S, check=False)
    except FileNotFoundError as error:
        raise PlatformError(
            "kubectl is not there: it renders the reference stack's manifests",
            next_step="install kubectl (1.20 or later)",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise PlatformError(f"kubectl kustomize did not end in {_RENDER_S:g} s") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-400:]
        raise PlatformError(f"{place} cannot be rendered: {said}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def for_stack(documents: Iterable[Document], kept: Kept) -> list[Document]:
    """In its namespaces, on its ports, as it was asked for, and bearing its label."""
    made = []
    for document in documents:
        if document["kind"] == "Namespace":
            continue  # ours are made first, and never anybody else's
        _bring_in(document, kept, _names(kept))
        _rename(document, kept.options)
        if document["kind"] == "Service":
            _number(document, kept.options)
        made.append(document)
    return sorted(made, key=_order)


def for_room(documents: Iterable[Document], kept: Kept, environment: str) -> list[Document]:
    """The tenant's alone, in a namespace of its own behind the same edge.

    On whatever NodePorts the cluster gives it, and with databases that wait for a restore.
    """
    made = []
    for document in documents:
        if document["metadata"].get("namespace") != _NAMESPACE:
            continue
        _bring_in(document, kept, _names(kept, environment))
        if document["kind"] == "Service":
            for port in document["spec"].get("ports") or ():
                port.pop("nodePort", None)
        if document["kind"] == "ConfigMap" and document["metadata"]["name"] == SETTINGS:
            document["data"]["PEAKDRILL_AWAIT_RESTORE"] = "true"
        made.append(document)
    return sorted(made, key=_order)


def _names(kept: Kept, environment: str = "") -> Mapping[str, str]:
    """What the manifests call the two namespaces -> what they are called here."""
    edge = kept.options.edge_namespace
    return {_NAMESPACE: kept.tenant(environment), _NAMESPACE + EDGE: edge}


def _bring_in(document: Document, kept: Kept, names: Mapping[str, str]) -> None:
    _label(document, kept.platform_id)
    _move(document, names)
    _spell_out(document)
    if document["kind"] == "ConfigMap" and document["metadata"]["name"] == SETTINGS:
        _set(document, kept.options, names)


def named(document: Mapping[str, Any]) -> str:
    meta = document["metadata"]
    return f"{document['kind']} {meta.get('namespace', '')}/{meta['name']}"


def _order(document: Document) -> int:
    """What others need comes first; the sort keeps the rest as it was."""
    late = {"StatefulSet": 2, "Deployment": 2, "PodDisruptionBudget": 1}
    return late.get(document["kind"], 0)


def _label(document: Document, platform_id: str) -> None:
    document["metadata"].setdefault("labels", {})[LABEL] = platform_id


def _move(value: Any, names: Mapping[str, str]) -> None:
    """Every place in which a manifest names a namespace."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, dict | list):
            _move(item, names)
        elif key in _NAMES_ONE and item in names:
            value[key] = names[item]
    if isinstance(value, dict) and isinstance(value.get("namespaces"), list):
        value["namespaces"] = [names.get(name, name) for name in value["namespaces"]]


def _rename(document: Document, options: KubernetesOptions) -> None:
    """What belongs to the whole cluster bears the namespace in its name: two stacks, two names."""
    if document["kind"] in {"ClusterRole", "ClusterRoleBinding"}:
        for named_ in (document["metadata"], document.get("roleRef", {})):
            if str(named_.get("name", "")).startswith(_NAMESPACE + EDGE):
                rest = named_["name"].removeprefix(_NAMESPACE + EDGE)
                named_["name"] = options.edge_namespace + rest


def _spell_out(value: Any) -> None:
    """Ports without a protocol: before 1.21 a server-side apply does not know the default."""
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _spell_out(item)
    if isinstance(value, dict):
        for port in value.get("ports") or ():
            if isinstance(port, dict) and ("containerPort" in port or "port" in port):
                port.setdefault("protocol", "TCP")


def _number(document: Document, options: KubernetesOptions) -> None:
    """The NodePorts: each is known by the number that it has by default."""
    by_default = {number: name for name, number in PORTS}
    for port in document["spec"]["ports"] if document["spec"].get("type") == "NodePort" else ():
        name = by_default.get(port.get("nodePort"))
        if name is None:
            raise PlatformError(
                f"{named(document)}: nobody knows NodePort {port.get('nodePort')}",
                next_step="see the defaults in harness/inputs/kubernetes_file.py",
            )
        port["nodePort"] = dict(options.node_ports)[name]


def _set(document: Document, options: KubernetesOptions, names: Mapping[str, str]) -> None:
    """What was asked for, and addresses as the namespaces are called here."""
    data = document.setdefault("data", {})
    for key, word in data.items():
        data[key] = _IN_NAMESPACE.sub(lambda found: f".{names[found[1]]}", word)
    data.update(
        PEAKDRILL_SYNCHRONOUS="true" if options.synchronous else "false",
        PEAKDRILL_DIALECT=str(options.dialect),
        PEAKDRILL_LEADER_TTL_S=str(options.leader_ttl_s),
    )
