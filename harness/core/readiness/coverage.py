"""The map of what no drill covers: a fixed catalogue, held against the scenarios and their runs.

Components are what a retail platform consists of; failure modes are those that the retailer's own
background names. A scenario covers what its experiment breaks: the table below for the shipped
ones, its tags for one's own (a tag `region-disruption` claims that failure mode). What a drill
only leans on is not covered: an ingress that nobody ever broke has never been seen to come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.core.outcome import Outcome
from harness.core.scenario import Scenario
from harness.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the catalogue. `capability`: where scenarios ask for it by that name."""

    name: str
    title: str
    capability: str = ""


COMPONENTS = (
    Entry("nodes", "A machine, with every process on it", "nodes"),
    Entry("database", "Database, the primary", "database"),
    Entry("database-standby", "Database, the standby", "database.standby"),
    Entry("database-files", "Database, its data files on disk", "database.damage"),
    Entry("database-content", "Database, its rows and their meaning"),
    Entry("consensus", "Consensus store of the database's leadership"),
    Entry("wal-archive", "WAL archive"),
    Entry("backups", "Base backups in object storage", "backups"),
    Entry("backup-keys", "Keys of the backups"),
    Entry("filestore", "Documents of the filestore", "filestore"),
    Entry("object-storage", "Object storage, the service"),
    Entry("application", "Application replicas", "application"),
    Entry("ingress", "Ingress, the front door", "ingress"),
    Entry("cache", "Cache and sessions", "cache"),
    Entry("queue", "Queue of the marketplace's orders"),
    Entry("partners", "Integration partners: payment, carrier, marketplace", "integrations"),
    Entry("audit", "Audit logs", "audit"),
    Entry("alerts", "Alerts and their way to a person", "alerts"),
    Entry("clean-room", "A second environment, built from nothing", "clean-room"),
    Entry("tenants", "Other tenants on the same platform", "tenants"),
    Entry("credential-database-role", "Credential: database role", "secrets"),
    Entry("credential-backup-writer", "Credential: backup writer", "secrets"),
    Entry("credential-application-password", "Credential: application password", "secrets"),
    Entry("credential-api-key", "Credential: API key", "secrets"),
    Entry("credential-session-cookie", "Credential: session cookie", "secrets"),
    Entry("credential-queue", "Credential: queue", "secrets"),
    Entry("configuration", "Configuration and deployment manifests"),
    Entry("dns", "DNS and routing from outside"),
    Entry("image-registry", "Image registry"),
)
FAILURE_MODES = (
    Entry("node-loss", "A node is lost in a promotion"),
    Entry("page-corruption", "Pages of the database are corrupt on disk"),
    Entry("logical-corruption", "Wrong data is committed and replicates"),
    Entry("rushed-release", "A rushed release, an untested module"),
    Entry("row-deletion", "Records are deleted by accident"),
    Entry("archive-gap", "The WAL archive stops in silence"),
    Entry("credential-compromise", "Credentials leak and are used"),
    Entry("ransomware", "Ransomware"),
    Entry("backup-attack", "The backups themselves are attacked"),
    Entry("document-deletion", "Documents or volumes are deleted by accident"),
    Entry("local-storage-corruption", "Local storage is corrupt beyond the database"),
    Entry("configuration-corruption", "Configuration is corrupt"),
    Entry("region-disruption", "A region is away"),
    Entry("network-cut", "The network to the warehouse is cut"),
    Entry("database-contention", "The database is contended in a promotion"),
    Entry("connection-exhaustion", "Database connections run out"),
    Entry("marketplace-backlog", "The marketplace's backlog grows"),
    Entry("partner-outage", "An integration partner is away"),
    Entry("noisy-neighbour", "Another tenant takes what this one needs"),
    Entry("key-person-absent", "Whoever should decide is not there"),
)
"""docs/readiness.md prints both; `tests/readiness` holds every capability to have its line."""

