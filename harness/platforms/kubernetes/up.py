"""From nothing to a stack that is whole, and back to nothing.

Namespaces, secrets, everything of deploy/reference, then waiting: for every pod, for the database
to lead and be followed, for the ingress to serve; and a first base backup.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from harness.errors import NotReady, PeakdrillError, PlatformError, Refused
from harness.inputs.kubernetes_file import KubernetesOptions
from harness.platforms.embedded import backup_key, credentials
from harness.platforms.embedded.layout import Layout, load_state, save_state, state_home
from harness.platforms.kubernetes import bringing, manifests, objects
from harness.platforms.kubernetes import state as states
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.kubernetes.finding import found_in
from harness.platforms.kubernetes.platform import KubernetesPlatform
from harness.platforms.kubernetes.site import WORKLOADS, KubernetesSite
from harness.platforms.kubernetes.state import Kept
from harness.platforms.reference.site import MEMBERS
from harness.progress import Progress, Silent

LIMIT_S = 180.0  # from nothing to whole
BACKUP_KEY = "backup-key"
_POLL_S = 1.0
_LEAST_NODES = 2


def up(
    options: KubernetesOptions, *, agreed: bool = False, progress: Progress | None = None
) -> KubernetesPlatform:
    """Bring a stack to its cluster and return when it is whole.

    Raises Refused before anything was touched, PlatformError when it did not come up: then
    nothing of it is left, and what its pods said is kept.
    """
    telling = progress or Silent()
    cluster = connect(options.context)
    _refuse_unless_agreed(options, cluster, agreed=agreed)
    kept = _kept(cluster, options)
    place = manifests.folder(serves_policy_v1=cluster.serves("policy", "v1"))
    documents = manifests.for_stack(manifests.rendered(place), kept)
    _clear_what_died(kept, telling)
    for namespace in bringing.namespaces(kept):
        bringing.refuse_foreign(cluster, namespace, kept.platform_id)
    layout = Layout(states.new_folder().with_name(kept.platform_id))
    states.claim(layout, kept)
    platform = KubernetesPlatform(layout.root)
    deadline = time.monotonic() + LIMIT_S
    try:
        telling.say(f"bringing the reference stack to {cluster.where}")
        telling.phase("kubernetes: bringing the reference stack", LIMIT_S)
        bringing.claim_namespaces(cluster, kept)
        bringing.bring_secrets(cluster, kept, _secrets(layout))
        bringing.bring(cluster, documents)
        _await_pods(platform.site, telling, deadline)
        _await_database(platform, telling, deadline)
        telling.phase("kubernetes: the first base backup", 60.0)
        platform.backups.take()
        _await_whole(platform, telling, deadline)
        save_state(layout, replace(load_state(layout), phase=states.UP))
    except BaseException as error:
        said = _keep_words(platform)
        with suppress(PeakdrillError):
            remove(layout, cluster, kept)
        if isinstance(error, PlatformError) and said:
            raise type(error)(error.what, next_step=f"what its pods said is in {said}") from error
        raise
    return platform


def remove(layout: Layout, cluster: Cluster, kept: Kept) -> None:
    """Everything that `up` brought, and the folder. Harmless when it is gone."""
    if not kept.brought_by:
        bringing.take_away(cluster, kept)
    shutil.rmtree(layout.root, ignore_errors=True)


def question(options: KubernetesOptions) -> str:
    """What a person is asked before anything is brought anywhere."""
    where = connect(options.context).where
    return (
        f"Bring up the reference stack in {where}, in namespaces {options.namespace} and "
        f"{options.edge_namespace}, to be broken by drills?"
    )


def _refuse_unless_agreed(options: KubernetesOptions, cluster: Cluster, *, agreed: bool) -> None:
    if not (options.disposable or agreed):
        raise Refused(
            f"nobody said that a stack to be broken may be brought to {cluster.where}",
            next_step="--yes, or `disposable: true` in platform.yaml; for production an allowance "
            "of two named people with a stated blast radius is needed: a game day",
        )


def _kept(cluster: Cluster, options: KubernetesOptions) -> Kept:
    nodes = objects.nodes(cluster)
    able = [node for node in nodes if node.ready and node.schedulable]
    if len(able) < _LEAST_NODES:
        raise Refused(
            f"{len(able)} of {len(nodes)} nodes are ready, and two databases need two "
            f"({cluster.where})",
            next_step="`kubectl get nodes` says which are not",
        )
    asked = replace(options, disposable=True)
    return Kept(states.new_folder().name, asked, found_in(cluster))


def _clear_what_died(kept: Kept, telling: Progress) -> None:
    """A start that was killed left its namespaces: they go first. A live one is refused."""
    for layout, other, state in states.known():
        same = (other.found.where.server, other.options.namespace) == (
            kept.found.where.server,
            kept.options.namespace,
        )
        if not same:
            continue
        if state.phase == states.UP or states.is_being_started(state):
            raise Refused(
                f"a stack is up or coming up in namespace {kept.options.namespace} already",
                next_step="peakdrill platform status, or peakdrill platform down",
            )
        telling.say(f"removing what a start that died left: {other.platform_id}")
        where = other.found.where
        remove(layout, connect(where.context, where.kubeconfig), other)


def _secrets(layout: Layout) -> dict[str, str]:
    """Drawn here; files for those outside, a Secret for those inside."""
    made = credentials.generate(layout)
    backup_key.make(layout)
    return {**asdict(made), BACKUP_KEY: backup_key.load(layout).key.hex()}


def _await_pods(site: KubernetesSite, telling: Progress, deadline: float) -> None:
    telling.phase("kubernetes: waiting for every pod", deadline - time.monotonic())
    told = -1
    while gaps := site.gaps():
        ready = len(WORKLOADS) - len(gaps)
        if ready != told:
            telling.say(f"{ready} of {len(WORKLOADS)} parts are ready")
            told = ready
        if time.monotonic() >= deadline:
            raise NotReady(f"not every pod was ready within {LIMIT_S:g} s: {'; '.join(gaps)}")
        time.sleep(_POLL_S)


def _await_database(platform: KubernetesPlatform, telling: Progress, deadline: float) -> None:
    telling.phase("kubernetes: waiting for the databases", deadline - time.monotonic())
    while platform.database.leader() is None:
        if time.monotonic() >= deadline:
            raise NotReady("no database took writes in time")
        time.sleep(_POLL_S)


def _await_whole(platform: KubernetesPlatform, telling: Progress, deadline: float) -> None:
    telling.phase("kubernetes: waiting until it is whole", max(30.0, deadline - time.monotonic()))
    until = max(deadline, time.monotonic() + 30.0)
    while not (seen := platform.whole()).whole:
        if time.monotonic() >= until:
            raise NotReady(f"the stack did not become whole: {'; '.join(seen.missing)}")
        time.sleep(_POLL_S)


def _keep_words(platform: KubernetesPlatform) -> Path | None:
    """What the pods of a start that failed said; no secret is among it."""
    folder = state_home() / "last-failure"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        site = platform.site
        (folder / "gaps.txt").write_text("\n".join(site.gaps()) + "\n", encoding="utf-8")
        for part in (*WORKLOADS, *MEMBERS):
            with suppress(PlatformError):
                (folder / f"{part}.log").write_text(site.logs(part), encoding="utf-8")
    except (OSError, PeakdrillError):
        return None
    return folder
