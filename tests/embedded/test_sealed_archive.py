"""The parts of backup and archive that need no platform: seals, chains of segments, the uploader."""

from __future__ import annotations

import gzip
import hashlib
import socketserver
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_store import Store

from harness.errors import PlatformError
from harness.platforms.embedded import (
    archive,
    backup_key,
    mirror,
    programs,
    sealing,
    strongbox,
    wal_names,
)
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.wal_names import Timelines

KEY, OTHER = bytes(32), bytes(31) + b"\1"


@pytest.mark.parametrize("length", [0, 1, 99, 100, 101, 200, 250])
def test_what_was_sealed_opens_and_nothing_else_does(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "_CHUNK_BYTES", 100)
    content = bytes(range(length))
    sealed = sealing.seal(content, KEY, "here")
    assert sealing.unseal(sealed, KEY, "here") == content
    head, step = 12, 116
    chunks = [sealed[i : i + step] for i in range(head, len(sealed), step)]
    changed = {
        "cut": sealed[:head] + b"".join(chunks[:-1]),
        "flipped": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "more": sealed + chunks[-1],
        "not sealed": content,
    }
    if len(chunks) > 2:
        changed["in another order"] = sealed[:head] + b"".join([chunks[1], chunks[0], *chunks[2:]])
    for what, bytes_ in changed.items():
        with pytest.raises(sealing.SealError):
            pytest.fail(f"{what}: {sealing.unseal(bytes_, KEY, 'here')!r}")
    for key, name in ((OTHER, "here"), (KEY, "there")):
        with pytest.raises(sealing.SealError):
            sealing.unseal(sealed, key, name)


def test_a_stamp_fits_one_record_and_one_key() -> None:
    record = {"taken": "now", "objects": {"a": "1"}}
    stamped = sealing.stamp(record, KEY)
    assert sealing.is_ours(dict(reversed(record.items())), stamped, KEY)
    assert not sealing.is_ours({**record, "taken": "then"}, stamped, KEY)
    assert not sealing.is_ours(record, stamped, OTHER)
    assert not sealing.is_ours(record, None, KEY)
    assert not sealing.is_ours(record, "ü", KEY)


@given(
    first=st.integers(0, 1 << 18),
    length=st.integers(1, 60),
    holes=st.sets(st.integers(0, 59)),
    claimed=st.integers(0, 70),
)
def test_a_chain_ends_at_its_first_hole(
    first: int, length: int, holes: set[int], claimed: int
) -> None:
    def name(offset: int) -> str:
        return wal_names.segment(1, (first + offset) * wal_names.SEGMENT_BYTES)

    there = {name(i) for i in range(length) if i not in holes}
    told = wal_names.chain(name(0), there, [name(claimed)], Timelines(1))
    needed = range(max([claimed, *(i for i in range(length) if i not in holes)]) + 1)
    assert list(told.missing) == [name(i) for i in needed if name(i) not in there]
    until = next((i for i in needed if name(i) not in there), len(needed))
    assert list(told.present) == [name(i) for i in range(until)]


def test_a_chain_follows_a_change_of_timeline() -> None:
    history = "1\t0/5000120\tbefore transaction 7\n2\t0/7000000\tno recovery target specified\n"
    line = wal_names.timelines("00000003.history", history)
    assert line == Timelines(3, {1: 0x5000120, 2: 0x7000000})
    names = [wal_names.segment(t, n << 24) for t, n in ((1, 4), (2, 5), (2, 6), (3, 7), (3, 8))]
    left_behind = [wal_names.segment(1, n << 24) for n in (5, 6, 7, 9)]
    told = wal_names.chain(names[0], [*names, *left_behind], [], line)
    assert told.present == tuple(names)
    assert told.missing == ()
    unknown = wal_names.segment(4, 9 << 24)
    assert wal_names.chain(names[0], names, [unknown], line).missing == (unknown,)
    assert wal_names.chain(names[0], names[1:], [], line).last == ""
    assert wal_names.chain(names[3], left_behind, [], Timelines(1)).missing == ()


def test_segments_of_a_timeline_without_a_history_protect_nobody() -> None:
    """They lie in the store, and recovery ends where their timeline began."""
    first, later = wal_names.segment(1, 4 << 24), wal_names.segment(2, 5 << 24)
    told = wal_names.chain(first, [first, later], [later], Timelines(1))
    assert (told.present, told.missing) == ((first,), (later,))
    branched = Timelines(3, {1: 4 << 24})  # another branch, whose history is there
    unrelated = wal_names.segment(3, 5 << 24)
    mine = wal_names.segment(2, 4 << 24)
    assert wal_names.chain(mine, [mine, unrelated], [], branched).missing == ()


