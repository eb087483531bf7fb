"""What is kept of an Odoo that is drilled: how it was described, and what it was found to be.

A folder of its own below the state home, 0700: the undo journal lies in it, and with it the
commands that end a fault, whatever becomes of the platform.yaml meanwhile. Passwords are named by
file; the commands stand as they were written, so only their owner may read them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical
from harness.inputs.odoo_file import OdooOptions
from harness.platforms.embedded.layout import state_home, write_durably

FILE = "odoo.json"
FOLDER = "odoo"


@dataclass(frozen=True, slots=True)
class State:
    """One Odoo, as it was when the drill began."""

    options: OdooOptions
    uid: int
    version: int  # the major one
    full_version: str
    stand_in: bool  # peakdrill's own shop, and no Odoo at all
    modules: tuple[str, ...]  # installed ones, of those that the workloads need


def directory_of(options: OdooOptions) -> Path:
    """The same for the same Odoo, whichever file describes it."""
    name = hashlib.sha256(f"{options.url}\n{options.database}".encode()).hexdigest()[:12]
    return state_home() / FOLDER / name


def known() -> tuple[Path, ...]:
    """Folders of every Odoo that a drill has not let go of."""
    return tuple(sorted(file.parent for file in (state_home() / FOLDER).glob(f"*/{FILE}")))


def save(directory: Path, state: State) -> None:
    """On disk when it returns: nothing is broken before that."""
    write_durably(directory / FILE, canonical.dumps(state).decode())


def is_kept(directory: Path) -> bool:
    return (directory / FILE).exists()


def load(directory: Path) -> State:
    """Raises Refused where none is kept."""
    try:
        return canonical.loads(State, directory / FILE)
    except DamagedEvidence as error:
        raise Refused(
            f"no Odoo is kept in {directory}: {error.what}",
            next_step="peakdrill run with --platform platform.yaml",
        ) from error


def forget(directory: Path) -> None:
    """Harmless when it is forgotten. The folder stays: another drill may wait at its lock."""
    (directory / FILE).unlink(missing_ok=True)


def make(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise Refused(f"{directory} cannot be written", next_step="set PEAKDRILL_HOME to a folder")
