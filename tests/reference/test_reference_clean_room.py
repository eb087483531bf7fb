"""The clean room of a reference stack, with rooms that only write down what they are asked."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pytest

from harness.errors import PlatformError
from harness.platforms.capabilities import Restored, Wanted
from harness.platforms.embedded import backup_key, credentials, forensics, seating, store_ready
from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.reference import clean_room
from harness.platforms.reference.backups import ReferenceBackups
from harness.platforms.reference.clean_room import ReferenceCleanRoom
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.rooms import VOLUMES, Serving
from tests.reference.local_site import LocalSite

FIRST = Ports(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
SECOND = replace(FIRST, pg_0=21, pg_1=22, patroni_0=23, patroni_1=24, queue=30, application=31)
RESTORED = Restored("20260101T000000", "2026-11-28T00:00:00.000000+00:00", True, "well")


@dataclass
class Rooms:
    """Keeps what it was asked, in its order."""

    base: Layout
    asked: list[str] = field(default_factory=list)
    held: bool = True
    serves: Serving = field(default_factory=lambda: Serving("", FIRST, Options()))
    in_common: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    sees_store: bool = True
    kept: dict[str, bytes] = field(default_factory=lambda: {"pgdata/pg_wal/0001": b"as it was"})

    def serving(self) -> Serving:
        return self.serves

    def site(self, environment: str, _ports: Ports) -> LocalSite:
        def answer(part: str, words: Sequence[str], _stdin: bytes) -> bytes:
            word = words[3]
            self.asked.append(f"{environment or 'old'}: {part} {word}")
            told = {
                "held": {"held": self.held},
                "asked": {"answer": True},
                "reached": {"reached": list(self.reached), "store": self.sees_store},
            }
            return json.dumps(told.get(word, {})).encode()

        return LocalSite(self.base.root, answer=answer)

    def queue_port(self, _environment: str, ports: Ports) -> int:
        return ports.queue

    def application_port(self, _environment: str, ports: Ports) -> int:
        return ports.application

    def stand_still(self) -> None:
        self.asked.append("stand still")

    def look_into(self, volume: str, words: Sequence[str], *, within_s: float) -> bytes:
        assert within_s > 0
        self.asked.append(f"{words[3]} of {volume}")
        if words[3] == "digests":
            found = {name: sha(body) for name, body in self.kept.items()}
            return json.dumps(found).encode()
        name = "log/database.log" if volume.startswith("database") else "audit/audit-a.jsonl"
        return tar_of(name, f"log of {volume}\n".encode())

    def furnish(self, environment: str) -> Ports:
        self.asked.append(f"furnish {environment}")
        assert (self.base.root / "clean-room.json").exists(), "on disk before anything runs"
        return SECOND

    def lead(self, environment: str) -> None:
        self.asked.append(f"lead {environment}")

    def become(self, environment: str, ports: Ports, backup_id: str) -> None:
        self.asked.append(f"become {environment} {backup_id}")
        self.serves = Serving(environment, ports, Options())

    def addresses(self, _environment: str) -> tuple[str, ...]:
        return ("database-0.old:5432",)

    def shared(self, _environment: str) -> tuple[str, ...]:
        return self.in_common


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def tar_of(name: str, body: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(body)
        archive.addfile(entry, io.BytesIO(body))
    return stream.getvalue()


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    base = Layout(tmp_path / "platform")
    base.make()
    credentials.generate(base)
    backup_key.make(base)
    return Rooms(base)


@pytest.fixture
def room(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> ReferenceCleanRoom:
    """Databases, documents and queues are others' tests."""

    def taken(port: int, password: str, into: Path) -> int:
        assert password == credentials.load(rooms.base).valkey
        rooms.asked.append(f"take over the queue at {port}")
        (into / forensics.QUEUE).write_text("")
        return 0

    def rebuilt(backups: ReferenceBackups, key: bytes, backup_id: str, wanted: Wanted) -> Restored:
        assert key == backup_key.load(rooms.base).key, "it was sealed with the old key"
        assert backups.layout.environment == "clean-1"
        rooms.asked.append(f"rebuild {backup_id} before {wanted.before_xid}")
        return RESTORED

    class Leader:
        def leader(self) -> str:
            return "left"

    note = rooms.asked.append
    monkeypatch.setattr(forensics, "take_over_queue", taken)
    monkeypatch.setattr(forensics, "hand_over_queue", lambda _, port, __: note(f"hand over {port}"))
    monkeypatch.setattr(ReferenceBackups, "rebuild", rebuilt)
    monkeypatch.setattr(store_ready, "gives", lambda _: True)
    monkeypatch.setattr(clean_room, "database", lambda *_: Leader())
    monkeypatch.setattr(seating, "documents", lambda _: note("documents"))
    monkeypatch.setattr(
        seating, "forget_log_ins", lambda port, _: note(f"forget log-ins at {port}")
    )
    return ReferenceCleanRoom(rooms)


def entered(room: ReferenceCleanRoom) -> None:
    room.prepare()
    room.restore(RESTORED.backup_id, Wanted(before_xid=7))
    room.enter()


def test_what_is_left_is_kept_and_named(room: ReferenceCleanRoom, rooms: Rooms) -> None:
    into = rooms.base.root / "forensics"
    listed = dict(room.preserve(into))
    assert rooms.asked[:2] == ["take over the queue at 10", "stand still"]
    assert listed["volumes/database-1/pgdata/pg_wal/0001"] == sha(b"as it was")
    assert listed["forensics/logs/database-0/database.log"] == sha(b"log of database-0\n")
    assert "forensics/logs/output/database-0.log" in listed
    assert (into / "logs" / "audit" / "audit-a.jsonl").exists()
    rows = (into / "manifest.txt").read_text().splitlines()
    assert rows == [f"{digest}  {name}" for name, digest in listed.items()]
    assert dict(room.preserve(into)) == listed  # a repetition takes nothing over again
    assert rooms.asked.count("take over the queue at 10") == 1