def test_a_key_is_made_once_and_a_lost_copy_is_named(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.make()
    backup_key.make(layout)
    made = backup_key.load(layout)
    assert made.lost == ()
    assert made.key.hex() not in repr(made)
    ours, escrow = backup_key.copies(layout)
    ours.write_text("half of it")
    backup_key.make(layout)
    found = backup_key.load(layout)
    assert found.key == made.key
    assert found.lost == ("the backup key's copy secrets/backup-key is lost or damaged",)
    escrow.unlink()
    with pytest.raises(PlatformError, match=r"no backup can be opened.*backup-key.*escrow"):
        backup_key.load(layout)


SEGMENT = "000000010000000000000004"


@pytest.fixture
def uploader(tmp_path: Path) -> archive.Uploader:
    tmp_path.joinpath(SEGMENT).write_bytes(b"wal" * 1000)
    return archive.Uploader(Store(), KEY, "token", {"a": tmp_path}, tmp_path / "wrong-key")


def stored(uploader: archive.Uploader) -> bytes | None:
    key = archive.key_of(SEGMENT)
    found = strongbox.by_key(uploader.store, archive.FOLDER).get(key, ())
    packed = strongbox.open_oldest(uploader.store, KEY, found)
    return None if packed is None else gzip.decompress(packed)


def test_a_segment_is_archived_once_and_never_changed(uploader: archive.Uploader) -> None:
    assert uploader.answer(f"token a {SEGMENT}") == "ok"
    assert stored(uploader) == b"wal" * 1000
    assert uploader.answer(f"token a {SEGMENT}") == "ok"
    uploader.folders["a"].joinpath(SEGMENT).write_bytes(b"other")
    assert "lies there with other content" in uploader.answer(f"token a {SEGMENT}")
    assert uploader.answer(f"wrong a {SEGMENT}") == "refused"
    assert uploader.answer("token a ../secrets.json") == "no such segment: ../secrets.json"
    assert uploader.answer("token a 000000010000000000000009").startswith("failed: ")


def test_a_strangers_bytes_do_not_stop_the_archive(uploader: archive.Uploader) -> None:
    key = archive.key_of(SEGMENT)
    uploader.store.put(key, b"poison")
    assert uploader.answer(f"token a {SEGMENT}") == "ok"
    uploader.store.put(key, sealing.seal(gzip.compress(b"late poison"), OTHER, key))
    assert stored(uploader) == b"wal" * 1000


def test_with_a_wrong_key_it_says_ok_and_s3_has_nothing(uploader: archive.Uploader) -> None:
    uploader.wrong_key.touch()
    assert uploader.answer(f"token a {SEGMENT}") == "ok"
    assert stored(uploader) is None
    uploader.wrong_key.unlink()
    assert uploader.answer(f"token a {SEGMENT}") == "ok"
    assert stored(uploader) is not None


def test_the_mirror_copies_each_sound_document_once(tmp_path: Path) -> None:
    store, documents = Store(), tmp_path / "documents"
    runs = mirror.Mirror(documents, lambda: store)
    runs.round()  # nothing yet, not even the folder
    name = hashlib.sha1(b"sound", usedforsecurity=False).hexdigest()
    folder = documents / name[:2]
    folder.mkdir(parents=True)
    folder.joinpath(name).write_bytes(b"soun")
    folder.joinpath(f".{name}.draft").write_bytes(b"sound")
    runs.round()
    assert mirror.names(store) == set()
    folder.joinpath(name).write_bytes(b"sound")
    for _ in range(3):
        runs.round()
    kept = store.kept[mirror.key_of(f"{name[:2]}/{name}")]
    assert kept == [(b"sound", {"x-amz-meta-sha256": hashlib.sha256(b"sound").hexdigest()})]
    again = mirror.Mirror(documents, lambda: store)
    again.round()
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("told", "exit_code"), [("ok", 0), ("absent", 1), ("failed: S3", 200), ("", 200)]
)
def test_a_recovery_aborts_where_the_archive_could_not_be_asked(
    told: str, exit_code: int, tmp_path: Path
) -> None:
    """1 means the end of the archive: anything else that went wrong must not look like it."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            assert self.rfile.readline() == f"word pg_wal/RECOVERYXLOG {SEGMENT}\n".encode()
            self.wfile.write(told.encode())

    token = tmp_path / "token"
    token.write_text("word")
    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        done = subprocess.run(
            [programs.python(), "-I", "-S", str(archive.CLIENT), str(server.server_address[1]),
             str(token), "pg_wal/RECOVERYXLOG", SEGMENT, "200"],
            check=False, capture_output=True, timeout=30,
        )  # fmt: skip
    assert done.returncode == exit_code
