"""What an exec asks of a database container, and what it is answered."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from harness.errors import PlatformError
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.reference.inside import agent, in_place, places
from harness.platforms.reference.inside.settings import Settings

SEGMENT, OTHER = "000000010000000000000004", "000000010000000000000005"
HISTORY = "00000002.history"
LOADED = """
import sys, harness.platforms.reference.inside.agent
print([m for m in ("numpy", "psycopg", "cryptography", "boto3") if m in sys.modules])
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings({"PEAKDRILL_NAME": "database-0", "PEAKDRILL_DATA": str(tmp_path)})


@pytest.fixture
def status(tmp_path: Path) -> Path:
    found = places.pgdata(tmp_path) / "pg_wal" / "archive_status"
    found.mkdir(parents=True)
    return found


def ask(
    settings: Settings, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, object, str]:
    """Exit code, what stood on stdout, stderr."""
    code = agent.main(words, settings)
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else None, err


def test_every_answer_is_one_json_object_or_a_sentence(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(settings, capsys, "held") == (0, {"held": False}, "")
    for words in ((), ("nonsense",)):
        code, out, err = ask(settings, capsys, *words)
        assert (code, out) == (1, None)
        assert "wanted: hold, release" in err
    for words in (("write-garbage",), ("archive", "sideways"), ("ship", "../x"), ("wipe",)):
        code, out, err = ask(settings, capsys, *words)
        assert (code, out) == (1, None)
        assert err.strip()


def test_it_answers_by_exec(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness.platforms.reference.inside.agent", "segments"],
        capture_output=True, check=True, timeout=60, text=True,
        env={"PEAKDRILL_NAME": "database-0", "PEAKDRILL_DATA": str(tmp_path), "PYTHONPATH": "."},
    )  # fmt: skip
    assert json.loads(done.stdout) == {"led": False, "ready": [], "done": [], "histories": []}


def test_little_that_is_asked_loads_little() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED],
        capture_output=True, check=True, timeout=60, text=True,
    ).stdout  # fmt: skip
    assert loaded == "[]\n"


def test_a_hold_waits_for_process_1_to_say_so(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = ask(settings, capsys, "hold", "0.1")
    assert code == 1
    assert "database-0 at a standstill was not ready" in err
    hold = places.hold(tmp_path)
    assert hold.asked.exists()  # it is still wanted
    threading.Timer(0.2, hold.held.touch).start()
    assert ask(settings, capsys, "hold", "20")[:2] == (0, {})
    assert ask(settings, capsys, "held")[1] == {"held": True}
    threading.Timer(0.2, hold.held.unlink).start()
    assert ask(settings, capsys, "release")[:2] == (0, {})
    assert not hold.asked.exists()
    assert not hold.held.exists()


def test_data_are_wiped_only_where_nothing_runs(
    settings: Settings, tmp_path: Path, status: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = ask(settings, capsys, "wipe")
    assert code == 1
    assert "not held" in err
    assert status.exists()
    hold = places.hold(tmp_path)
    hold.held.touch()  # of a hold that is over
    assert ask(settings, capsys, "wipe")[0] == 1
    hold.asked.touch()
    for _ in range(2):
        assert ask(settings, capsys, "wipe")[:2] == (0, {})
        assert not places.pgdata(tmp_path).exists()
        assert not (tmp_path / "wiped").exists()


def test_the_archivers_marks_are_told_by_their_kind(
    settings: Settings, tmp_path: Path, status: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (f"{SEGMENT}.done", f"{OTHER}.ready", f"{HISTORY}.done", "x.done"):
        status.joinpath(name).touch()
    wanted = {"led": True, "ready": [OTHER], "done": [SEGMENT], "histories": [HISTORY]}
    assert ask(settings, capsys, "segments")[1] == wanted
    places.pgdata(tmp_path).joinpath("standby.signal").touch()
    assert ask(settings, capsys, "segments")[1] == {**wanted, "led": False}
    for name in (HISTORY, HISTORY, SEGMENT):
        assert ask(settings, capsys, "ship", name)[:2] == (0, {})
    assert sorted(path.name for path in status.glob("*.ready")) == sorted(
        f"{name}.ready" for name in (SEGMENT, OTHER, HISTORY)
    )


def test_garbage_goes_into_the_data_and_nowhere_else(
    settings: Settings, tmp_path: Path, status: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = places.pgdata(tmp_path) / "base" / "5"
    pages.mkdir(parents=True)
    for folder in ("global", "pg_tblspc"):
        places.pgdata(tmp_path).joinpath(folder).mkdir()
    pages.joinpath("16389").write_bytes(bytes(3 * 8192))
    outside = tmp_path / "outside"
    outside.write_bytes(bytes(8192))
    assert ask(settings, capsys, "page-checksums")[1] == {"pages": 3, "damaged": []}
    assert ask(settings, capsys, "write-garbage", "base/5/16389", "1")[:2] == (0, {})
    assert ask(settings, capsys, "page-checksums")[1] == {
        "pages": 3,
        "damaged": [{"database_oid": 5, "filenode": 16389, "fork": "", "block": 1}],
    }
    for file in ("../outside", str(outside)):
        assert "not below the data folder" in ask(settings, capsys, "write-garbage", file, "0")[2]
    assert outside.read_bytes() == bytes(8192)
    assert ask(settings, capsys, "mark")[0] == 0
    assert ask(settings, capsys, "marked")[1] == {"marked": True}
    assert ask(settings, capsys, "unmark")[0] == 0
    assert ask(settings, capsys, "marked")[1] == {"marked": False}


def test_the_archives_fault_is_told_after_every_word(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    states = [
        ask(settings, capsys, "archive", word)[1] for word in ("state", "begin", "mend", "end")
    ]
    assert states == [{"state": state} for state in ("none", "acts", "mends", "none")]


def order(**changed: object) -> bytes:
    secrets = {field.name: f"secret-{field.name}" for field in fields(Secrets)}
    told = {
        "backup_id": "20260101T000000", "before_xid": 7, "until_utc": "",
        "backup_key": "ab" * 32, "secrets": secrets, **changed,
    }  # fmt: skip
    return json.dumps(told).encode()


def test_an_order_to_restore_is_read_and_shows_nothing_of_its_secrets() -> None:
    read = in_place.order_of(order())
    assert read.wanted.before_xid == 7
    assert read.key == bytes.fromhex("ab" * 32)
    assert asdict(read.secrets)["shop"] == "secret-shop"
    assert "secret-" not in repr(read)
    assert "abab" not in repr(read)
    later = in_place.order_of(order(before_xid=None, until_utc="2026-01-01T00:00:00+00:00"))
    assert (later.wanted.before_xid, later.wanted.until_utc[:4]) == (None, "2026")


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{", b'"secret-x"', order(backup_key="secret-no-key"), order(backup_key="ab"),
     order(secrets={"shop": "secret-shop"}), order(before_xid="secret-xid")],
)  # fmt: skip
def test_what_is_no_order_is_refused_without_telling_what_it_said(
    raw: bytes,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(PlatformError) as refused:
        in_place.order_of(raw)
    assert refused.value.__cause__ is None
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    code, out, err = ask(settings, capsys, "restore")
    assert (code, out) == (1, None)
    assert "secret-" not in err