def test_a_volume_that_was_made_anew_is_not_what_was_left(
    room: ReferenceCleanRoom, rooms: Rooms
) -> None:
    rooms.kept = {}
    into = rooms.base.root / "forensics"
    with pytest.raises(PlatformError, match="the volume of database-0 is empty"):
        room.preserve(into)
    assert not (into / "manifest.txt").exists()


def test_a_member_without_its_log_is_not_preserved(
    room: ReferenceCleanRoom, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Rooms.look_into

    def without(mine: Rooms, volume: str, words: Sequence[str], *, within_s: float) -> bytes:
        if volume == "database-1" and words[3] == "logs":
            return tar_of("log/notes.log", b"")
        return seen(mine, volume, words, within_s=within_s)

    monkeypatch.setattr(Rooms, "look_into", without)
    with pytest.raises(PlatformError, match="the log of database-1 is not in its volume"):
        room.preserve(rooms.base.root / "forensics")


def test_what_was_kept_is_hashed_anew(room: ReferenceCleanRoom, rooms: Rooms) -> None:
    listed = dict(room.preserve(rooms.base.root / "forensics"))
    assert room.preserved(list(listed)) == listed
    rooms.kept["pgdata/pg_wal/0001"] = b"tidied up"
    (rooms.base.root / "forensics" / "logs" / "database-0" / "database.log").unlink()
    now = room.preserved(list(listed))
    assert {name for name in listed if now.get(name) != listed[name]} == {
        *(f"volumes/{v}/pgdata/pg_wal/0001" for v in VOLUMES),
        "forensics/logs/database-0/database.log",
    }


def test_everything_in_its_order(room: ReferenceCleanRoom, rooms: Rooms) -> None:
    assert room.name() == ""
    assert room.prepare() == "clean-1"
    assert room.restore(RESTORED.backup_id, Wanted(before_xid=7)) == RESTORED
    assert room.name() == ""
    room.enter()
    assert room.name() == "clean-1"
    assert [step for step in rooms.asked if " asked" not in step] == [
        "furnish clean-1",
        "clean-1: database-0 held",
        "clean-1: database-1 held",
        "documents",
        "hand over 30",
        "rebuild 20260101T000000 before 7",
        "forget log-ins at 21",
        "clean-1: application install",
        "lead clean-1",
        "become clean-1 20260101T000000",
        "clean-1: database-0 open-archive",  # last of all: until then a restore may be repeated
        "clean-1: database-1 open-archive",
    ]
    before, now = credentials.load(rooms.base), credentials.load(Layout(rooms.base.root, "clean-1"))
    assert not set(asdict(before).values()) & set(asdict(now).values())
    clients = credentials.files_of(rooms.base)
    assert clients.admin_password.read_text() == now.admin_password


def test_a_database_that_began_by_itself_is_refused(room: ReferenceCleanRoom, rooms: Rooms) -> None:
    rooms.held = False
    with pytest.raises(PlatformError, match="may not start empty"):
        room.prepare()


def test_nothing_is_entered_before_it_was_restored(room: ReferenceCleanRoom, rooms: Rooms) -> None:
    with pytest.raises(PlatformError, match="prepare one first"):
        room.restore(RESTORED.backup_id, Wanted())
    room.prepare()
    with pytest.raises(PlatformError, match="nothing was restored"):
        room.enter()
    assert rooms.serves.environment == ""


def test_who_died_after_entering_goes_on(room: ReferenceCleanRoom, rooms: Rooms) -> None:
    entered(room)
    rooms.asked.clear()
    again = ReferenceCleanRoom(rooms)
    assert again.prepare() == "clean-1"
    assert again.restore(RESTORED.backup_id, Wanted(before_xid=7)) == RESTORED
    assert rooms.asked == []  # it serves: nothing of it is built once more
    again.enter()
    assert rooms.asked[-1] == "clean-1: database-1 open-archive"


def test_one_clean_room_a_platform(room: ReferenceCleanRoom, rooms: Rooms) -> None:
    entered(room)
    with pytest.raises(PlatformError, match="clean environment already"):
        room.preserve(rooms.base.root / "forensics")


def test_what_both_have_is_told(room: ReferenceCleanRoom, rooms: Rooms) -> None:
    room.prepare()
    assert room.shared() == ()
    rooms.in_common = ("volume x",)
    rooms.reached = ("database-0.old:5432",)
    layout = Layout(rooms.base.root, "clean-1")
    stale = credentials.load(rooms.base).valkey
    credentials.write(layout, replace(credentials.load(layout), valkey=stale))
    told = room.shared()
    assert told[0] == "the secret valkey"
    assert "volume x" in told
    assert any("database-0.old:5432" in sentence for sentence in told)
    rooms.sees_store = False
    with pytest.raises(PlatformError, match="nothing could be seen"):
        room.shared()


def test_where_each_credential_is_tried(room: ReferenceCleanRoom) -> None:
    room.prepare()
    assert "port=21,22" in room.inside("database-role")
    assert room.inside("backup-writer") == "http://127.0.0.1:8/peakdrill"
    assert room.inside("queue") == "redis://127.0.0.1:30/0"
    assert {room.inside(word) for word in ("api-key", "session-cookie")} == {
        "http://127.0.0.1:31",
    }
