"""An environment that was left, and one that waits: what the parts inside do of it."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import PlatformError
from harness.platforms.embedded import credentials
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference.audit import SiteLogs, kept_logs
from harness.platforms.reference.inside import agent, evidence, places, reached
from harness.platforms.reference.inside.resident_archive import Resident
from harness.platforms.reference.inside.settings import Settings
from tests.reference.local_site import LocalSite


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    for name, body in (("pgdata/pg_wal/0001", "wal"), ("log/database.log", "said\n"),
                       ("audit/audit-a.jsonl", "{}\n"), ("log/notes.txt", "no log")):  # fmt: skip
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(body)
    return folder


def test_every_file_of_a_volume_by_its_digest(
    volume: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evidence.main(["digests", str(volume)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pgdata/pg_wal/0001"] == hashlib.sha256(b"wal").hexdigest()
    assert len(told) == 4
    assert evidence.main(["digest", str(volume)]) == 1


def test_its_logs_alone_are_copied(
    volume: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert evidence.main(["logs", str(volume)]) == 0
    with tarfile.open(fileobj=io.BytesIO(capsysbinary.readouterr().out)) as archive:
        assert sorted(archive.getnames()) == ["audit/audit-a.jsonl", "log/database.log"]


def settings(data: Path, **told: str) -> Settings:
    data.mkdir(exist_ok=True)
    return Settings({"PEAKDRILL_DATA": str(data), "PEAKDRILL_NAME": "database-0", **told})


def test_it_begins_held_and_archives_nothing_until_it_serves(tmp_path: Path) -> None:
    ours = settings(tmp_path / "data")
    places.await_restore(ours.data)
    assert places.hold(ours.data).asked.exists()
    resident = Resident(ours)
    assert "does not serve yet" in resident.answer("token database-0 000000010000000000000001")
    agent.open_archive(ours)
    agent.open_archive(ours)
    assert "does not serve" not in resident.answer("token database-0 000000010000000000000001")
    places.hold(ours.data).asked.unlink()
    places.await_restore(ours.data)  # started again: it goes on as it was
    assert not places.hold(ours.data).asked.exists()
    assert not places.archive_shut(ours.data).exists()


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_who_answers_from_here(tmp_path: Path, listening: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        silent = closed.getsockname()[1]
    ours = settings(tmp_path / "data", PEAKDRILL_STORE=f"127.0.0.1:{listening}")
    asked = [f"127.0.0.1:{listening}", f"127.0.0.1:{silent}", "nobody.invalid:1"]
    assert reached.reached(ours, [], {"addresses": asked}) == {
        "reached": [f"127.0.0.1:{listening}"],
        "store": True,
    }
    with pytest.raises(PlatformError, match="wants addresses"):
        reached.reached(ours, [], {})


def test_the_audit_goes_on_reading_what_was_left(tmp_path: Path) -> None:
    """Under the names that the logs had; what the new environment writes bears its own."""
    old, new = Layout(tmp_path / "p"), Layout(tmp_path / "p", "clean-1")
    for layout in (old, new):
        layout.make()
        credentials.generate(layout)
    site = LocalSite(tmp_path)
    (tmp_path / "filestore" / "audit").mkdir(parents=True)
    for member in ("database-0", "database-1"):
        (tmp_path / member / "log").mkdir(parents=True)
        (tmp_path / member / "log" / "database.log").write_text("marked one\n")
    before = SiteLogs(old, site).heads(None)
    kept = kept_logs(new) / "database-0" / "database.log"
    kept.parent.mkdir(parents=True)
    kept.write_text("marked one\nand another\n")
    logs = SiteLogs(new, site)
    now = logs.heads({"database-0/database.log": 1, "clean-1/database-1/database.log": 0})
    assert now["database-0/database.log"] == before["database-0/database.log"]
    assert now["clean-1/database-1/database.log"][0] == 0
    assert len(list(logs.of_databases("marked"))) == 3
    assert "database-0/database.log" not in SiteLogs(new, site)._sessions()