_CLASSES = tuple(e.name for e in COMPONENTS if e.capability == "secrets")
_BREAKS: Mapping[str, tuple[str, ...]] = {
    "node-loss": ("nodes", "node-loss", "application"),
    "page-corruption": ("database-files", "page-corruption"),
    "logical-corruption": (
        "database-content", "logical-corruption", "rushed-release", "row-deletion",
    ),
    "archive-gap": (
        "wal-archive", "archive-gap", "database-content", "logical-corruption", "rushed-release",
        "row-deletion",
    ),
    "credential-compromise": (*_CLASSES, "credential-compromise"),
    "node-drain": ("application",),
    "container-pause": ("application",),
    "container-disconnect": ("application",),
    "ransomware": (
        "ransomware", "backups", "backup-keys", "backup-attack", "filestore", "database-content",
        "clean-room",
    ),
}  # fmt: skip
_NODE_OF = {"primary": "database", "standby": "database-standby"}
_OF_A_NODE = frozenset({"node-loss", "node-drain", "container-pause", "container-disconnect"})
_PODS_OF = {**_NODE_OF, "application": "application"}  # of pod-kill and partition
_COMMAND_OF = {"database-stop": "database"}  # of experiments/command.yaml
ABILITIES = (
    "database.read", "filestore.read", "faults.command", "faults.cluster",
    "faults.container-pause", "faults.container-disconnect",
)  # fmt: skip
"""Capabilities that are no part of a platform, but what it lets a drill do."""


@dataclass(frozen=True, slots=True)
class Covered:
    """`scenarios` break it; the last of their runs that was fit, or "". `leaning`: who uses it."""

    name: str
    title: str
    scenarios: tuple[str, ...]
    last_run: str
    last_utc: str
    last_release: str
    leaning: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """One of drilled, never run (a scenario is there), no drill."""
        return ("drilled" if self.last_run else "never run") if self.scenarios else "no drill"


def breaks(scenario: Scenario) -> frozenset[str]:
    """Names of the catalogue that a scenario's own fault hits."""
    known = {entry.name for entry in (*COMPONENTS, *FAILURE_MODES)}
    fault = scenario.fault
    found = {*_BREAKS.get(fault.experiment, ()), *(scenario.tags & known)}
    if fault.experiment in _OF_A_NODE:
        nodes = [value for name, value in fault.parameters if name == "node"]
        found |= {_NODE_OF[node] for node in nodes if node in _NODE_OF}
    if fault.experiment in {"pod-kill", "partition"}:
        pods = [value for name, value in fault.parameters if name == "pods"]
        found |= {_PODS_OF[part] for part in pods if part in _PODS_OF}
    if fault.experiment == "command":
        given = [value for name, value in fault.parameters if name == "command"]
        found |= {_COMMAND_OF[command] for command in given if command in _COMMAND_OF}
    return frozenset(found)


def covered(
    entries: Sequence[Entry], scenarios: Sequence[Scenario], runs: Sequence[Outcome]
) -> tuple[Covered, ...]:
    """No drill first, then never run, then the longest ago. `runs`: those that were fit."""
    hits = {s.name: breaks(s) for s in scenarios}
    found = []
    for entry in entries:
        names = tuple(s.name for s in scenarios if entry.name in hits[s.name])
        leaning = tuple(
            s.name for s in scenarios if entry.capability in s.requires and s.name not in names
        )
        found.append(_line(entry, names, runs, leaning))
    return tuple(sorted(found, key=lambda c: (bool(c.scenarios), c.last_utc)))


def tenants_covered(
    tenants: Iterable[str], scenarios: Sequence[Scenario], runs: Sequence[Outcome]
) -> tuple[Covered, ...]:
    """Each tenant that the targets name, by the runs that were made with it."""
    known = {s.name for s in scenarios}
    found = []
    for tenant in tenants:
        own = [r for r in runs if r.tenant == tenant and r.scenario in known]
        names = tuple(s.name for s in scenarios if any(r.scenario == s.name for r in own))
        found.append(_line(Entry(tenant, f"Tenant {tenant}"), names, own, ()))
    return tuple(sorted(found, key=lambda c: (bool(c.scenarios), c.last_utc)))


def fit(run: Outcome) -> bool:
    """A run that was not fit to judge has shown nothing, unless it proved a loss."""
    return run.verdict not in {Verdict.INVALID, Verdict.ERROR} or run.proven_loss


def _line(
    entry: Entry, names: tuple[str, ...], runs: Sequence[Outcome], leaning: tuple[str, ...]
) -> Covered:
    of = [r for r in runs if r.scenario in names]
    last = max(of, key=lambda r: (r.begun_utc, r.run_id), default=None)
    if last is None:
        return Covered(entry.name, entry.title, names, "", "", "", leaning)
    return Covered(
        entry.name, entry.title, names, last.run_id, last.begun_utc, last.release, leaning
    )
