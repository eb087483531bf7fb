"""Where a platform keeps its things, and what was asked of it.

One folder holds everything that lives as long as the platform; `down` removes it. Nothing is
global: PEAKDRILL_HOME separates two people, two tests, two checkouts.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import Refused

STATE_FILE = "platform.json"
FORMAT = 1
DATABASE_NODES = ("a", "b")
SUPPORT_NODE = "c"
ALL_NODES = (*DATABASE_NODES, SUPPORT_NODE)


def state_home() -> Path:
    """$PEAKDRILL_HOME, else $XDG_STATE_HOME/peakdrill, else ~/.local/state/peakdrill."""
    own = os.environ.get("PEAKDRILL_HOME")
    if own:
        return Path(own).absolute()
    return _xdg("XDG_STATE_HOME", ".local/state") / "peakdrill"


def cache_home() -> Path:
    """Where snapshots lie. Beside the state where the home directory cannot be written."""
    cache = _xdg("XDG_CACHE_HOME", ".cache") / "peakdrill"
    try:
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return state_home() / "cache"
    return cache if os.access(cache, os.W_OK | os.X_OK) else state_home() / "cache"


def _xdg(name: str, default: str) -> Path:
    folder = os.environ.get(name, "")
    return Path(folder) if folder.startswith("/") else Path.home() / default


LEADER_TTL_S = 20  # Patroni's ttl at its own floor: how long a dead leader holds the lock


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for at `up`."""

    synchronous: bool = True
    dialect: int = 19
    leader_ttl_s: int = LEADER_TTL_S


@dataclass(frozen=True, slots=True)
class State:
    """What every later command needs to find the platform again. Holds no secret."""

    platform_id: str
    boot_id: str
    starter_pid: int
    starter_ticks: int
    phase: str  # starting | up
    options: Options
    ports: dict[str, int]
    backup_id: str = ""
    environment: str = ""  # which one serves: "" the original


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one platform, as its serving environment has them.

    `environment` is "" for the original one. A clean room has folders, nodes and secrets of its
    own below the same root; only state, undo journal and logs are the platform's.
    """

    root: Path
    environment: str = ""

    @property
    def home(self) -> Path:
        return self.root / self.environment if self.environment else self.root

    @property
    def state_file(self) -> Path:
        return self.root / STATE_FILE

    @property
    def undo(self) -> Path:
        return self.root / "undo"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @property
    def filestore(self) -> Path:
        return self.home / "filestore"

    @property
    def backup(self) -> Path:
        """The copy of the base backup that goes to S3."""
        return self.home / "backup"

    def node(self, name: str) -> Path:
        return self.home / "nodes" / name

    def part(self, name: str) -> Path:
        """Data of a part of the support node."""
        return self.node(SUPPORT_NODE) / name

    def gate(self, node: str, name: str) -> Path:
        """A file that a part of the node waits for."""
        return self.node(node) / f"go-{name}"

    def pgdata(self, node: str) -> Path:
        return self.node(node) / "pgdata"

    def make(self) -> None:
        """Create the folders, readable by their owner alone."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        nodes = [self.node(name) for name in ALL_NODES]
        parts = [self.part(name) for name in ("etcd", "s3", "valkey", "ingress", "partners")]
        for folder in (self.undo, self.logs, self.secrets, self.filestore, *nodes, *parts):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def save_state(layout: Layout, state: State) -> None:
    write_atomically(layout.state_file, json.dumps({"format": FORMAT, **asdict(state)}, indent=1))


def load_state(layout: Layout) -> State:
    """Raises Refused where no platform of this version lives."""
    try:
        raw = json.loads(layout.state_file.read_text(encoding="utf-8"))
        if raw.pop("format") != FORMAT:
            raise Refused(
                f"{layout.root} was made by another version of peakdrill",
                next_step="end it with that version, or delete the folder",
            )
        raw["options"] = Options(**raw["options"])
        return State(**raw)
    except FileNotFoundError as error:
        raise Refused(
            f"no embedded platform in {layout.root}", next_step="peakdrill platform up"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            f"{layout.state_file} is damaged ({error})", next_step="peakdrill platform down"
        ) from error


def write_atomically(path: Path, text: str) -> None:
    """Readers see the old or the new text; both are for their owner alone."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    write_private(unfinished, text)
    unfinished.replace(path)


def write_private(path: Path, text: str) -> None:
    """A file of mode 0600 from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def write_durably(path: Path, text: str) -> None:
    """Private, whole or not at all, and on disk when it returns."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    write_private(unfinished, text)
    for synced in (unfinished, path.parent):
        descriptor = os.open(synced, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    unfinished.replace(path)


def boot_id() -> str:
    """Names this boot of the machine: no process survives another one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
