"""A forged run does not come in: a seal is anybody's to make again, a signature is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import DamagedEvidence, Refused
from harness.evidence import keys, layout, seal, signing
from harness.history import History, open_history
from harness.history.importing import import_all, import_run
from tests.core.simulated_stores import Defects
from tests.evidence.stored_run import store

GOOD, LOSSY = "20261122T030000Z0001", "20261122T040000Z0002"


@pytest.fixture(autouse=True)
def _keys_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (keys.KEY_FILE, keys.KEY_TEXT, keys.TRUSTED):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two signed runs and their chain; the second lost what it had acknowledged."""
    out = tmp_path / "runs"
    out.mkdir()
    notary = signing.ready(out)
    store(out, GOOD, notary=notary)
    store(out, LOSSY, notary=notary, defects=Defects(lost=3))
    return out


@pytest.fixture
def history(tmp_path: Path):
    with open_history(str(tmp_path / "history.sqlite")) as opened:
        yield opened


def whitewash(run: Path, good: Path) -> None:
    """The evidence of another run under this one's name, sealed again, no verdict beside it."""
    for part in (layout.LEDGER, layout.READBACK):
        shutil.rmtree(run / part)
        shutil.copytree(good / part, run / part)
    (run / layout.VERDICT).unlink()
    seal.seal(run)


def test_signed_runs_come_in(history: History, runs: Path) -> None:
    assert import_all(history, [runs]).added == (GOOD, LOSSY)


def test_a_run_that_was_sealed_again_is_refused(history: History, runs: Path) -> None:
    whitewash(runs / LOSSY, runs / GOOD)
    with pytest.raises(DamagedEvidence, match="what was signed is other evidence"):
        import_run(history, runs / LOSSY)
    assert history.outcomes() == ()


def test_the_chain_knows_a_run_whose_signature_was_stripped(history: History, runs: Path) -> None:
    whitewash(runs / LOSSY, runs / GOOD)
    shutil.rmtree(runs / LOSSY / layout.SIGNED)
    with pytest.raises(DamagedEvidence, match="what was signed is other evidence"):
        import_run(history, runs / LOSSY)


def test_another_run_s_signature_is_none(history: History, runs: Path) -> None:
    shutil.rmtree(runs / LOSSY / layout.SIGNED)
    shutil.copytree(runs / GOOD / layout.SIGNED, runs / LOSSY / layout.SIGNED)
    with pytest.raises(DamagedEvidence, match=f"is other evidence, of {GOOD}"):
        import_run(history, runs / LOSSY)


@pytest.mark.parametrize("gone", [layout.RUN_ENVELOPE, layout.RUN_KEY])
def test_half_a_signature_is_none(history: History, runs: Path, gone: str) -> None:
    (runs / GOOD / gone).unlink()
    with pytest.raises(DamagedEvidence, match="half of its signature is gone"):
        import_run(history, runs / GOOD)


def test_with_trusted_keys_no_other_s_pass_comes_in(
    history: History, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = keys.make_key(tmp_path / "ours.pem")
    (tmp_path / "trusted.pem").write_bytes(ours.public.pem())
    monkeypatch.setenv(keys.TRUSTED, str(tmp_path / "trusted.pem"))
    with pytest.raises(DamagedEvidence, match="which is none of the trusted"):
        import_run(history, runs / GOOD)
    elsewhere = tmp_path / "elsewhere"
    unsigned = store(elsewhere, GOOD)
    with pytest.raises(Refused, match="nobody signed it"):
        import_run(history, unsigned)
    assert import_run(history, store(elsewhere, LOSSY, defects=Defects(lost=3))).proven_loss
    monkeypatch.setenv(keys.KEY_FILE, str(tmp_path / "ours.pem"))
    signed = store(tmp_path / "theirs", GOOD, notary=signing.ready(tmp_path / "theirs"))
    assert import_run(history, signed).run_id == GOOD
