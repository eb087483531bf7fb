"""What is kept of a platform of containers: enough for every later command to find it.

A folder of its own below the state home, 0700. It is there before the first container is, so that
whatever a crash leaves can be told from somebody else's, and cleared.
"""

from __future__ import annotations

import os
import secrets as random_words
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DamagedEvidence, PeakdrillError, Refused
from harness.evidence import canonical
from harness.inputs.containers_file import ContainersOptions
from harness.platforms.embedded.layout import Layout, Options, boot_id, state_home, write_atomically
from harness.platforms.embedded.process import ProcessId, identify, is_alive
from harness.platforms.reference.ports import Ports

FOLDER = "containers"
STARTING, UP = "starting", "up"


@dataclass(frozen=True, slots=True)
class State:
    """Holds no secret."""

    platform_id: str
    boot_id: str
    starter_pid: int
    starter_ticks: int
    phase: str  # starting | up
    options: ContainersOptions
    ports: Ports
    versions: tuple[tuple[str, str], ...] = ()  # image by part, with its digest
    backup_id: str = ""  # the newest gated base backup
    environment: str = ""  # which one serves: "" the original

    @property
    def asked(self) -> Options:
        """As the capabilities of the reference stack ask for it."""
        options = self.options
        return Options(options.synchronous, options.dialect, options.leader_ttl_s)

    @property
    def starter(self) -> str:
        return f"{self.boot_id} {self.starter_pid} {self.starter_ticks}"


def new_layout() -> Layout:
    return Layout(state_home() / FOLDER / random_words.token_hex(4))


def layout_of(directory: Path) -> Layout:
    return Layout(directory.absolute())


def make(layout: Layout) -> None:
    """The folders, for their owner alone."""
    layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in (layout.undo, layout.logs, layout.secrets, mounted(layout)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def mounted(layout: Layout) -> Path:
    """What containers see of this machine's files; nobody else of this machine can."""
    return layout.home / "mounted"


def claimed(layout: Layout, options: ContainersOptions, ports: Ports) -> State:
    """From here on the folder says whose it is."""
    us = identify(os.getpid())
    state = State(
        platform_id=layout.root.name,
        boot_id=boot_id(),
        starter_pid=os.getpid(),
        starter_ticks=us.start_ticks if us else 0,
        phase=STARTING,
        options=options,
        ports=ports,
    )
    save(layout, state)
    return state


def read_ports(file: Path) -> Ports:
    return canonical.loads(Ports, file)


def write_ports(file: Path, ports: Ports) -> None:
    write_atomically(file, canonical.dumps(ports).decode())


def save(layout: Layout, state: State) -> None:
    write_atomically(layout.state_file, canonical.dumps(state).decode())


def load(layout: Layout) -> State:
    """Raises Refused where none of this version is kept."""
    try:
        return canonical.loads(State, layout.state_file)
    except DamagedEvidence as error:
        raise Refused(
            f"no platform of containers is kept in {layout.root}: {error.what}",
            next_step="peakdrill platform down, then up",
        ) from error


def serving(layout: Layout) -> Layout:
    """Of the environment that serves."""
    return Layout(layout.root, load(layout).environment)


def known() -> tuple[tuple[Layout, State | None], ...]:
    """Every folder that a start has claimed; None for the state of one that cannot be read."""
    folder = state_home() / FOLDER
    places = sorted(path for path in folder.glob("*") if path.is_dir())
    return tuple((Layout(place), _readable(Layout(place))) for place in places)


def starter_lives(state: State) -> bool:
    return state.boot_id == boot_id() and is_alive(
        ProcessId(state.starter_pid, state.starter_ticks)
    )


def _readable(layout: Layout) -> State | None:
    try:
        return load(layout)
    except PeakdrillError:
        return None
