"""verify, evidence key, seal and export as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import cli
from harness.evidence import keys, layout
from tests.evidence.stored_run import flipped, store

SECOND = "20261122T040000Z0002"


@dataclass
class Ended:
    code: int
    out: str
    err: str

    @property
    def first(self) -> str:
        return self.out.splitlines()[0]


@pytest.fixture
def call(runs: Path, monkeypatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    monkeypatch.chdir(runs.parent)

    def caller(*arguments: str) -> Ended:
        capfd.readouterr()
        code = cli.exit_code(arguments)
        return Ended(code, *capfd.readouterr())

    return caller


def test_verify_answers_on_its_first_line(call, run: Path, key_file: Path) -> None:
    ended = call("verify", SECOND)
    assert ended.code == 0
    assert ended.first.startswith(f"intact: {SECOND}: node-loss was met")
    assert ended.first.endswith("nobody vouched for who signed it")
    ended = call("verify", SECOND, "--key", f"{key_file}.pub", "--chain", "runs")
    assert (ended.code, "vouched" in ended.out) == (0, False)
    with flipped(run / layout.REPORT_HTML, 100, 1):
        ended = call("verify", SECOND)
    assert ended.code == 4
    assert ended.out.splitlines()[:2] == [
        f"damaged: {SECOND}: 1 thing is not what was signed; this run proves nothing",
        "  report.html: changed",
    ]
    assert call("verify", "nothing").code == 2
    assert call("verify", SECOND, "--chain", "/").code == 2
    assert call("verify", SECOND, "--key", str(run / layout.PLAN)).code == 2


def test_verify_in_json_says_the_same(call, run: Path) -> None:
    told = json.loads(call("verify", SECOND, "--json").out)
    assert (told["state"], told["verdict"], told["problems"]) == ("intact", "met", [])
    with flipped(run / layout.EVENTS, 100, 1):
        told = json.loads(call("verify", SECOND, "--json").out)
    assert [p["name"] for p in told["problems"]] == [layout.EVENTS]


def test_a_name_in_a_hostile_directory_moves_no_cursor(call, run: Path) -> None:
    (run / "\x1b[2J\nintact: all is well").write_text("x")
    ended = call("verify", SECOND)
    assert ended.code == 4
    assert "\x1b" not in ended.out
    assert ended.first.startswith("damaged: ")
    assert not any(line.startswith("intact") for line in ended.out.splitlines())


def test_a_run_of_old_is_sealed_by_hand(call, runs: Path) -> None:
    old = store(runs, "20261121T000000Z0009")
    ended = call("verify", old.name)
    assert (ended.code, ended.first.split(":")[0]) == (3, "unsigned")
    assert "next     peakdrill evidence seal" in ended.out
    assert call("evidence", "seal", old.name).code == 0
    ended = call("verify", old.name, "--chain", "runs")
    assert ended.code == 0
    assert "nothing vouches for the time before" in ended.out
    assert call("evidence", "seal", old.name).code == 2
    (old / layout.SUMMARY).write_text("changed")
    assert call("verify", old.name).code == 4
    assert call("evidence", "seal", old.name).code == 0
    assert call("verify", old.name).code == 0
    with flipped(old / layout.VERDICT, 40, 0):
        assert call("evidence", "seal", old.name).code == 4


def test_a_report_written_into_its_run_is_signed_again(call, run: Path) -> None:
    target = run / layout.SUMMARY
    assert call("report", SECOND, "--markdown", "--out", str(target)).code == 0
    assert call("verify", SECOND).code == 0
    before = (run / layout.PLAN).read_bytes()
    ended = call("report", SECOND, "--markdown", "--out", str(run / layout.PLAN))
    assert (ended.code, (run / layout.PLAN).read_bytes()) == (2, before)
    assert call("report", SECOND, "--markdown", "--out", str(run / layout.REPORT_HTML)).code == 2
    assert call("report", SECOND, "--html", "--out", "elsewhere.html").code == 0
    assert call("verify", SECOND).code == 0


def test_a_key_is_made_and_shown_and_its_private_half_never(call, monkeypatch, runs: Path) -> None:
    ended = call("evidence", "key")
    assert ended.first.startswith("self-signed: ")
    assert "BEGIN PUBLIC KEY" in ended.out
    assert call("evidence", "key", "--new", "mine.pem").code == 0
    assert call("evidence", "key", "--new", "mine.pem").code == 2
    file = runs.parent / "mine.pem"
    monkeypatch.setenv(keys.KEY_FILE, str(file))
    ended = call("evidence", "key")
    assert ended.first == f"signed by key {keys.read_signer(file).public.key_id}"
    assert "PRIVATE" not in ended.out + ended.err
    assert file.read_text().splitlines()[1] not in ended.out + ended.err
    file.chmod(0o644)
    ended = call("evidence", "key")
    assert (ended.code, "chmod 600" in ended.err) == (2, True)


def test_a_bundle_is_exported(call, runs: Path) -> None:
    ended = call("evidence", "export", "--from", "2026-11-01", "--to", "2026-11-30")
    assert ended.code == 0
    assert ended.first.startswith("intact: 2 runs from 2026-11-01 to 2026-11-30")
    assert (runs.parent / "evidence-2026-11-01-2026-11-30.zip").exists()
    assert "not shown        DORA (EU) 2022/2554, 12(3)" in ended.out
    again = ("evidence", "export", "--from", "2026-11-01", "--to", "2026-11-30")
    assert call(*again).code == 2
    (runs / SECOND / layout.VERDICT).unlink()
    ended = call(*again, "--out", "b.zip", "--without-bulk")
    assert (ended.code, ended.first.split(":")[0]) == (4, "damaged")
    assert f"{SECOND}/verdict.json: missing" in ended.out
    assert call("evidence", "export", "--from", "2026-11-30", "--to", "2026-11-01").code == 2
    assert call(*again, "--runs", "nowhere").code == 2
    assert call("evidence", "export", "--from", "yesterday", "--to", "2026-11-30").code == 2
