"""What `platform check` looks at in somebody's own stack; the one lease it makes goes again."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from harness.errors import FaultError
from harness.inputs.own_cluster_file import OwnClusterOptions
from harness.platforms.kubernetes import checks
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.looks import GROUND, Look, Unwell, looked
from harness.platforms.odoo.detect import detect
from harness.platforms.own_cluster import backups as backups_of
from harness.platforms.own_cluster import facts
from harness.platforms.own_cluster.backups import OwnBackups
from harness.platforms.own_cluster.credentials import OwnCredentials
from harness.platforms.own_cluster.database import OwnDatabase
from harness.platforms.own_cluster.documents import PodDocuments
from harness.platforms.own_cluster.door import FILE as DOOR_FILE
from harness.platforms.own_cluster.door import OwnDoor
from harness.platforms.own_cluster.faults import PRIMARY, STANDBY, faults
from harness.platforms.own_cluster.leaders import Leaders
from harness.platforms.own_cluster.pods import APPLICATION, DATABASE, OwnPods, selector_of
from harness.platforms.reference.lease import LEASE_NAME

_CORE = ""
_READ = (
    ("list", "pods", _CORE), ("get", "pods", _CORE), ("get", "services", _CORE),
    ("get", "endpoints", _CORE), ("create", "pods/exec", _CORE), ("get", "pods/exec", _CORE),
)  # fmt: skip
_CLOSE = (("patch", "services", _CORE),)
UNPROVEN = "unproven"


def looks(options: OwnClusterOptions) -> Iterable[Look]:
    """The ground first: what a drill cannot do without."""
    yield looked(GROUND, lambda: _disposable(options))
    found = looked(GROUND, lambda: _answers(options))
    yield found
    if not found.well:
        return  # nothing else could be seen
    cluster = connect(options.context)
    yield looked(GROUND, lambda: _rights(cluster, options))
    with _scratch() as folder:
        yield from _looks(cluster, options, Path(folder))
    for told in facts.unproven(options):
        yield Look(UNPROVEN, True, f"{told}: no drill of it can end met until somebody has run one")
    for told in facts.unproven_parts(options):
        yield Look(UNPROVEN, True, f"{told}: nobody has run it against a real one yet")


def _looks(cluster: Cluster, options: OwnClusterOptions, folder: Path) -> Iterable[Look]:
    pods = OwnPods(cluster, options)
    leaders = Leaders(pods)
    for part in (APPLICATION, DATABASE):
        yield looked(GROUND, partial(_pods, pods, part))
    yield looked(GROUND, lambda: _leader(leaders))
    yield looked(GROUND, lambda: _asked(options))
    if options.database.copies > 1:
        yield looked("database.standby", lambda: _streams(leaders))
    yield looked("filestore.read", lambda: _documents(pods))
    yield looked("ingress", lambda: _door(cluster, options, folder))
    yield from _breaking(cluster, pods, leaders)
    if options.nodes:
        yield looked("nodes", lambda: checks.hooks_look(cluster, options.nodes, options.folder))
        yield looked("nodes", lambda: checks.kubelets_look(cluster))
    if options.backups:
        yield looked("backups", lambda: _backups(pods, folder))
    if options.credentials:
        yield looked("credentials", lambda: _credentials(cluster, options))
    if options.application.faults:
        yield looked("faults.command", lambda: _commands(options))


def _breaking(cluster: Cluster, pods: OwnPods, leaders: Leaders) -> Iterable[Look]:
    namespace = pods.options.namespace
    yield looked("faults.cluster", lambda: checks.rights_to_break(cluster, namespace))
    yield looked("faults.cluster", lambda: _keeper(pods, leaders))
    yield looked("faults.cluster", lambda: _targets(pods, leaders))


def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="peakdrill-check-")


def _disposable(options: OwnClusterOptions) -> str:
    if not options.disposable:
        raise Unwell("platform.yaml does not say `disposable: true`: nothing may be broken")
    return "declared disposable"


def _answers(options: OwnClusterOptions) -> str:
    cluster = connect(options.context)
    told = f"{cluster.where} answers: Kubernetes {cluster.version}"
    if cluster.find(f"/api/v1/namespaces/{options.namespace}") is None:
        raise Unwell(f"there is no namespace {options.namespace} ({cluster.where})")
    return told


def _rights(cluster: Cluster, options: OwnClusterOptions) -> str:
    wanted = [(verb, resource, group, options.namespace) for verb, resource, group in _READ]
    wanted += [("list", "nodes", _CORE, ""), ("get", "nodes", _CORE, "")]
    if options.nodes:
        wanted.append(("get", "nodes/proxy", _CORE, ""))
    return checks.all_of(cluster, wanted)


def _pods(pods: OwnPods, part: str) -> str:
    found = pods.some(part)
    idle = [pod.name for pod in found if not pod.ready]
    if len(idle) == len(found):
        raise Unwell(f"no pod of the {part} is ready: {', '.join(idle)}")
    if part == DATABASE and len(found) != pods.options.database.copies:
        raise Unwell(
            f"{selector_of(pods.labels(part))} means {len(found)} pods, and platform.yaml says "
            f"database: copies: {pods.options.database.copies}"
        )
    return f"{part}: {', '.join(f'{pod.name} on {pod.node}' for pod in found)}"


def _leader(leaders: Leaders) -> str:
    found = leaders.leader()
    if found is None:
        raise Unwell("no database says that it leads: see database: role_label:, ask:")
    label = leaders.pods.options.database.role_label
    return f"{found.name} leads, by {f'its label {label}' if label else 'its own word'}"


def _streams(leaders: Leaders) -> str:
    seen = OwnDatabase(leaders).protected()
    if not seen.whole:
        raise Unwell("; ".join(seen.missing))
    return f"{leaders.streaming()} standbys stream, by the leader's word"


def _asked(options: OwnClusterOptions) -> str:
    """As a drill would; it signs in and reads, and leaves nothing."""
    state = detect(options.application)
    kind = "shop" if state.stand_in else "odoo"
    if kind != options.kind:
        raise Unwell(f"it is of kind {kind}, and platform.yaml says {options.kind}")
    modules = ", ".join(state.modules) or "none of those that a workload needs"
    told = "the stand-in, as Odoo" if state.stand_in else "Odoo"
    return f"{told} {state.full_version} at {options.application.url}; modules: {modules}"


def _documents(pods: OwnPods) -> str:
    options = pods.options
    if options.documents_in_pod is not None:
        names = PodDocuments(pods, options.documents_in_pod).names()
        return f"{len(names)} documents can be listed in the pod"
    told = options.application
    if told.bucket is not None:
        return f"bucket {told.bucket.name}; not asked"
    if told.filestore is None or not told.filestore.is_dir():
        raise Unwell("no documents: are named that are there: only checksums can be compared")
    return f"{told.filestore} is there"


def _door(cluster: Cluster, options: OwnClusterOptions, folder: Path) -> str:
    if options.door is None:
        raise Unwell("platform.yaml names no ingress:")
    file = folder / DOOR_FILE
    door = OwnDoor(cluster, options.namespace, options.door, options.application, file)
    services = ", ".join(door.services())
    if not door.is_open():
        raise Unwell(f"the application does not answer at {options.application.url}")
    if not options.door.may_close:
        return f"open; it leads to {services}, and may not be closed (may_close: false)"
    rights = [(verb, what, group, options.namespace) for verb, what, group in _CLOSE]
    checks.all_of(cluster, rights)
    return f"open; it would be closed by the selector of {services}; not tried"


def _keeper(pods: OwnPods, leaders: Leaders) -> str:
    """A lease that holds nothing is taken, read by whoever keeps undos, and given back."""
    made = faults(pods, leaders, "check")
    lease = LEASE_NAME + secrets.token_hex(5)
    try:
        made.take_lease(lease, "check", "check", {"nothing": "looked at"})
    except FaultError as error:
        told = f"{error.what}: bring deploy/undoer"
        raise Unwell(told) from error
    made.give_back(lease)
    return "an undo was read in the cluster by its keeper, and taken back"


def _targets(pods: OwnPods, leaders: Leaders) -> str:
    made = faults(pods, leaders, "check")
    roles = (PRIMARY, STANDBY) if pods.options.database.copies > 1 else (PRIMARY,)
    told = [f"{role} {made.targets(role)[0].name}" for role in roles]
    application = made.targets(APPLICATION)
    bare = [target.name for target in application if not target.controller]
    if bare:
        raise Unwell(f"nobody would replace {', '.join(bare)}: it has no controller")
    replicas = ", ".join(target.name for target in application)
    return f"would be hit: {'; '.join(told)}; application {replicas}"


def _backups(pods: OwnPods, folder: Path) -> str:
    asked = pods.options.backups
    assert asked is not None
    made = OwnBackups(pods, asked, folder / backups_of.LOG)
    listed = made.listed()
    if not listed:
        raise Unwell(f"{asked.by} lists no backup")
    newest = next((one for one in listed if one.is_complete), None)
    if newest is None:
        raise Unwell(f"{asked.by} lists {len(listed)} backups, and none is complete")
    told = f"{len(listed)} listed by {asked.by}, the newest complete one {newest.name}"
    ways = [name for name, words in (("verify", asked.verify), ("restore", asked.restore)) if words]
    named = f"; the owner's commands: {', '.join(ways)}, not tried" if ways else ""
    return f"{told}{named}; {UNPROVEN}: {backups_of.UNPROVEN}"


def _credentials(cluster: Cluster, options: OwnClusterOptions) -> str:
    wanted = [("get", "secrets", _CORE), ("patch", "secrets", _CORE)]
    kinds = {f"{one.partition('/')[0]}s" for told in options.credentials for one in told.restart}
    wanted += [(verb, kind, "apps") for kind in sorted(kinds) for verb in ("get", "patch")]
    checks.all_of(cluster, [(*right, options.namespace) for right in wanted])
    return OwnCredentials(cluster, options.namespace, options.credentials).look()


def _commands(options: OwnClusterOptions) -> str:
    names = ", ".join(fault.name for fault in options.application.faults)
    return f"the owner offers: {names}; not tried"
