"""The resident archive: WAL is archived only when S3 has confirmed it; documents are mirrored.

Starting an interpreter with an S3 library for each segment takes 0.6 s, and the archive falls
behind under load. Here a small process stays, and PostgreSQL's archive_command is a thin client
(archive_client.py) that asks it. Segments lie where barman-cloud puts them, but sealed with the
backup key: what a thief of the writer's S3 key reads is noise, and what he puts there is refused.

Both database nodes archive (archive_mode=always): a segment that the dead primary had finished
but not yet shipped is then shipped by the standby. The same bytes twice are fine; other bytes
under the same name are refused. The databases' heartbeat is here as well: what it makes up for is
the switch of an idle segment.

Run as `python -m harness.platforms.embedded.archive CONFIG.json`. The configuration is read anew
when it changes, so a rotated S3 key costs no segment.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import re
import shlex
import sys
import threading
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import backup_key, heartbeat, mirror, programs, sealing, strongbox
from harness.platforms.embedded.credentials import Secrets, files_of
from harness.platforms.embedded.layout import DATABASE_NODES, Layout, write_private
from harness.platforms.embedded.line_server import LineServer
from harness.platforms.embedded.node import Part, clean_environment
from harness.platforms.embedded.s3 import BUCKET
from harness.platforms.embedded.s3_client import S3Client, S3Error

SERVER = "shop"  # barman's name for the cluster
FOLDER = f"{SERVER}/wals/"
CLIENT = Path(__file__).with_name("archive_client.py")
_SUFFIX = ".gz.sealed"
_NAME = re.compile(r"[0-9A-F]{8}(?:[0-9A-F]{16}(?:\.partial|\.[0-9A-F]{8}\.backup)?|\.history)")


def part(layout: Layout, ports: dict[str, int], secrets: Secrets) -> Part:
    """Writes the configuration, which the running process reads when it changes."""
    from harness.platforms.embedded.postgres import DATABASE  # drags psycopg in: not over there

    folder = layout.part("archive")
    folder.mkdir(exist_ok=True, mode=0o700)
    backup_key.make(layout)
    configuration = folder / "archive.json"
    settings = {
        "port": ports["archive"],
        "s3_port": ports["s3"],
        "access_key": secrets.s3_archive_key,
        "secret_key": secrets.s3_archive_secret,
        "token": secrets.archive_token,
        "root": str(layout.root),
        "environment": layout.environment,
        "documents": str(layout.filestore / DATABASE),
        "databases": [ports[f"pg_{node}"] for node in DATABASE_NODES],
    }
    write_private(configuration, json.dumps(settings))
    return Part(
        name="archive",
        argv=[programs.python(), "-m", "harness.platforms.embedded.archive", str(configuration)],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(layout.logs / "archive.log"),
    )


def command(layout: Layout, ports: dict[str, int], node: str) -> str:
    """PostgreSQL's archive_command. The token is named by its file."""
    return f"{asking(ports['archive'], files_of(layout).archive_token)} {node} %f"


def asking(port: int, token_file: Path) -> str:
    """How archive_client.py is called, as PostgreSQL's configuration has it, before its subject."""
    words = [programs.python(), "-I", "-S", str(CLIENT), str(port), str(token_file)]
    return " ".join(shlex.quote(word).replace("%", "%%") for word in words)


def wrong_key_file(layout: Layout) -> Path:
    """A fault: while it is there, the uploader signs with a key that S3 does not know.

    And it takes S3's refusal for an answer, as a script does whose last command is `logger`:
    PostgreSQL hears `ok`, and S3 has nothing.
    """
    return layout.part("archive") / "wrong-key"


def key_of(name: str) -> str:
    """Where a segment lies."""
    if name.endswith(".history"):
        return f"{FOLDER}{name}{_SUFFIX}"
    return f"{FOLDER}{name[:16]}/{name}{_SUFFIX}"


def name_of(key: str) -> str:
    """The segment that lies there."""
    return key.rpartition("/")[2].removesuffix(_SUFFIX)


