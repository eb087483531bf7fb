"""What is kept of somebody's stack while a drill has it: how it was described, what it was found.

A folder of its own below the state home, 0700: the undo journal lies in it. Passwords are named
by file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical
from harness.inputs.own_cluster_file import OwnClusterOptions
from harness.platforms.embedded.layout import state_home, write_durably
from harness.platforms.kubernetes.state import Found
from harness.platforms.odoo.state import State as Application

FILE = "own-cluster.json"
FOLDER = "own-cluster"


@dataclass(frozen=True, slots=True)
class Kept:
    """One stack, as it was when the drill began."""

    options: OwnClusterOptions
    application: Application
    found: Found


def directory_of(options: OwnClusterOptions) -> Path:
    """The same for the same namespace of the same context, whichever file describes it."""
    told = f"{options.context}\n{options.namespace}"
    return state_home() / FOLDER / hashlib.sha256(told.encode()).hexdigest()[:12]


def known() -> tuple[Path, ...]:
    """Folders of every one that a drill has not let go of."""
    return tuple(sorted(file.parent for file in (state_home() / FOLDER).glob(f"*/{FILE}")))


def save(directory: Path, kept: Kept) -> None:
    """On disk when it returns: nothing is broken before that."""
    write_durably(directory / FILE, canonical.dumps(kept).decode())


def load(directory: Path) -> Kept:
    """Raises Refused where none is kept."""
    try:
        return canonical.loads(Kept, directory / FILE)
    except DamagedEvidence as error:
        raise Refused(
            f"no stack of somebody's own is kept in {directory}: {error.what}",
            next_step="peakdrill run with --platform platform.yaml",
        ) from error


def forget(directory: Path) -> None:
    """Harmless when it is forgotten. The folder stays: another drill may wait at its lock."""
    (directory / FILE).unlink(missing_ok=True)
