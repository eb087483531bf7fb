"""The resident WAL uploader: a segment is archived only when S3 has confirmed it.

Starting an interpreter with an S3 library for each segment takes 0.6 s, and the archive falls
behind under load. Here a small process stays, and PostgreSQL's archive_command is a thin client
(archive_client.py) that asks it. Segments lie as barman-cloud lays them, so its tools read them.

Both database nodes archive (archive_mode=always): a segment that the dead primary had finished
but not yet shipped is then shipped by the standby. The same bytes twice are fine; other bytes
under the same name are refused.

Run as `python -m harness.platforms.embedded.archive CONFIG.json`.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import re
import shlex
import socketserver
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.platforms.embedded import programs
from harness.platforms.embedded.credentials import Secrets, files_of
from harness.platforms.embedded.layout import DATABASE_NODES, Layout, write_private
from harness.platforms.embedded.node import Part, clean_environment
from harness.platforms.embedded.s3 import BUCKET
from harness.platforms.embedded.s3_client import S3Client, S3Error

SERVER = "shop"  # barman's name for the cluster
_NAME = re.compile(r"[0-9A-F]{8}(?:[0-9A-F]{16}(?:\.partial|\.[0-9A-F]{8}\.backup)?|\.history)")
_CLIENT = Path(__file__).with_name("archive_client.py")
_LINE_BYTES = 500


def part(layout: Layout, ports: dict[str, int], secrets: Secrets) -> Part:
    folder = layout.part("archive")
    folder.mkdir(exist_ok=True, mode=0o700)
    configuration = folder / "archive.json"
    settings = {
        "port": ports["archive"],
        "s3_port": ports["s3"],
        "access_key": secrets.s3_archive_key,
        "secret_key": secrets.s3_archive_secret,
        "token": secrets.archive_token,
        "folders": {node: str(layout.pgdata(node) / "pg_wal") for node in DATABASE_NODES},
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
    words = [
        programs.python(), "-I", "-S", str(_CLIENT), str(ports["archive"]),
        str(files_of(layout).archive_token), node,
    ]  # fmt: skip
    return " ".join(shlex.quote(word).replace("%", "%%") for word in words) + " %f"


def key_of(name: str) -> str:
    """Where a segment lies, as barman-cloud lays it."""
    if name.endswith(".history"):
        return f"{SERVER}/wals/{name}.gz"
    return f"{SERVER}/wals/{name[:16]}/{name}.gz"


@dataclass(frozen=True, slots=True)
class Uploader:
    """Ships one segment at a time when asked, and answers `ok` after S3 has confirmed."""

    store: S3Client
    token: str
    folders: dict[str, str]

    def answer(self, line: str) -> str:
        words = line.split()
        if len(words) != 3 or not hmac.compare_digest(words[0], self.token):
            return "refused"
        _, node, name = words
        if node not in self.folders or not _NAME.fullmatch(name):
            return f"no such segment: {name}"
        try:
            return self._ship(Path(self.folders[node]) / name, name)
        except (OSError, S3Error) as error:
            return f"failed: {error}"

    def _ship(self, path: Path, name: str) -> str:
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        there = self.store.head(key_of(name))
        if there is None:
            packed = gzip.compress(content, compresslevel=1, mtime=0)
            self.store.put(key_of(name), packed, metadata={"sha256": digest})
            return "ok"
        same = there.get("x-amz-meta-sha256") == digest
        return "ok" if same else f"{name} lies there with other content"


class _Handler(socketserver.StreamRequestHandler):
    timeout = 10.0

    def handle(self) -> None:
        line = self.rfile.readline(_LINE_BYTES).decode("ascii", "replace")
        server = self.server
        assert isinstance(server, _Server)
        told = server.uploader.answer(line)
        if told != "ok":
            print(told, file=sys.stderr, flush=True)
        self.wfile.write(told.encode() + b"\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, uploader: Uploader) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.uploader = uploader


def main(configuration: str) -> None:
    """Serve until the node ends."""
    settings = json.loads(Path(configuration).read_text(encoding="utf-8"))
    store = S3Client(settings["s3_port"], settings["access_key"], settings["secret_key"], BUCKET)
    uploader = Uploader(store, settings["token"], settings["folders"])
    with _Server(settings["port"], uploader) as server:
        server.serve_forever(poll_interval=60.0)


if __name__ == "__main__":
    main(sys.argv[1])
