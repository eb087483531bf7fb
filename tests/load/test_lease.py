"""A load that nobody asks for ends; what a pod answers is an answer, whatever it was asked."""

from __future__ import annotations

import base64
import json
import time
import zlib
from pathlib import Path

import pytest

from harness.core.operation import Detail, Kind, Outcome, Workload
from harness.ledger.reader import settled
from harness.ledger.slots import SLOT_BYTES
from harness.ledger.writer import LedgerWriter
from load.beside import Beside
from load.lease import Lease


def ask(beside: Beside, **asked: object) -> dict:
    return beside.answer(json.dumps(asked))


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    (tmp_path / "secrets").mkdir()
    return Beside(tmp_path, tmp_path / "secrets")


def test_every_question_for_the_clock_renews_the_lease(beside: Beside, tmp_path: Path) -> None:
    lease = Lease(tmp_path / "lease", within_s=0.3)
    until = time.monotonic() + 0.9
    while time.monotonic() < until:
        before_ns = time.monotonic_ns()
        told = ask(beside, ask="clock")["ns"]
        assert before_ns <= told <= time.monotonic_ns()
        assert not lease.seen()
        time.sleep(0.01)
    time.sleep(0.31)
    assert lease.seen()


def test_a_lease_that_was_never_renewed_ends_and_so_does_one_that_is_told_to(
    tmp_path: Path,
) -> None:
    assert not Lease(tmp_path / "lease", within_s=60).seen()
    short = Lease(tmp_path / "lease", within_s=0.0)
    time.sleep(0.01)
    assert short.seen()
    (tmp_path / "stop").touch()
    assert Lease(tmp_path / "lease", within_s=60).seen()
    assert not Lease(tmp_path / "lease", within_s=60, stop="leave").seen()


@pytest.mark.parametrize("name", ["../outside", "a/b", "", "/etc/passwd", ".."])
def test_no_name_leads_out_of_the_folder(beside: Beside, tmp_path: Path, name: str) -> None:
    for asked in ("put", "secret", "file"):
        told = ask(beside, ask=asked, name=name, data="", at=0)
        assert "error" in told
    assert not (tmp_path.parent / "outside").exists()


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"ask": "x"}', '{"ask": "put"}', "\x00", "5"])
def test_what_is_no_question_gets_an_error(beside: Beside, line: str) -> None:
    assert set(beside.answer(line)) == {"error"}


def test_a_secret_is_put_and_never_told(beside: Beside, tmp_path: Path) -> None:
    data = base64.b64encode(b"word").decode()
    assert ask(beside, ask="secret", name="application", data=data) == {}
    file = tmp_path / "secrets" / "application"
    assert file.read_bytes() == b"word"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "error" in ask(beside, ask="file", name="application", at=0)
    assert "error" in ask(beside, ask="file", name="secrets", at=0)


def test_slots_are_handed_out_from_one_on_as_they_stand(beside: Beside, tmp_path: Path) -> None:
    assert ask(beside, ask="slots", worker=0, seq=0) == {"header": "", "slots": ""}
    ledger = LedgerWriter(tmp_path / "worker-0.slots", run_id="r", worker=0, chunk_slots=100)
    for seq in range(5):
        ledger.intent(intended_ns=1, sent_ns=2, workload=Workload.FINANCE, kind=Kind.CREATE)
        if seq != 3:
            ledger.outcome(seq, done_ns=3, outcome=Outcome.ACKED, detail=Detail.NONE)
    told = ask(beside, ask="slots", worker=0, seq=1)
    slots = zlib.decompress(base64.b64decode(told["slots"]))
    assert len(slots) == 4 * SLOT_BYTES  # and nothing of the room that is left
    assert settled(slots, 1) == 2  # the one of seq 3 may still change
    torn = bytearray(slots)
    torn[10] ^= 1
    assert settled(bytes(torn), 1) == 0
    ledger.close()
