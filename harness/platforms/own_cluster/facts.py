"""What somebody's own stack says of itself, also before anybody has asked it."""

from __future__ import annotations

from harness.core.plan import NOT_YET, PlatformFacts
from harness.inputs.kubernetes_file import KIND
from harness.inputs.own_cluster_file import OwnClusterOptions
from harness.inputs.own_cluster_model import CNPG, PATRONI, PLAIN
from harness.planning import Pace
from harness.platforms.kubernetes.kind import DRAIN_S
from harness.platforms.odoo.platform import PROVEN
from harness.platforms.own_cluster.state import Kept

_NOTES = ("brought and ended by its owner: peakdrill takes it up for a drill, and lets go of it",)
_STAND_IN = "this is peakdrill's own stand-in for an Odoo, not an Odoo"
_CHECKSUMS_ALONE = "no filestore is named: documents were held against the database's checksums"
_PROVEN_MANAGERS = (PLAIN,)  # those that a whole drill has been run against
_PROVEN_DOORS = ("ingress",)
_TOLD = {
    PATRONI: "PostgreSQL led by somebody's own Patroni, told by its label",
    CNPG: "PostgreSQL led by CloudNativePG, told by its labels",
    PLAIN: "a plain PostgreSQL",
}


def facts(options: OwnClusterOptions, kept: Kept | None = None) -> PlatformFacts:
    """Without `kept`, what the file alone can tell."""
    found = kept.application if kept else None
    full = found.full_version if found else str(options.application.version or "")
    name = "Odoo" if options.kind == "odoo" else "stand-in application that speaks Odoo"
    versions = [("odoo", full)] if full else []
    versions += [] if kept else [(KIND, f"({NOT_YET})")]
    loops = dict(options.application.loops_s)
    if kept is not None:
        versions += kept.found.versions
        loops.setdefault("kubelet lease renewal", kept.found.lease_renewal_s)
    return PlatformFacts(
        name=KIND,
        kind=options.kind,
        heading=f"{name} {full}, {_TOLD[options.database.managed_by]}".replace("  ", " "),
        disposable=options.disposable,
        capabilities=capabilities(options),
        versions=tuple(versions),
        loops_s=tuple(loops.items()),
        notes=tuple(_notes(options, kept)),
        unproven=tuple(unproven(options)),
    )


def pace(options: OwnClusterOptions) -> Pace:
    """How quick it is, as its owner says."""
    told = options.application
    limits = [fault.limit_s for fault in told.faults]
    limits += [options.nodes.limit_s] if options.nodes else []
    return Pace(
        server_timeout_s=told.server_timeout_s,
        canary_limit_s=told.canary_limit_s,
        command_s=max([DRAIN_S, *limits]),
    )


def capabilities(options: OwnClusterOptions) -> tuple[str, ...]:
    """As the file offers them; whether they work is what `platform check` looks at."""
    offered = {
        "application": True,
        "database.read": True,
        "faults.cluster": True,
        "ingress": options.door is not None,
        "database.standby": options.database.copies > 1,
        "filestore.read": _reads_documents(options),
        "nodes": options.nodes is not None,
        "faults.command": bool(options.application.faults),
    }
    return tuple(name for name, there in offered.items() if there)


def unproven(options: OwnClusterOptions) -> list[str]:
    """What every drill of it goes through, and no whole drill has been run against yet."""
    told = []
    if options.database.managed_by not in _PROVEN_MANAGERS:
        told.append(f"a stack led by {options.database.managed_by}")
    elif options.database.copies > 1:
        told.append("a plain PostgreSQL with a standby")
    version = options.application.version
    if options.kind == "odoo":
        told.append("an Odoo in a cluster")
        if version is not None and version not in PROVEN:
            told.append(f"Odoo {version}")
    return told


def unproven_parts(options: OwnClusterOptions) -> list[str]:
    """What a drill may do without: nobody has run these against a real one yet."""
    told = []
    if options.backups:
        ways = ", ".join(
            name
            for name, words in (
                ("list", options.backups.list),
                ("verify", options.backups.verify),
                ("restore", options.backups.restore),
            )
            if words or (name, options.backups.by) == ("list", CNPG)
        )
        told.append(f"backups by {options.backups.by} ({ways})")
    if options.door is not None and options.door.kind not in _PROVEN_DOORS:
        told.append(f"the door of kind {options.door.kind}")
    return told


def _notes(options: OwnClusterOptions, kept: Kept | None) -> list[str]:
    notes = [*_NOTES]
    if options.kind == "shop":
        notes.append(_STAND_IN)
    if not _reads_documents(options):
        notes.append(_CHECKSUMS_ALONE)
    notes += [f"unproven: {told}" for told in unproven_parts(options)]
    if kept is not None:
        where = kept.found.where
        # two of one version are two configurations: runs on the one say nothing of the other
        notes.append(
            f"namespace {options.namespace} of the cluster {where.server}, {kept.found.nodes} nodes"
        )
    return notes


def _reads_documents(options: OwnClusterOptions) -> bool:
    told = options.application
    named = (options.documents_in_pod, told.filestore, told.bucket)
    return any(one is not None for one in named)
