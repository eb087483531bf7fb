"""What breaks in a cluster: a node is drained, a pod killed, pods cut off.

Deeds by chaostoolkit-kubernetes where it is sound, each guarded: it names exactly what it hits,
since the library takes a selection that matches nothing for done, and what it did is observed
here. The undo is on disk and in the cluster before the deed: see keeping.py.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable

from harness.chaos import signals
from harness.chaos.arming import LOCK_S, refuse_in_vain
from harness.chaos.keeping import arm_in_cluster
from harness.chaos.standing import Standing, is_released, standing
from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError, PeakdrillError
from harness.faults import journal
from harness.faults.deeds import node_drain, partition, pod_kill
from harness.platforms.capabilities import Instant
from harness.platforms.cluster_faults import ClusterFaults, Target, Tool, cluster_faults_of
from harness.platforms.reference.lease import DELETE_POLICY, NOTHING, UNCORDON

_POLL_S = 0.2
_GRACE_S = 1  # 0 would take the object away at once, while the process goes on unseen


def drain_node(node: str, within_s: float = 60.0) -> str:
    """Cordon a node and evict what the platform has on it. `node`: primary, standby or a name.

    Returns the node's name. Raises FaultError, with nothing broken, where nothing is to be drained
    and nobody keeps the undo; and, with the drain half done, where a disruption budget stops it.
    """
    here = standing()
    faults = cluster_faults_of(here.platform)
    with signals.deferred(), journal.locked(here.platform.directory, within_s=LOCK_S):
        refuse_in_vain(here)
        name = faults.node_of(node)
        targets = faults.drainable(name)
        arming = {"node": name, "selector": node}
        lease = arm_in_cluster(here, faults, node_drain.NAME, arming, {UNCORDON: name})
        with _spoiled(here, f"node {name} could not be drained"):
            _refuse_undone(faults, lease)
            faults.sign_cordon(name, lease)
            _by_toolkit(faults, "node.cordon_node", name=name)
            instant = faults.evict(targets, within_s, is_released)
        if not faults.is_drained(name):
            raise _no_effect(here, f"node {name} was drained, yet pods are on it or may come")
        note = f"node {name} ({node}): cordoned; {_names(targets)} evicted, and seen to be gone"
        here.witness(Mark(MarkName.FAULT_ACTIVE, instant.earliest_ns, instant.latest_ns, note))
    return name


def kill_pod(pods: str, within_s: float = 25.0) -> str:
    """One pod dies: the first that is ready of a part, a role (primary, standby) or that name.

    Returns its name. Raises FaultError, with nothing broken, where there is none, or nobody would
    replace it.
    """
    here = standing()
    faults = cluster_faults_of(here.platform)
    with signals.deferred(), journal.locked(here.platform.directory, within_s=LOCK_S):
        refuse_in_vain(here)
        target = min(faults.targets(pods), key=lambda found: found.name)
        if not target.controller:
            raise FaultError(f"nobody would replace {target.name}: nothing was broken")
        arming = {"pod": target.name, "pods": pods, "controller": target.controller}
        undo = {NOTHING: f"replaced by {target.controller}"}
        arm_in_cluster(here, faults, pod_kill.NAME, arming, undo)
        earliest_ns = time.monotonic_ns()
        with _spoiled(here, f"pod {target.name} could not be killed"):
            pattern = f"^{re.escape(target.name)}$"
            done = _by_toolkit(
                faults, "pod.terminate_pods", name_pattern=pattern, all=True, grace_period=_GRACE_S
            )
        gone = _seen(lambda: faults.is_gone(target), within_s)
        if done != [target.name] or gone is None:
            raise _no_effect(here, f"pod {target.name} was deleted, yet it is still there")
        note = f"pod {target.name} ({pods}): deleted, and its death confirmed by its node"
        here.witness(Mark(MarkName.FAULT_ACTIVE, earliest_ns, gone.latest_ns, note))
    return target.name


def cut_off(pods: str, port: int | str = 0, within_s: float = 20.0) -> str:
    """Nothing in, nothing out: the pods of a part, of a role, or one, by a NetworkPolicy.

    Returns their names. Raises FaultError, with nothing broken, where no traffic passed before;
    and where the policy exists but traffic still passes: then nothing was put to the test.
    """
    here = standing()
    faults = cluster_faults_of(here.platform)
    with signals.deferred(), journal.locked(here.platform.directory, within_s=LOCK_S):
        refuse_in_vain(here)
        targets, port = faults.targets(pods), int(port)
        if len(faults.passing(targets, port)) < 2 * len(targets):
            raise FaultError(f"no traffic passed to and from {_names(targets)} before: "
                             "nothing was cut off")  # fmt: skip
        policy = f"peakdrill-{secrets.token_hex(5)}"
        arming = {
            "policy": policy, "pods": pods, "names": _names(targets), "port": str(port),
            "controllers": ",".join(sorted({t.controller for t in targets if t.controller})),
        }  # fmt: skip
        lease = arm_in_cluster(here, faults, partition.NAME, arming, {DELETE_POLICY: policy})
        earliest_ns = time.monotonic_ns()
        with _spoiled(here, f"{pods} could not be cut off"):
            spec = faults.policy(policy, pods, targets, lease)
            _refuse_undone(faults, lease)
            _by_toolkit(faults, "networking.create_network_policy", spec=spec)
            cut = _seen(lambda: _is_cut(faults, targets, port), within_s)
        if cut is None:
            raise _no_effect(here, _why_it_passes(faults, targets, port, policy))
        note = f"{_names(targets)}: no connection in or out holds any more, tried from inside"
        here.witness(Mark(MarkName.FAULT_ACTIVE, earliest_ns, cut.latest_ns, note))
    return _names(targets)


def node_is_drained(node: str) -> bool:
    """A probe. `primary` means the node that it meant when it was drained."""
    here = standing()
    faults = cluster_faults_of(here.platform)
    return faults.is_drained(_of_entry(here, node_drain.NAME, "node") or faults.node_of(node))


def are_cut_off(pods: str) -> bool:
    """A probe, by real connections; of the pods that were meant when they were cut off."""
    here = standing()
    faults = cluster_faults_of(here.platform)
    names = _of_entry(here, partition.NAME, "names")
    port = int(_of_entry(here, partition.NAME, "port") or 0)
    targets = faults.running(names.split(",")) if names else faults.targets(pods)
    return bool(targets) and not faults.passing(targets, port)


def _refuse_undone(faults: ClusterFaults, lease: str) -> None:
    """Who stood still for longer than his lease would break what nobody undoes after his death.

    Raises FaultError where the cluster has played the undo, or nobody can tell.
    """
    if not faults.renew(lease):
        raise FaultError("the cluster has played the undo before the deed: nothing was broken")


def _of_entry(here: Standing, fault: str, parameter: str) -> str:
    """What this run's own fault was made with, "" where it was not made."""
    for entry in journal.pending(here.platform.directory):
        if (entry.fault, entry.run_id) == (fault, here.run_id):
            return entry.parameter(parameter)
    return ""


