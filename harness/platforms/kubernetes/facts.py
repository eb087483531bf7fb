"""What a reference stack in a cluster says of itself, also before one is brought up."""

from __future__ import annotations

from harness.core.plan import PlatformFacts
from harness.inputs.kubernetes_file import KIND, KubernetesOptions
from harness.platforms.embedded import ingress, patroni
from harness.platforms.kubernetes.state import Found

WATCH_S = 0.3  # how often the ingress's watcher reads routes and endpoints
_CAPABILITIES = (
    "database",
    "database.standby",
    "database.damage",
    "ingress",
    "application",
    "filestore",
    "cache",
    "integrations",
    "backups",
    "secrets",
    "audit",
    "faults.cluster",
)
_ROOM = "clean-room"  # fmt: skip
_NOTES = (
    "outside an environment (ingress, store, partners) and queue and keeper have no second copy",
    "whether network policies are enforced is not known; that a door is closed is observed",
)
_POWER = "a node's power is cut and given back by the owner's own commands"


def facts(
    options: KubernetesOptions, found: Found | None = None, *, adopted: bool = False
) -> PlatformFacts:
    """Without `found`, what the file alone can tell. `adopted`: brought from elsewhere."""
    has_room = not adopted and not (found and found.where.is_pod)
    copies = "synchronous" if options.synchronous else "asynchronous"
    notes = [*_NOTES, f"{copies} replication, Patroni ttl {options.leader_ttl_s} s"]
    loops = [
        ("patroni loop_wait", float(patroni.LOOP_WAIT_S)),
        ("traefik health interval", ingress.INTERVAL_S),
        ("endpoints watcher", WATCH_S),
    ]
    if found is not None:
        loops.append(("kubelet lease renewal", found.lease_renewal_s))
        # two of one version are two configurations: runs on the one say nothing of the other
        notes.append(f"cluster {found.where.server}, {found.nodes} nodes")
    return PlatformFacts(
        name=KIND,
        kind="shop",
        heading="stand-in application",
        disposable=options.disposable,
        capabilities=(
            *(("nodes",) if options.nodes else ()),
            *_CAPABILITIES,
            *((_ROOM,) if has_room else ()),
        ),
        versions=found.versions if found else (),
        loops_s=tuple(loops),
        notes=(*((_POWER,) if options.nodes else ()), *notes),
    )
