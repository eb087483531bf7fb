"""A reference stack in a real cluster: brought once, broken, mended, and taken away."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace

import pytest

from harness.errors import FaultError, NotReady, PlatformError, Refused
from harness.inputs.kubernetes_file import PORTS
from harness.platforms import find
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.kubernetes import checks
from harness.platforms.kubernetes.platform import KubernetesPlatform
from harness.platforms.kubernetes.up import up
from harness.platforms.looks import Look
from harness.platforms.reference.site import APPLICATION, KEEPER

pytestmark = pytest.mark.kubernetes

BACK_S = 240.0
FEED = 5_000_000


def test_it_is_whole_and_found_again(stack: KubernetesPlatform) -> None:
    assert stack.whole().missing == ()
    assert find.platform_at(stack.directory).endpoints() == stack.endpoints()
    assert stack.directory in {platform.directory for platform in find.every_running()}
    facts = stack.facts()
    assert (facts.name, facts.kind, facts.heading) == ("kubernetes", "shop", "stand-in application")
    assert dict(facts.versions)["kubernetes"].startswith("v1.")


def test_a_command_has_its_bytes_its_status_and_its_limit(stack: KubernetesPlatform) -> None:
    fed = secrets.token_bytes(FEED)
    assert stack.site.run(KEEPER, ["cat"], stdin=fed) == fed
    assert stack.site.run(KEEPER, ["head", "-c", "3"], stdin=fed) == fed[:3]
    assert stack.site.run(KEEPER, ["cat"]) == b""  # no input, and not waited for
    with pytest.raises(PlatformError, match="exit code 3: lost"):
        stack.site.run(KEEPER, ["sh", "-c", "echo lost >&2; exit 3"], stdin=fed)
    with pytest.raises(NotReady, match="did not end within 1 s"):
        stack.site.run(KEEPER, ["sleep", "5"], within_s=1.0)
    with pytest.raises(PlatformError, match="no pod of nobody"):
        stack.site.run("nobody", ["true"])


def test_replicas_are_rolled(stack: KubernetesPlatform) -> None:
    before = set(stack.site.replicas(APPLICATION))
    stack.site.restart(APPLICATION, within_s=120.0)
    assert not before & set(stack.site.replicas(APPLICATION))
    await_ready("the stack", lambda: stack.whole().whole, within_s=60.0, poll_s=0.5)


def test_no_secret_is_in_any_manifest(stack: KubernetesPlatform) -> None:
    known = [word for _, word in stack.secrets.known()]
    assert known
    for namespace in (stack.options.namespace, stack.options.edge_namespace):
        for what in ("configmaps", "pods", "services"):
            told = str(stack.cluster.get(f"/api/v1/namespaces/{namespace}/{what}"))
            assert not [word for word in known if word in told]


def test_a_second_one_in_its_place_is_refused(stack: KubernetesPlatform) -> None:
    with pytest.raises(Refused, match="is up or coming up"):
        up(stack.options)
    assert stack.whole().whole


def test_a_namespace_of_somebody_elses_is_left_alone(stack: KubernetesPlatform) -> None:
    name = f"theirs-{secrets.token_hex(3)}"
    meta = {"name": name, "labels": {"team": "somebody"}}
    path = f"/api/v1/namespaces/{name}"
    stack.cluster.apply(path, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    try:
        theirs = replace(stack.options, namespace=name, node_ports=PORTS)
        with pytest.raises(Refused, match="is not peakdrill's"):
            up(theirs)
        assert stack.cluster.get(path)["metadata"]["labels"]["team"] == "somebody"
    finally:
        stack.cluster.delete(path)


def test_the_looks_of_platform_check(stack: KubernetesPlatform) -> None:
    seen = tuple(checks.looks(stack.options, stack))
    hooks = stack.options.nodes is not None
    assert [look for look in seen if not look.well and (hooks or look.capability != "nodes")] == []
    lost = replace(stack.options, context="nowhere")
    (_, last) = tuple(checks.looks(lost, None))
    assert isinstance(last, Look)
    assert not last.well


@pytest.mark.skipif(not os.environ.get("CLUSTER"), reason="CLUSTER names no tool to cut the power")
@pytest.mark.timeout(900)
def test_the_node_of_the_primary_is_lost(stack: KubernetesPlatform) -> None:
    nodes = stack.nodes
    assert nodes is not None
    primary, standby = nodes.resolve("primary"), nodes.resolve("standby")
    assert nodes.resolve("bystander") not in {primary, standby}
    seen = nodes.kill(primary)
    try:
        assert seen.earliest_ns < seen.latest_ns
        assert nodes.is_dead(primary)
        assert not nodes.is_back(primary)
        assert not stack.whole().whole
        with pytest.raises(FaultError, match="dead already"):
            nodes.kill(primary)
        await_ready(
            "a new leader", lambda: stack.database.leader() == standby, within_s=60.0, poll_s=0.5
        )
    finally:
        nodes.start(primary)
    await_ready("the node", lambda: nodes.is_back(primary), within_s=BACK_S, poll_s=1.0)
    await_ready("the stack", lambda: stack.whole().whole, within_s=BACK_S, poll_s=1.0)
    nodes.start(primary)  # harmless
