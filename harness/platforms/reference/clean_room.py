"""The capability `clean-room` of a reference stack: the same for pods and for containers.

A second environment beside the first, behind the same doors: new credentials, volumes and member
ports. Its databases begin held; what they get comes from the store alone. What it archives reaches
the store when it serves, not before, so that a restore finds the archive as it was and may be
repeated after any death: the candidate is on disk before anything of it runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import PlatformError
from harness.platforms.capabilities import Restored, Wanted
from harness.platforms.embedded import (
    backup_key,
    credentials,
    forensics,
    postgres,
    s3,
    seating,
    store_ready,
)
from harness.platforms.embedded.layout import Layout, write_atomically
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.reference import looking, member_agent
from harness.platforms.reference.audit import kept_logs
from harness.platforms.reference.backups import ReferenceBackups
from harness.platforms.reference.components import SiteReplica
from harness.platforms.reference.database import database
from harness.platforms.reference.filestore import filestore
from harness.platforms.reference.inside import evidence
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.rooms import CLEAN, MOUNTED, VOLUMES, Rooms
from harness.platforms.reference.site import APPLICATION, MEMBERS, Site

_CANDIDATE = "clean-room.json"
_VOLUMES = "volumes/"  # before the names of what is not in the platform's folder
_REPLICAS = 2
_DIGEST_S, _LOGS_S, _SERVES_S, _STORE_S = 120.0, 60.0, 90.0, 60.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """The environment that is being prepared, or that serves already."""

    name: str
    first_ports: dict[str, int]  # of the original
    ports: dict[str, int]  # {} while they are not known
    restored: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ReferenceCleanRoom:
    """Beside the environment that serves; `enter` makes it the one that does."""

    rooms: Rooms

    def name(self) -> str:
        """Of the environment that serves: "" the original, else "clean-1"."""
        return self.rooms.serving().environment

    def preserve(self, into: Path) -> tuple[tuple[str, str], ...]:
        """Take over the queue's orders, end the old environment, and digest its volumes."""
        base, serving = self.rooms.base, self.rooms.serving()
        _refuse_a_second(serving.environment)
        into.mkdir(mode=0o700, exist_ok=True)
        site = self.rooms.site("", serving.ports)
        if not (into / forensics.QUEUE).exists():
            port = self.rooms.queue_port("", serving.ports)
            forensics.take_over_queue(port, credentials.load(base).valkey, into)
        looking.keep_output(site, kept_logs(base) / "output")
        self.rooms.stand_still()
        self._keep_logs(kept_logs(base))
        volumes = self._in_volumes()
        _refuse_gaps(volumes, kept_logs(base))
        found = {**volumes, **forensics.strictly(base.root, self._kept_here())}
        return forensics.listed(found, into)

    def preserved(self, names: Sequence[str]) -> Mapping[str, str]:
        """Those of the volumes are asked of a container that mounts them once more."""
        root = self.rooms.base.root
        here = [root / name for name in names if not name.startswith(_VOLUMES)]
        found = forensics.digests(root, here)
        return {**found, **(self._in_volumes() if len(here) < len(names) else {})}

    def prepare(self) -> str:
        """New parts, credentials and volumes; the databases are held, nothing serves yet."""
        made = self._candidate() or self._new_candidate()
        if self.name() == made.name:
            return made.name
        ports = self.rooms.furnish(made.name)
        self._save(replace(made, ports=ports.named()))
        site = self.rooms.site(made.name, ports)
        known = credentials.load(Layout(self.rooms.base.root, made.name))
        store = s3.archivist(ports.named(), known)
        await_ready(
            "the store that was started anew", lambda: store_ready.gives(store), within_s=_STORE_S,
            poll_s=0.5, next_step="see the store's logs",
        )  # fmt: skip
        for member in MEMBERS:
            if not member_agent.is_held(site, member):
                raise PlatformError(f"{member} of {made.name} is not held: it may not start empty")
        return made.name

    def restore(self, backup_id: str, wanted: Wanted) -> Restored:
        """Documents, orders, database, log-ins: from the store and what was taken over."""
        made = self._expected()
        if self.name() == made.name and made.restored is not None:
            return Restored(**made.restored)
        layout, ports, site = self._place(made)
        serving, known = self.rooms.serving(), credentials.load(layout)
        seating.documents(filestore(layout, ports, site))
        queue = self.rooms.queue_port(made.name, ports)
        forensics.hand_over_queue(self._forensics, queue, known.valkey)
        backups = ReferenceBackups(layout, ports, serving.options, site, lambda _: None)
        key = backup_key.load(self.rooms.base).key
        restored = backups.rebuild(key, backup_id, wanted)
        leader = database(layout, ports, serving.options, site).leader()
        if leader is None:
            raise PlatformError("the restored database does not lead any more")
        files = credentials.files_of(layout)
        seating.forget_log_ins(ports.pg(site.member_of(leader)), files)
        backups.install()
        self._save(replace(made, restored=asdict(restored)))
        return restored

    def enter(self) -> None:
        """From now on the platform is the clean environment. Doors stay as they are."""
        made = self._expected()
        if made.restored is None:
            raise PlatformError(f"nothing was restored into {made.name}", next_step="restore first")
        layout, ports, site = self._place(made)
        await_ready(
            f"the replicas of {made.name}", lambda: _all_serve(site), within_s=_SERVES_S,
            poll_s=0.5, next_step="see the replicas' logs",
        )  # fmt: skip
        self.rooms.lead(made.name)
        credentials.write_for_clients(self.rooms.base, credentials.load(layout))
        self.rooms.become(made.name, ports, str(made.restored["backup_id"]))
        for member in MEMBERS:
            member_agent.open_archive(site, member)

    def shared(self) -> tuple[str, ...]:
        """Secrets, volumes, containers, networks and ports of both; and who reaches whom."""
        made = self._expected()
        layout, ports, site = self._place(made)
        before, now = asdict(credentials.load(self.rooms.base)), asdict(credentials.load(layout))
        found = [f"the secret {name}" for name, word in now.items() if word in before.values()]
        found += looking.ports_in_common(Ports.of(made.first_ports), ports)
        found += self.rooms.shared(made.name)
        found += looking.reached(site, self.rooms.addresses(""))
        return tuple(found)

    def inside(self, credential: str) -> str:
        """Where a class of credentials is used in the prepared environment, doors or not."""
        made = self._expected()
        _, ports, _ = self._place(made)
        hosts = ",".join("127.0.0.1" for _ in MEMBERS)
        numbers = ",".join(str(ports.pg(member)) for member in MEMBERS)
        if credential == "database-role":
            base = f"host={hosts} port={numbers} dbname={postgres.DATABASE}"
            return f"{base} target_session_attrs=read-write"
        if credential == "backup-writer":
            return f"{s3.url(ports.named())}/{s3.BUCKET}"
        if credential == "queue":
            return f"redis://127.0.0.1:{self.rooms.queue_port(made.name, ports)}/0"
        return f"http://127.0.0.1:{self.rooms.application_port(made.name, ports)}"

    # what is left behind

    @property
    def _forensics(self) -> Path:
        return self.rooms.base.root / forensics.FOLDER

    def _in_volumes(self) -> dict[str, str]:
        """SHA-256 of every file of the old volumes. Raises PlatformError."""
        with ThreadPoolExecutor(max_workers=len(VOLUMES)) as pool:
            found = list(pool.map(self._in_volume, VOLUMES))
        return {name: digest for digests in found for name, digest in digests.items()}

    def _in_volume(self, volume: str) -> dict[str, str]:
        words = (*evidence.WORDS, "digests", MOUNTED)
        answer = self.rooms.look_into(volume, words, within_s=_DIGEST_S)
        try:
            told = json.loads(answer)
            return {f"{_VOLUMES}{volume}/{name}": str(sha) for name, sha in told.items()}
        except (ValueError, AttributeError) as error:
            raise PlatformError(f"what volume {volume} holds cannot be understood") from error

    def _keep_logs(self, into: Path) -> None:
        """Copied to this side: audits go on reading them when nothing of the old runs."""
        for volume in VOLUMES:
            words = (*evidence.WORDS, "logs", MOUNTED)
            answer = self.rooms.look_into(volume, words, within_s=_LOGS_S)
            folder = into / volume if volume in MEMBERS else into
            looking.unpack_logs(answer, folder)

    def _kept_here(self) -> list[Path]:
        """Logs and orders: the manifest itself is not among them."""
        files = forensics.files_in(self._forensics)
        return [file for file in files if file.name != forensics.MANIFEST]

    # the candidate on disk

    def _candidate(self) -> Candidate | None:
        file = self.rooms.base.root / _CANDIDATE
        if not file.exists():
            return None
        try:
            return Candidate(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise PlatformError(f"{file} is damaged: {type(error).__name__}") from error

    def _expected(self) -> Candidate:
        made = self._candidate()
        if made is None or not made.ports:
            raise PlatformError("no clean environment was prepared", next_step="prepare one first")
        return made

    def _new_candidate(self) -> Candidate:
        """Its secrets are on disk before it is."""
        base, serving = self.rooms.base, self.rooms.serving()
        _refuse_a_second(serving.environment)
        layout = Layout(base.root, CLEAN)
        for folder in (layout.secrets, layout.logs):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        credentials.generate(layout)
        backup_key.make(layout)
        made = Candidate(CLEAN, serving.ports.named(), {})
        self._save(made)
        return made

    def _save(self, made: Candidate) -> None:
        file = self.rooms.base.root / _CANDIDATE
        write_atomically(file, json.dumps(asdict(made), indent=1))

    def _place(self, made: Candidate) -> tuple[Layout, Ports, Site]:
        ports = Ports.of(made.ports)
        layout = Layout(self.rooms.base.root, made.name)
        return layout, ports, self.rooms.site(made.name, ports)


def _all_serve(site: Site) -> bool:
    names = site.replicas(APPLICATION)
    return len(names) >= _REPLICAS and all(SiteReplica(site, name).serves() for name in names)


def _refuse_gaps(found: Mapping[str, str], logs: Path) -> None:
    """A volume that was made anew is empty, and an audit would take a lacking log for silence."""
    for member in MEMBERS:
        if not any(name.startswith(f"{_VOLUMES}{member}/") for name in found):
            raise PlatformError(f"the volume of {member} is empty: it is not what was left behind")
        if not (logs / member / "database.log").is_file():
            raise PlatformError(f"the log of {member} is not in its volume: it cannot be preserved")


def _refuse_a_second(environment: str) -> None:
    if environment:
        raise PlatformError(
            "this platform lives in a clean environment already",
            next_step="peakdrill platform down, then up: one clean room a platform",
        )