def _seen(is_so: Callable[[], bool], within_s: float) -> Instant | None:
    """When it was first seen, None where it was not in time or nobody waits for it any more."""
    deadline = time.monotonic() + within_s
    while True:
        asked_ns = time.monotonic_ns()
        if is_so():
            return Instant(asked_ns, time.monotonic_ns())
        if time.monotonic() >= deadline or is_released():
            return None
        time.sleep(_POLL_S)


def _why_it_passes(
    faults: ClusterFaults, targets: tuple[Target, ...], port: int, policy: str
) -> str:
    try:
        still = "; ".join(faults.passing(targets, port)) or "until just now"
    except FaultError as error:
        return f"the policy {policy} exists, and whether it bites is not known: {error.what}"
    return (
        f"the policy {policy} exists but traffic still passes ({still}): this cluster's network "
        "does not enforce NetworkPolicy, or another policy allows it; nothing was put to the test"
    )


def _is_cut(faults: ClusterFaults, targets: tuple[Target, ...], port: int) -> bool:
    """What could not be tried is not cut: it is tried again, and told in the end."""
    try:
        return not faults.passing(targets, port)
    except FaultError:
        return False


def _no_effect(here: Standing, what: str) -> FaultError:
    here.stamp(MarkName.NO_EFFECT, what)
    return FaultError(what)


class _spoiled:  # noqa: N801  reads as a word of the deed
    """Inside: a deed that may be half done. Whatever goes wrong is marked, and explained."""

    def __init__(self, here: Standing, what: str) -> None:
        self._here, self._what = here, what

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            told = error.what if isinstance(error, PeakdrillError) else str(error)
            self._here.stamp(MarkName.FAULT_SPOILED, f"{self._what}: {told}")


def _by_toolkit(faults: ClusterFaults, action: str, **arguments: object) -> object:
    """One action of chaostoolkit-kubernetes at our cluster. Raises PlatformError, explained."""
    from harness.platforms.kubernetes.faults import understood

    tool = faults.tool
    within = {} if action.startswith("node.") else {"ns": tool.namespace}
    known = {"KUBERNETES_CONTEXT": tool.context}
    try:
        _point_toolkit_at(tool, known)
        return _actions()[action](**arguments, **within, secrets=known)
    except PeakdrillError:
        raise
    except Exception as error:
        raise understood(error, action, tool) from error


def _point_toolkit_at(tool: Tool, known: dict[str, str]) -> None:
    """Its client looks where the environment said when it was imported: perhaps elsewhere.

    Raises FaultError unless it would reach the very cluster that is drilled.
    """
    from chaosk8s import create_k8s_api_client
    from kubernetes.config import kube_config

    if os.pathsep in tool.kubeconfig:
        raise FaultError(
            f"chaostoolkit-kubernetes reads one kubeconfig, not several: {tool.kubeconfig}",
            next_step="`kubectl config view --flatten` makes one of them",
        )
    if tool.kubeconfig:
        os.environ["KUBECONFIG"] = kube_config.KUBE_CONFIG_DEFAULT_LOCATION = tool.kubeconfig
    reached = str(create_k8s_api_client(known).configuration.host)
    if reached != tool.server:
        raise FaultError(
            f"chaostoolkit-kubernetes would reach {reached} and not {tool.server}: nothing was "
            "broken by it",
            next_step="unset KUBERNETES_HOST and CHAOSTOOLKIT_IN_POD, or name the context",
        )


def _actions() -> dict[str, Callable[..., object]]:
    from chaosk8s.networking.actions import create_network_policy
    from chaosk8s.node.actions import cordon_node
    from chaosk8s.pod.actions import terminate_pods

    return {
        "node.cordon_node": cordon_node,
        "pod.terminate_pods": terminate_pods,
        "networking.create_network_policy": create_network_policy,
    }


def _names(targets: tuple[Target, ...]) -> str:
    return ",".join(sorted(target.name for target in targets))
