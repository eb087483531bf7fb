"""A sealed run says of every changed byte in which file it is."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest

from harness.commands.rendering import render_all
from harness.core.verdict import Verdict
from harness.errors import Refused
from harness.evidence import canonical, envelope, keys, layout, seal, signing, statement
from harness.evidence.findings import State, Verified
from harness.evidence.keys import Signer
from harness.evidence.statement import RunClaim
from harness.evidence.verify import verify
from tests.evidence.stored_run import flipped, store

SEED, FLIPS = 20261127, 200


def look(run: Path, **given: object) -> Verified:
    return verify(run, render=render_all, **given)


def named(found: Verified) -> set[str]:
    return {problem.name for problem in found.problems}


def files_of(run: Path) -> list[Path]:
    return sorted(path for path in run.rglob("*") if path.is_file())


def test_a_signed_run_is_intact_wherever_it_is_copied_to(run: Path, key_file: Path, tmp_path):
    found = look(run)
    assert (found.state, found.problems, found.exit_code) == (State.INTACT, (), 0)
    assert (found.verdict, found.scenario) == (Verdict.MET, "node-loss")
    assert found.link == "link 2 of its chain, after 20261122T030000Z0001"
    assert found.signer == keys.read_signer(key_file).public
    assert not found.vouched
    elsewhere = Path(shutil.copytree(run, tmp_path / "another name"))
    (elsewhere / "empty" / "folder").mkdir(parents=True)
    for file in files_of(elsewhere):
        file.chmod(0o444)
    assert look(elsewhere).state is State.INTACT
    (elsewhere / layout.PLAN).chmod(0o644)


def test_every_one_of_200_random_single_byte_changes_is_found_and_named(run: Path) -> None:
    """Any file of the directory: evidence, verdict, reports, envelopes, keys."""
    files = files_of(run)
    assert {layout.RUN_ENVELOPE, layout.REPORTS_KEY, layout.REPORT_HTML, layout.SEAL} <= {
        file.relative_to(run).as_posix() for file in files
    }
    chosen = random.Random(SEED)
    touched = set()
    for _ in range(FLIPS):
        file = chosen.choice(files)
        at, bit = chosen.randrange(file.stat().st_size), chosen.randrange(8)
        name = file.relative_to(run).as_posix()
        with flipped(file, at, bit):
            found = look(run)
        assert found.exit_code == 4, f"{name}:{at} bit {bit}"
        assert name in named(found), f"{name}:{at} bit {bit}: {found.problems}"
        assert len(named(found)) <= 3, f"{name}:{at} bit {bit}: {found.problems}"
        touched.add(name)
    assert touched == {file.relative_to(run).as_posix() for file in files}
    assert look(run).state is State.INTACT


@pytest.mark.parametrize(
    "name",
    [layout.RUN_ENVELOPE, layout.RUN_KEY, layout.REPORTS_ENVELOPE, layout.REPORTS_KEY],
)
def test_every_byte_of_what_is_signed_counts(run: Path, name: str) -> None:
    file = run / name
    for at in range(0, file.stat().st_size, 13):
        with flipped(file, at, at % 8):
            found = look(run)
        assert found.exit_code == 4
        assert name in named(found), f"{name}:{at}"


@pytest.mark.parametrize("more", [b"\n", b" ", b"\0", b"{}"])
def test_a_byte_more_at_the_end_of_any_file_is_named(run: Path, more: bytes) -> None:
    for file in files_of(run):
        before = file.read_bytes()
        file.write_bytes(before + more)
        assert file.relative_to(run).as_posix() in named(look(run))
        file.write_bytes(before)


def test_every_missing_file_is_named(run: Path) -> None:
    for file in files_of(run):
        aside = file.rename(run.parent / "aside")
        found = look(run)
        assert found.exit_code == 4
        assert file.relative_to(run).as_posix() in named(found)
        aside.rename(file)
    assert look(run).state is State.INTACT


@pytest.mark.parametrize(
    "name", ["notes.txt", ".hidden", "ledger/worker-1.slots", "evidence/extra.pem", "é/\u202e.txt"]
)
def test_every_added_file_is_named(run: Path, name: str) -> None:
    (run / name).parent.mkdir(exist_ok=True)
    (run / name).write_text("x")
    assert named(look(run)) == {name}


def test_what_is_no_file_is_named_and_never_opened(run: Path, tmp_path: Path) -> None:
    plan = run / layout.PLAN
    shutil.copy(plan, tmp_path / "same")
    plan.unlink()
    plan.symlink_to(tmp_path / "same")
    os.mkfifo(run / "pipe")
    (run / "loop").symlink_to(run)
    seal_file = run / layout.SEAL
    seal_file.unlink()
    os.mkfifo(seal_file)
    found = look(run)
    assert found.exit_code == 4
    assert named(found) == {layout.PLAN, "pipe", "loop", layout.SEAL}
    assert {p.name: p.what for p in found.problems}["loop"].startswith("a symbolic link")


def test_a_name_that_is_no_text_is_named(run: Path) -> None:
    (Path(os.fsdecode(os.fsencode(run) + b"/\xff.txt"))).write_text("x")
    (problem,) = look(run).problems
    assert "udcff" in problem.name
    assert "UTF-8" in problem.what


def test_a_damaged_envelope_hides_no_other_damage(run: Path) -> None:
    with flipped(run / layout.RUN_ENVELOPE, 40, 0), flipped(run / layout.EVENTS, 5, 1):
        assert {layout.RUN_ENVELOPE, layout.EVENTS} <= named(look(run))


def test_an_unsigned_run_of_old_is_judged_and_is_no_pass(tmp_path: Path) -> None:
    run = store(tmp_path)
    found = look(run)
    assert (found.state, found.exit_code, found.verdict) == (State.UNSIGNED, 3, Verdict.MET)
    assert found.signer is None
    with flipped(run / layout.VERDICT, 30, 0):
        assert (look(run).exit_code, named(look(run))) == (4, {layout.VERDICT})
    with flipped(run / layout.EVENTS, 30, 0):
        assert look(run).exit_code == 4
    (run / layout.VERDICT).unlink()
    assert look(run).exit_code == 4


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no run"):
        look(tmp_path)


def other_signer(tmp_path: Path) -> Signer:
    return keys.make_key(tmp_path / "other.pem")


def test_with_keys_that_are_trusted_no_other_will_do(run, key_file, tmp_path, monkeypatch):
    ours, other = keys.read_signer(key_file).public, other_signer(tmp_path).public
    found = look(run, keys=[other, ours])
    assert (found.state, found.vouched) == (State.INTACT, True)
    found = look(run, keys=[other])
    assert (found.exit_code, found.vouched) == (4, False)
    assert named(found) == {layout.RUN_ENVELOPE, layout.REPORTS_ENVELOPE}
    assert ours.key_id in found.problems[0].what
    monkeypatch.setenv(keys.TRUSTED, str(tmp_path / "other.pem.pub"))
    assert look(run).exit_code == 4
    monkeypatch.setenv(keys.TRUSTED, f"{key_file}.pub")
    assert look(run).vouched


def sign_again(run: Path, who: Signer, claim: dict[str, object]) -> None:
    """A forger with a key of his own makes every digest fit, and claims what he likes."""
    from dataclasses import replace

    from harness.evidence.manifest import listing

    old, _ = statement.opened_by(
        (run / layout.RUN_ENVELOPE).read_bytes(), (run / layout.RUN_KEY).read_bytes(), RunClaim
    )
    told = replace(
        old.claim, **claim, seal_sha256=seal.digest_of(run / layout.SEAL),
        signer=statement.SignedBy(who.public.key_id, False),
    )  # fmt: skip
    payload = statement.Statement(listing(run).of_the_run(), told).dumps()
    (run / layout.RUN_ENVELOPE).write_bytes(envelope.seal(payload, statement.PAYLOAD_TYPE, who))
    (run / layout.RUN_KEY).write_bytes(who.public.pem())
    signing.sign_reports(run, who, signed_utc="2026-11-22T03:05:00Z")


@pytest.mark.parametrize("claim", [{"verdict": "missed"}, {"judge": "v0"}, {"run_id": "other"},
                                   {"begun_utc": "2020-01-01T00:00:00Z"}, {"scenario": "x"}])  # fmt: skip
def test_a_claim_that_the_evidence_does_not_give_is_found(run, tmp_path, claim) -> None:
    sign_again(run, other_signer(tmp_path), claim)
    found = look(run)
    assert found.exit_code == 4
    assert layout.RUN_ENVELOPE in named(found)


def test_a_forged_verdict_is_found_though_every_digest_fits(run, tmp_path, key_file) -> None:
    verdict = run / layout.VERDICT
    verdict.write_bytes(verdict.read_bytes().replace(b'"verdict":"met"', b'"verdict":"missed"', 1))
    sign_again(run, other_signer(tmp_path), {})
    assert named(look(run)) == {layout.VERDICT}
    sign_again(run, keys.read_signer(key_file), {})
    assert named(look(run)) == {layout.VERDICT}


@pytest.mark.parametrize("name", layout.REPORTS)
def test_a_forged_report_is_found_though_its_digest_fits(run, key_file, name: str) -> None:
    """Whoever has the key can sign what he wrote; not that the evidence gives it."""
    file = run / name
    told = file.read_text()
    forged = told.replace("node-loss", "node-gain", 1)
    assert forged != told
    file.write_text(forged)
    signing.sign_reports(run, keys.read_signer(key_file), signed_utc="2026-11-22T03:06:00Z")
    assert named(look(run)) == {name}


def test_of_another_build_every_number_is_compared_and_no_wording(run, key_file, monkeypatch):
    report = run / layout.REPORT_JSON
    told = json.loads(report.read_text())
    told["added_later"] = 1
    del told["currency"]
    report.write_text(json.dumps(told))
    monkeypatch.setattr(signing, "build_digest", lambda: "another")
    who = keys.read_signer(key_file)
    signing.sign_reports(run, who, signed_utc="2026-11-22T03:06:00Z")
    found = look(run)
    assert found.state is State.INTACT
    assert "another build" in found.notes[0]
    told["workloads"]["order-capture"]["rto"]["high_s"] = 0.1
    report.write_text(json.dumps(told))
    signing.sign_reports(run, who, signed_utc="2026-11-22T03:06:00Z")
    (problem,) = look(run).problems
    assert problem.name == layout.REPORT_JSON
    assert "workloads.order-capture.rto.high_s" in problem.what


def test_words_by_another_key_and_another_build_are_anybody_s(
    run, key_file, tmp_path, monkeypatch
) -> None:
    """Else a page that says "safe" could stand beside a run that was missed, and be intact."""
    stranger = keys.make_key(tmp_path / "stranger.pem")
    signing.sign_reports(run, stranger, signed_utc="2026-11-22T03:06:00Z")
    again = look(run)
    assert again.state is State.INTACT, "this build wrote it, and can say that it is the run's"
    assert "signed by another key" in again.notes[0]
    (run / layout.REPORT_HTML).write_text("<h1>Safe</h1>")
    monkeypatch.setattr(signing, "build_digest", lambda: "another")
    signing.sign_reports(run, stranger, signed_utc="2026-11-22T03:06:00Z")
    assert named(look(run)) == {layout.REPORTS_ENVELOPE}
    ours = keys.read_signer(key_file).public
    assert look(run, keys=(ours, stranger.public)).state is State.INTACT, "it is trusted"


def test_reports_of_another_run_are_no_reports_of_this_one(runs: Path, run: Path) -> None:
    for name in (*layout.REPORTS, layout.REPORTS_ENVELOPE, layout.REPORTS_KEY):
        shutil.copy(runs / "20261122T030000Z0001" / name, run / name)
    assert named(look(run)) == {layout.REPORTS_ENVELOPE}


def test_without_any_signature_of_reports_each_is_named(run: Path) -> None:
    (run / layout.REPORTS_ENVELOPE).unlink()
    (run / layout.REPORTS_KEY).unlink()
    assert named(look(run)) == set(layout.REPORTS)
    for name in layout.REPORTS:
        (run / name).unlink()
    assert look(run).state is State.INTACT


def test_a_link_that_links_nothing_is_found(run: Path, tmp_path: Path) -> None:
    for link in (statement.Link(0, "", ""), statement.Link(3, "", ""), statement.Link(1, "x", "y")):
        sign_again(run, other_signer(tmp_path / str(link.sequence)), {"link": link})
        assert "no link" in str(look(run).problems)


def test_a_statement_has_one_spelling(run: Path, key_file: Path) -> None:
    who = keys.read_signer(key_file)
    told = envelope.unchecked((run / layout.RUN_ENVELOPE).read_bytes())
    for other in (
        told.payload + b"\n",
        json.dumps(json.loads(told.payload), indent=1).encode(),
        canonical.dumps(json.loads(told.payload) | {"note": ""}),
        told.payload.replace(b'{"_type"', b'{"_type":"x","_type"'),
    ):
        sealed = envelope.seal(other, statement.PAYLOAD_TYPE, who)
        (run / layout.RUN_ENVELOPE).write_bytes(sealed)
        assert layout.RUN_ENVELOPE in named(look(run))