@dataclass(frozen=True, slots=True, repr=False)
class Uploader:
    """Ships one segment at a time when asked, and answers `ok` after S3 has confirmed."""

    store: S3Client
    key: bytes
    token: str
    folders: dict[str, Path]
    wrong_key: Path

    def answer(self, line: str) -> str:
        words = line.split()
        if len(words) != 3 or not hmac.compare_digest(words[0], self.token):
            return "refused"
        _, node, name = words
        if node not in self.folders or not _NAME.fullmatch(name):
            return f"no such segment: {name}"
        try:
            return self._ship(self.folders[node] / name, name)
        except (OSError, S3Error) as error:
            return "ok" if self.wrong_key.exists() else f"failed: {error}"

    def _ship(self, path: Path, name: str) -> str:
        content = path.read_bytes()
        store, key = self._store_now(), key_of(name)
        digest = hashlib.sha256(content).hexdigest()
        there = store.head(key)
        if there is not None and there.get("x-amz-meta-sha256") == digest:
            return "ok"
        if there is not None and (ours := self._lies_there(store, key)) is not None:
            return "ok" if ours == content else f"{name} lies there with other content"
        sealed = sealing.seal(gzip.compress(content, 1, mtime=0), self.key, key)
        store.put(key, sealed, metadata={"sha256": digest})
        return "ok"

    def _lies_there(self, store: S3Client, key: str) -> bytes | None:
        """What we archived; somebody else's bytes under that name do not count."""
        packed = strongbox.open_oldest(store, self.key, strongbox.by_key(store, key).get(key, ()))
        return None if packed is None else gzip.decompress(packed)

    def _store_now(self) -> S3Client:
        if self.wrong_key.exists():
            return replace(self.store, secret_key="not the key")  # noqa: S106  that is the fault
        return self.store


class Service:
    """What the configuration says now: an uploader, and a mirror of the documents."""

    def __init__(self, configuration: Path) -> None:
        self._file = configuration
        self._read_at = 0
        self._lock = threading.Lock()
        self._load()

    def uploader(self) -> Uploader:
        with self._lock:
            if self._file.stat().st_mtime_ns != self._read_at:
                self._load()
            return self._uploader

    def _load(self) -> None:
        changed_at = self._file.stat().st_mtime_ns
        raw = json.loads(self._file.read_text(encoding="utf-8"))
        layout = Layout(Path(raw["root"]), raw["environment"])
        self.port, self.documents = int(raw["port"]), Path(raw["documents"])
        self.databases, self.superuser_pass = raw["databases"], files_of(layout).superuser_pass
        self._uploader = Uploader(
            store=S3Client(raw["s3_port"], raw["access_key"], raw["secret_key"], BUCKET),
            key=backup_key.load(layout).key,
            token=raw["token"],
            folders={node: layout.pgdata(node) / "pg_wal" for node in DATABASE_NODES},
            wrong_key=wrong_key_file(layout),
        )
        self._read_at = changed_at

    def answer(self, line: str) -> str:
        try:
            return self.uploader().answer(line)
        except (OSError, ValueError, PlatformError) as error:  # half written: the next try reads it
            return f"failed: {error}"


def heartbeats(service: Service) -> tuple[heartbeat.Heartbeat, ...]:
    """One a database, since one that hangs must not keep the other from beating."""
    passfile = str(service.superuser_pass)
    return tuple(
        heartbeat.Heartbeat(partial(heartbeat.connected, port, passfile=passfile))
        for port in service.databases
    )


def main(configuration: str) -> None:
    """Serve until the node ends."""
    service = Service(Path(configuration))
    with LineServer(service.port, lambda line: told(service.answer(line))) as server:
        documents = mirror.Mirror(service.documents, lambda: service.uploader().store)
        for work in (documents.run, *(beat.run for beat in heartbeats(service))):
            threading.Thread(target=work, daemon=True).start()
        server.serve_forever(poll_interval=60.0)


def told(answer: str) -> str:
    """The same; whatever is not `ok` stands in our log, too."""
    if answer != "ok":
        print(answer, file=sys.stderr, flush=True)
    return answer


if __name__ == "__main__":
    main(sys.argv[1])
