"""What later commands need to find a stack again: which cluster, where in it, how it was asked for.

A folder of its own below the state home, 0700. What every reference stack keeps (ports, phase,
the newest backup) is in the same file as on the embedded platform; what only a cluster has is
beside it. Secrets lie in files of their own.
"""

from __future__ import annotations

import os
import secrets as random_words
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical
from harness.inputs.kubernetes_file import KIND, KubernetesOptions
from harness.platforms.embedded.layout import (
    Layout,
    Options,
    State,
    boot_id,
    load_state,
    save_state,
    state_home,
    write_private,
)
from harness.platforms.embedded.process import ProcessId, identify, is_alive
from harness.platforms.kubernetes.where import Where
from harness.platforms.reference.ports import Ports

FILE = "kubernetes.json"
LABEL = "peakdrill.dev/platform"
STARTING, UP = "starting", "up"


@dataclass(frozen=True, slots=True)
class Found:
    """What the cluster was found to be when the stack was brought to it."""

    where: Where
    versions: tuple[tuple[str, str], ...]
    lease_renewal_s: float
    nodes: int


@dataclass(frozen=True, slots=True)
class Kept:
    """One stack: what was asked for, and of which cluster."""

    platform_id: str
    options: KubernetesOptions
    found: Found
    brought_by: str = ""  # who brought it from elsewhere: it is not ours to take away
    place: str = ""  # ours among those who took it up

    @property
    def owner(self) -> str:
        """Of undo leases: those of a drill that lives elsewhere are not ours to play."""
        return f"{self.platform_id}-{self.place}" if self.place else self.platform_id

    def tenant(self, environment: str) -> str:
        """The namespace of an environment: "" the original."""
        return f"{self.options.namespace}-{environment}" if environment else self.options.namespace

    @property
    def selector(self) -> str:
        return f"{LABEL}={self.platform_id}"

    @property
    def ports(self) -> Ports:
        return Ports(**dict(self.options.node_ports))


def new_folder() -> Path:
    return state_home() / KIND / f"{KIND}-{random_words.token_hex(3)}"


def claim(layout: Layout, kept: Kept) -> State:
    """From here on the folder says whose it is: a crash leaves nothing that nobody clears."""
    layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in (layout.undo, layout.logs, layout.secrets):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    keep(layout, kept)
    us, options = identify(os.getpid()), kept.options
    state = State(
        platform_id=kept.platform_id,
        boot_id=boot_id(),
        starter_pid=os.getpid(),
        starter_ticks=us.start_ticks if us else 0,
        phase=STARTING,
        options=Options(options.synchronous, options.dialect, options.leader_ttl_s),
        ports=kept.ports.named(),
    )
    save_state(layout, state)
    return state


def keep(layout: Layout, kept: Kept) -> None:
    unfinished = layout.root / f".{FILE}.{os.getpid()}"
    write_private(unfinished, canonical.dumps(kept).decode())
    unfinished.replace(layout.root / FILE)


def load(root: Path) -> tuple[Kept, State]:
    """Raises Refused where no stack is kept."""
    try:
        kept = canonical.loads(Kept, root / FILE)
    except DamagedEvidence as error:
        raise Refused(
            f"no stack of a cluster is kept in {root}: {error.what}",
            next_step="peakdrill platform up --on kubernetes",
        ) from error
    return kept, load_state(Layout(root))


def known() -> tuple[tuple[Layout, Kept, State], ...]:
    """Every stack that was brought to some cluster and not taken away."""
    found = []
    for file in sorted((state_home() / KIND).glob(f"*/{FILE}")):
        with suppress(Refused):
            found.append((Layout(file.parent), *load(file.parent)))
    return tuple(found)


def is_being_started(state: State) -> bool:
    """By a process that lives."""
    if state.phase != STARTING or state.boot_id != boot_id():
        return False
    return is_alive(ProcessId(state.starter_pid, state.starter_ticks))
