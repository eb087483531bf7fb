"""Backups of a reference stack: in which order things are asked for, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest
from memory_store import Store

from harness.errors import FaultError, PlatformError
from harness.platforms.capabilities import Wanted
from harness.platforms.embedded import archive, backup_key, backup_store, credentials
from harness.platforms.embedded.backup_store import Record
from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.reference import backups, member_agent
from harness.platforms.reference.backups import ReferenceBackups
from harness.platforms.reference.ports import Ports
from tests.reference.local_site import LocalSite

BACKUP = "20260101T000000"
SEGMENT, LATER = "000000010000000000000004", "000000010000000000000005"
MEMBERS = ("database-0", "database-1")


@dataclass
class Members:
    """Both agents, as far as they are asked here."""

    led: set[str] = field(default_factory=lambda: {"database-0"})
    ready: dict[str, list[str]] = field(default_factory=dict)
    done: dict[str, list[str]] = field(default_factory=dict)
    histories: dict[str, list[str]] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    orders: list[bytes] = field(default_factory=list)
    refuses: str = ""

    def answer(self, part: str, words: Sequence[str], stdin: bytes) -> bytes:
        asked = list(words[3:])
        if asked and asked[0] == self.refuses:
            raise PlatformError(f"{part} does not {asked[0]}")
        return json.dumps(self._told(part, asked, stdin)).encode()

    def _told(self, part: str, asked: list[str], stdin: bytes) -> object:
        if asked[:1] == ["segments"]:
            return {
                "led": part in self.led, "ready": self.ready.get(part, []),
                "done": self.done.get(part, []), "histories": self.histories.get(part, []),
            }  # fmt: skip
        if asked[:1] == ["archive"]:
            now = self.state.get(part, "none")
            steps = {
                "begin": "acts", "state": now, "end": "none",
                "mend": "none" if now == "none" else "mends",
            }  # fmt: skip
            self.state[part] = steps[asked[1]]
            return {"state": self.state[part]}
        if asked[:1] == ["restore"]:
            self.orders.append(stdin)
            return {"backup_id": BACKUP, "reached_utc": "now", "complete": True, "told": "well"}
        return {}


class Leader:
    """Stands in for the two databases."""

    def __init__(self, node: str | None) -> None:
        self.node = node

    def leader(self) -> str | None:
        return self.node


@dataclass
class World:
    backups: ReferenceBackups
    site: LocalSite
    members: Members
    store: Store
    layout: Layout
    taken: list[str]

    def asked(self) -> list[tuple[str, ...]]:
        """Part and what its agent was asked; other commands by their last word."""
        return [(words[0], *words[4:]) for words in self.site.asked]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    layout, store, members, taken = Layout(tmp_path / "p"), Store(), Members(), []
    layout.make()
    credentials.generate(layout)
    backup_key.make(layout)
    folder = tmp_path / "base"
    folder.mkdir()
    for name in backup_store.FILES:
        folder.joinpath(name).write_bytes(b"what is backed up")
    record = Record(BACKUP, "then", "1", ("a gate",), "AES-256-GCM", "7", 1, SEGMENT, "", {})
    backup_store.put(store, backup_key.load(layout).key, folder, record)
    site = LocalSite(tmp_path, answer=members.answer)
    monkeypatch.setattr(backups.s3, "archivist", lambda *_: store)
    monkeypatch.setattr(backups, "database", lambda *_: Leader("left"))
    made = ReferenceBackups(layout, Ports(1, 2, 3, 4, 5, 6, 7, 8, 9), Options(), site, taken.append)
    return World(made, site, members, store, layout, taken)


def test_a_restore_stops_both_builds_in_one_and_copies_the_other(world: World) -> None:
    restored = world.backups.restore(BACKUP, Wanted(before_xid=7))
    assert restored.complete
    steps = world.asked()
    assert sorted(steps[:2]) == [("database-0", "hold"), ("database-1", "hold")]
    assert [step for step in steps[2:] if step[0] != "forget"] == [
        ("database-0", "restore"),
        ("database-1", "wipe"),
        ("database-0", "release"),
        ("database-1", "release"),
        ("application", "install"),
    ]
    assert world.site.asked.index(("forget",)) == 4  # nobody runs: nobody writes it down again
    (order,) = map(json.loads, world.members.orders)
    assert (order["backup_id"], order["before_xid"], order["until_utc"]) == (BACKUP, 7, "")
    known = asdict(credentials.load(world.layout))
    assert order["secrets"] == known
    words = repr(world.site.asked)
    assert not any(secret in words for secret in (*known.values(), order["backup_key"]))


def test_what_is_not_ours_stops_nothing(world: World) -> None:
    with pytest.raises(PlatformError, match="no record that can be read"):
        world.backups.restore("20000101T000000", Wanted())
    for copy in backup_key.copies(world.layout):
        copy.unlink()
    with pytest.raises(PlatformError, match="no backup can be opened"):
        world.backups.restore(BACKUP, Wanted())
    assert world.site.asked == []


@pytest.mark.parametrize("step", ["hold", "restore", "wipe"])
def test_nobody_is_released_after_a_step_that_failed(world: World, step: str) -> None:
    world.members.refuses = step
    with pytest.raises(PlatformError, match=f"does not {step}"):
        world.backups.restore(BACKUP, Wanted())
    assert not any(words[-1] in ("release", "install") for words in world.site.asked)
    assert ("forget",) not in world.site.asked
    world.members.refuses = ""
    assert world.backups.restore(BACKUP, Wanted()).complete


def test_a_restored_database_that_does_not_lead_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "database", lambda *_: Leader("right"))
    monkeypatch.setattr(backups, "_LEADER_S", 0.1)
    with pytest.raises(PlatformError, match="the restored database-0 was not ready"):
        world.backups.restore(BACKUP, Wanted())
    assert ("database-1", "release") not in world.asked()


def test_marks_are_believed_of_who_led(world: World) -> None:
    world.members.done = {"database-0": [SEGMENT], "database-1": [LATER]}
    assert world.backups._claimed() == {SEGMENT}
    world.members.led = set()
    assert world.backups._claimed() == {SEGMENT, LATER}


def test_silence_of_who_may_have_led_is_no_answer(world: World) -> None:
    world.site.dead = {"database-1"}
    world.members.done = {"database-0": [SEGMENT]}
    assert world.backups._claimed() == {SEGMENT}
    world.members.led = set()
    with pytest.raises(PlatformError, match="database-1 cannot be asked"):
        world.backups._claimed()


def test_the_archives_fault_acts_on_both_and_must_be_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReferenceBackups, "close_archive", lambda _: None)
    assert not world.backups.archive_is_stopped()
    world.store.put(archive.key_of(SEGMENT), b"there")
    world.members.done = {"database-0": [SEGMENT]}
    with pytest.raises(FaultError, match="S3 still gets what is archived"):
        world.backups.stop_archive()
    world.members.done = {"database-0": [SEGMENT, LATER]}
    world.backups.stop_archive()
    assert world.members.state == dict.fromkeys(MEMBERS, "acts")
    assert world.backups.archive_is_stopped()


def test_mending_ends_with_a_base_backup_and_may_be_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def take(_: ReferenceBackups) -> None:
        tries.append("taken")
        if len(tries) == 1:
            raise PlatformError("a gate says no")

    monkeypatch.setattr(ReferenceBackups, "close_archive", lambda _: None)
    monkeypatch.setattr(ReferenceBackups, "take", take)
    world.backups.mend_archive()
    assert tries == []
    world.members.state = {"database-1": "acts"}
    world.members.histories = {"database-1": ["00000002.history", "00000003.history"]}
    world.store.put(archive.key_of("00000003.history"), b"there")
    with pytest.raises(PlatformError, match="a gate says no"):
        world.backups.mend_archive()
    assert world.backups.archive_is_stopped()
    world.backups.mend_archive()
    assert not world.backups.archive_is_stopped()
    assert tries == ["taken", "taken"]
    shipped = [step for step in world.asked() if step[1:2] == ("ship",)]
    assert set(shipped) == {("database-1", "ship", "00000002.history")}


def test_one_copy_of_the_key_goes_and_comes_back(world: World) -> None:
    word = backup_key.load(world.layout).key.hex()
    assert world.backups.lose_key_copy() == "secrets/backup-key"
    assert world.site.secrets["backup-key"] != word
    assert backup_key.load(world.layout).lost
    world.backups.mend_key()
    assert world.site.secrets["backup-key"] == word
    assert backup_key.load(world.layout).lost == ()


def test_without_a_leader_nothing_is_backed_up_and_closing_is_harmless(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "database", lambda *_: Leader(None))
    world.backups.close_archive()
    with pytest.raises(PlatformError, match="no database takes writes"):
        world.backups.take()
    assert world.taken == []


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"led": true}', b'{"led": true, "ready": 1}'])
def test_an_agent_of_another_version_is_not_understood(tmp_path: Path, raw: bytes) -> None:
    site = LocalSite(tmp_path, answer=lambda *_: raw)
    with pytest.raises(PlatformError, match="answers segments with something"):
        member_agent.marks(site, "database-0")
