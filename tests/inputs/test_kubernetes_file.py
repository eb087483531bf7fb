"""platform.yaml of kind kubernetes: strict, without secrets, and never a namespace of the cluster's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BadInput, UsageError
from harness.inputs.kubernetes_file import PORTS, KubernetesOptions, NodeHooks, read_kubernetes
from harness.inputs.platform_file import kind_of, read_platform
from harness.platforms import find
from harness.platforms.capabilities import NAMES

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "platform-kubernetes.yaml"
LEAST = "kind: kubernetes\n"
HOOKS = "nodes:\n  stop: [./power, off, '{node}']\n  start: [./power, on, 'node-{number}']\n"


def read(tmp_path: Path, text: str) -> KubernetesOptions:
    file = tmp_path / "platform.yaml"
    file.write_text(text)
    return read_kubernetes(file)


def test_the_least_that_must_be_said(tmp_path: Path) -> None:
    found = read(tmp_path, LEAST)
    assert found == KubernetesOptions(folder=tmp_path)
    assert (found.disposable, found.context, found.nodes) == (False, "", None)
    assert found.edge_namespace == "shop-edge"
    assert kind_of(tmp_path / "platform.yaml") == "kubernetes"
    assert "nodes" not in find.facts_of("kubernetes", tmp_path / "platform.yaml").capabilities


def test_the_example_says_every_default() -> None:
    found = read_kubernetes(EXAMPLE)
    plain = replace(found, disposable=False, context="", nodes=None)
    assert plain == KubernetesOptions(folder=EXAMPLE.parent)
    assert found.nodes is not None
    facts = find.facts_of("kubernetes", EXAMPLE)
    assert set(facts.capabilities) <= set(NAMES)
    assert "nodes" in facts.capabilities
    assert facts.disposable


def test_hooks_and_ports(tmp_path: Path) -> None:
    found = read(tmp_path, LEAST + HOOKS + "node_ports: {ingress: 31000}\n")
    assert found.nodes == NodeHooks(
        ("./power", "off", "{node}"), ("./power", "on", "node-{number}")
    )
    assert dict(found.node_ports) == {**dict(PORTS), "ingress": 31000}
    pace = find.pace_of("kubernetes", tmp_path / "platform.yaml")
    assert pace.command_s == 60


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: kubernets\n", "kind: 'kubernets' is not known"),
        (LEAST + "disposable: yes\n", ":2: disposable: must be true or false, not 'yes'"),
        (LEAST + "namespace: Shop\n", ":2: namespace: must match"),
        (LEAST + "namespace: kube-system\n", ":2: namespace: is the cluster's own"),
        (LEAST + "namesapce: shop\n", "did you mean namespace?"),
        (LEAST + "stack: ours\n", "stack: 'ours' is not known"),
        (LEAST + "address: 10.0.0.1\n", "address: '10.0.0.1' is not known"),
        (LEAST + "dialect: 17\n", "dialect: 17 is not known; allowed: 14, 18, 19"),
        (LEAST + "leader_ttl_s: 5\n", "leader_ttl_s: must be at least 20"),
        (LEAST + "node_ports: {ingress: 70000}\n", "node_ports.ingress: must be at most 65535"),
        (LEAST + "node_ports: {pg_2: 30000}\n", "node_ports.pg_2: is not known"),
        (LEAST + "node_ports: {ingress: 30637}\n", ":2: node_ports.ingress: is 30637, and so is"),
        (LEAST + "nodes: {stop: [a, '{node}']}\n", "nodes.start: is missing"),
        (LEAST + "nodes: {stop: [off], start: [on, '{node}']}\n", "nodes.stop: does not say which"),
        (LEAST + "nodes: {stop: 'off {node}', start: [x]}\n", "nodes.stop: must be a list"),
        (LEAST + HOOKS + "  limit_s: 0\n", "nodes.limit_s: must be greater than 0"),
    ],
)
def test_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(tmp_path, text)
    assert told in str(refused.value)
    assert "platform.yaml:" in str(refused.value)


def test_it_is_no_embedded_platform(tmp_path: Path) -> None:
    file = tmp_path / "platform.yaml"
    file.write_text(LEAST)
    with pytest.raises(UsageError, match="describes kubernetes, not embedded"):
        read_platform(file)
    with pytest.raises(UsageError):
        find.kind("embedded", file)
