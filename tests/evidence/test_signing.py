"""When a run is signed: at its end whatever becomes of its reports, or late, and then it says so."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from harness.commands.rendering import render_all, write_again
from harness.errors import DamagedEvidence, PeakdrillError, Refused
from harness.evidence import chain, keys, late, layout, signing
from harness.evidence.findings import State
from harness.evidence.load import load_record
from harness.evidence.verify import verify
from tests.evidence.stored_run import flipped, store

UTC = "2026-11-25T00:00:00Z"


def state(run: Path) -> State:
    return verify(run, render=render_all).state


def test_a_drill_that_ends_in_an_error_is_signed_where_it_left_a_verdict(tmp_path: Path) -> None:
    run = store(tmp_path)
    for name in layout.REPORTS:
        (run / name).unlink()
    with suppress(ZeroDivisionError), signing.signed(run, signing.ready(tmp_path), print):
        raise ZeroDivisionError
    assert state(run) is State.INTACT


def test_without_a_verdict_nothing_is_signed(tmp_path: Path) -> None:
    run = store(tmp_path)
    (run / layout.VERDICT).unlink()
    with signing.signed(run, signing.ready(tmp_path), print):
        pass
    assert not signing.is_signed(run)
    assert chain.read(tmp_path) == ()


def test_what_fails_at_the_end_is_told_and_takes_no_verdict_away(tmp_path: Path) -> None:
    run = store(tmp_path)
    notary, said = signing.ready(tmp_path), []
    (tmp_path / layout.CHAIN).mkdir()
    with signing.signed(run, notary, said.append):
        pass
    assert f"peakdrill evidence seal {run}" in said[0]
    assert (run / layout.VERDICT).exists()


def test_who_cannot_sign_is_told_before_the_drill(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(keys.KEY_FILE, str(tmp_path / "nobody.pem"))
    with pytest.raises(Refused, match="cannot be read"):
        signing.ready(tmp_path)


def test_the_session_asks_before_it_starts_anything(tmp_path: Path, monkeypatch) -> None:
    from harness import session
    from harness.platforms import find
    from harness.progress import Silent
    from harness.tenancy import mending

    def started(*_: object, **__: object) -> None:
        raise AssertionError("a platform was started")

    monkeypatch.setattr(find, "start", started)
    monkeypatch.setattr(mending, "mended", started)
    monkeypatch.setenv(keys.KEY_FILE, str(tmp_path / "nobody.pem"))
    with pytest.raises(Refused, match=r"nobody\.pem"):
        session.execute(session.Order("node-loss", out=tmp_path / "runs"), Silent())
    assert not (tmp_path / "runs").exists()


def test_a_symbolic_link_is_never_signed(tmp_path: Path) -> None:
    run = store(tmp_path)
    (run / "link").symlink_to(run / layout.PLAN)
    with pytest.raises(DamagedEvidence, match="link: a symbolic link"):
        signing.sign_run(run, signing.ready(tmp_path), signed_utc=UTC)
    assert chain.read(tmp_path) == ()


def test_a_run_of_old_is_judged_again_and_signed_late(tmp_path: Path) -> None:
    run = store(tmp_path)
    notary = signing.ready(tmp_path)
    assert late.sign_late(run, notary, signed_utc=UTC)
    write_again(load_record(run), run, allow_skip=frozenset())
    found = verify(run, render=render_all)
    assert (found.state, found.signed_utc, found.signed_late) == (State.INTACT, UTC, True)
    assert not late.sign_late(run, notary, signed_utc=UTC)
    with pytest.raises(Refused, match="signed already"):
        late.reports_alone(found)


def test_what_cannot_be_judged_is_not_signed(tmp_path: Path) -> None:
    run, notary = store(tmp_path), signing.ready(tmp_path)
    with flipped(run / layout.EVENTS, 30, 0), pytest.raises(DamagedEvidence):
        late.sign_late(run, notary, signed_utc=UTC)
    verdict = run / layout.VERDICT
    with flipped(verdict, 30, 0), pytest.raises(DamagedEvidence, match="differs"):
        late.sign_late(run, notary, signed_utc=UTC)
    verdict.unlink()
    with pytest.raises(Refused, match="never came to its end"):
        late.sign_late(run, notary, signed_utc=UTC)
    assert chain.read(tmp_path) == ()


def test_killed_between_the_chain_and_its_own_envelope(run: Path, runs: Path) -> None:
    """The chain has it already: the very same envelope is written, and no second link."""
    before = (run / layout.RUN_ENVELOPE).read_bytes()
    for name in layout.SIGNATURES:
        (run / name).unlink(missing_ok=True)
    notary = signing.ready(runs)
    with flipped(run / "load" / "locust.log", 0, 0), pytest.raises(PeakdrillError):
        late.sign_late(run, notary, signed_utc=UTC)
    extra = run / "load" / "added"
    extra.write_text("x")
    with pytest.raises(DamagedEvidence):
        late.sign_late(run, notary, signed_utc=UTC)
    extra.unlink()
    assert late.sign_late(run, notary, signed_utc=UTC)
    assert (run / layout.RUN_ENVELOPE).read_bytes() == before
    assert len(chain.read(runs)) == 2


def test_reports_that_are_rendered_again_are_signed_again(run: Path, key_file, monkeypatch) -> None:
    monkeypatch.setenv(keys.KEY_FILE, str(key_file))
    (run / layout.SUMMARY).write_text("mended by hand")
    assert state(run) is State.DAMAGED
    write_again(load_record(run), run, allow_skip=frozenset({"tenants"}))
    assert state(run) is State.INTACT
    monkeypatch.setenv(keys.KEY_FILE, "nobody.pem")
    before = (run / layout.REPORT_HTML).stat().st_mtime_ns
    with pytest.raises(Refused):
        write_again(load_record(run), run, allow_skip=frozenset())
    assert (run / layout.REPORT_HTML).stat().st_mtime_ns == before


def test_reports_of_an_unsigned_run_stay_unsigned(tmp_path: Path) -> None:
    run = store(tmp_path)
    write_again(load_record(run), run, allow_skip=frozenset())
    assert state(run) is State.UNSIGNED
    assert not (run / layout.SIGNED).exists()
