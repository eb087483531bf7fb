"""A stack that somebody brought from elsewhere is taken up: by its namespace's labels.

A drill in a pod, or on another machine, finds what it needs in the cluster: who the stack is, how
it was brought, its secrets. They come into a private folder here, as where it was brought from;
what the cluster has is right, so they are read again whenever nobody drills and nothing is broken.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
import secrets as random_words
import shutil
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from harness.errors import PlatformError, Refused
from harness.inputs.kubernetes_file import KIND, KubernetesOptions
from harness.platforms.embedded import backup_key, backup_store, credentials, s3
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import (
    Layout,
    load_state,
    save_state,
    state_home,
    write_atomically,
)
from harness.platforms.embedded.sealing import KEY_BYTES
from harness.platforms.embedded.shelf import Shelf
from harness.platforms.kubernetes import bringing, objects
from harness.platforms.kubernetes import state as states
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.kubernetes.finding import found_in
from harness.platforms.kubernetes.site import ROUTES, SECRETS, SETTINGS
from harness.platforms.kubernetes.state import LABEL, Kept

_BACKUP_KEY = "backup-key"
_TENANT = "tenant"
_SOMEBODY = "somebody, from another place"
_BUSY = ("undo", "recovery")  # folders: something is broken, or half mended


def taken_up(options: KubernetesOptions) -> Path | None:
    """The folder of the stack that is in the namespace; None where there is none of ours.

    Raises Refused where there is one that cannot be taken up, PlatformError.
    """
    cluster = connect(options.context)
    found = cluster.find(f"/api/v1/namespaces/{options.namespace}")
    labels = _labels(found)
    if not labels.get(LABEL) or labels.get(bringing.STANDS) != _TENANT:
        return None  # whoever brings one is told whose it is
    root = state_home() / KIND / labels[LABEL]
    if (root / states.FILE).exists():
        return root  # known, by another name of its context
    _refuse_unless_it_may_be(cluster, options, found)
    kept = Kept(
        platform_id=labels[LABEL],
        options=replace(options, disposable=True),
        found=found_in(cluster),
        brought_by=_who(found),
        place=random_words.token_hex(3),
    )
    layout = Layout(root)
    try:
        states.claim(layout, kept)
        _read_secrets(cluster, options, layout)
        newest = _newest_backup(layout)
        save_state(layout, replace(load_state(layout), phase=states.UP, backup_id=newest))
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise
    return root


def still_there(root: Path, options: KubernetesOptions) -> bool:
    """Whether a stack that was taken up is the one in the namespace; what is kept of it is new.

    One that is gone is forgotten here. A drill that has it is not disturbed.
    """
    kept, state = states.load(root)
    layout = Layout(root)
    with _Alone(root) as alone:
        if not alone or any(_has(root / name) for name in _BUSY):
            return True
        cluster = connect(options.context)
        found = cluster.find(f"/api/v1/namespaces/{options.namespace}")
        if _labels(found).get(LABEL) != kept.platform_id:
            shutil.rmtree(root, ignore_errors=True)
            return False
        _refuse_unless_it_may_be(cluster, options, found)
        states.keep(layout, replace(kept, options=replace(options, disposable=True)))
        save_state(layout, replace(state, ports=dict(kept.ports.named())))
        _read_secrets(cluster, options, layout)
        save_state(layout, replace(load_state(layout), backup_id=_newest_backup(layout)))
    return True


def refuse_to_bring(options: KubernetesOptions) -> None:
    """A pod drills what is there. Raises Refused in one, with what is in the way."""
    cluster = connect(options.context)
    if not cluster.where.is_pod:
        return
    for namespace in (options.namespace, options.edge_namespace):
        bringing.refuse_foreign(cluster, namespace, platform_id="")
    raise Refused(
        f"no stack of peakdrill is in namespace {options.namespace} ({cluster.where}), and a pod "
        "brings none",
        next_step="peakdrill platform up --platform platform.yaml, from outside the cluster",
    )


def _refuse_unless_it_may_be(
    cluster: Cluster, options: KubernetesOptions, found: Mapping[str, Any]
) -> None:
    """Declared disposable, whole in its two halves, and brought as the file says."""
    name = options.namespace
    if not options.disposable:
        raise Refused(
            f"nobody said that the stack in namespace {name} may be broken",
            next_step="`disposable: true` in platform.yaml",
        )
    if options.nodes and cluster.where.is_pod:
        raise Refused(
            "platform.yaml names commands that cut a node's power (nodes:), and they cannot be "
            "run in a pod: it might stand on that very node",
            next_step="leave nodes: out here; drill a node's loss from outside the cluster",
        )
    if (found.get("status") or {}).get("phase") == "Terminating":
        raise Refused(f"the stack in namespace {name} is being taken away")
    edge = objects.labels_of_namespace(cluster, options.edge_namespace) or {}
    if edge.get(LABEL) != _labels(found)[LABEL]:
        raise Refused(
            f"{options.edge_namespace} is not the other half of the stack in namespace {name}",
            next_step="peakdrill platform status where it was brought from",
        )
    _refuse_one_that_was_left(cluster, options)
    _refuse_other_settings(cluster, options)


def _refuse_one_that_was_left(cluster: Cluster, options: KubernetesOptions) -> None:
    path = f"/api/v1/namespaces/{options.edge_namespace}/configmaps/{ROUTES}"
    tenant = (cluster.get(path).get("data") or {}).get("tenant")
    if tenant != options.namespace:
        raise Refused(
            f"the stack in namespace {options.namespace} was left for {tenant or 'nobody'}: a "
            "drill has entered a clean room",
            next_step="peakdrill platform down, then up, where it was brought from",
        )


def _refuse_other_settings(cluster: Cluster, options: KubernetesOptions) -> None:
    path = f"/api/v1/namespaces/{options.namespace}/configmaps/{SETTINGS}"
    told = cluster.get(path).get("data") or {}
    asked = {
        "synchronous": ("PEAKDRILL_SYNCHRONOUS", "true" if options.synchronous else "false"),
        "dialect": ("PEAKDRILL_DIALECT", str(options.dialect)),
        "leader_ttl_s": ("PEAKDRILL_LEADER_TTL_S", str(options.leader_ttl_s)),
    }
    for key, (name, wanted) in asked.items():
        if told.get(name) != wanted:
            raise Refused(
                f"the stack in namespace {options.namespace} was brought with {key}: "
                f"{told.get(name, 'nothing')}, and platform.yaml says {wanted}",
                next_step=f"say {key}: {told.get(name)} in platform.yaml",
            )


def _read_secrets(cluster: Cluster, options: KubernetesOptions, layout: Layout) -> None:
    """Written only where they are others. Raises Refused where one is missing."""
    path = f"/api/v1/namespaces/{options.namespace}/secrets/{SECRETS}"
    data = cluster.get(path).get("data") or {}
    names = [field.name for field in fields(Secrets)]
    if lacking := [name for name in (*names, _BACKUP_KEY) if not data.get(name)]:
        raise Refused(f"Secret {SECRETS} in {options.namespace} lacks {', '.join(lacking)}")
    try:
        told = {name: base64.b64decode(data[name]).decode() for name in (*names, _BACKUP_KEY)}
        key = bytes.fromhex(told.pop(_BACKUP_KEY))
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise Refused(
            f"the backup key of the stack in namespace {options.namespace} is lost in the cluster",
            next_step="whoever brought it has a copy: peakdrill undo, there",
        )
    made = Secrets(**told)
    if not credentials.files_of(layout).all.exists() or asdict(credentials.load(layout)) != told:
        credentials.write(layout, made)
    for file in backup_key.copies(layout):
        file.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(file, key.hex())


def _newest_backup(layout: Layout) -> str:
    """By the store's listing, the first that is ours and complete. Raises PlatformError."""
    store = s3.archivist(load_state(layout).ports, credentials.load(layout))
    if not store.is_up():
        raise PlatformError(
            "the store of the stack does not answer at its door",
            next_step="see node_ports in platform.yaml; in a pod, the sidecar that forwards them",
        )
    key = backup_key.load(layout).key
    for backup in Shelf(layout, store).candidates():
        if backup_store.is_there(backup.backup_id, store, key):
            return backup.backup_id
    raise Refused("the stack has no gated base backup: it is not up yet, or was never whole")


def _who(found: Mapping[str, Any]) -> str:
    told = (found["metadata"].get("annotations") or {}).get(bringing.BROUGHT_BY, "")
    return str(told) if told and str(told).isprintable() else _SOMEBODY


def _labels(found: Mapping[str, Any] | None) -> Mapping[str, str]:
    return ((found or {}).get("metadata") or {}).get("labels") or {}


def _has(folder: Path) -> bool:
    return any(folder.glob("*.json"))


class _Alone:
    """True inside where no drill has the platform: the lock is the drill's own."""

    def __init__(self, root: Path) -> None:
        self._fd = os.open(root / "drill.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
