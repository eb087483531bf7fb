"""Keys of their own for every test, and one sealed run that tests copy before they damage it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from harness.evidence import keys, signing
from tests.evidence import stored_run

NAMES = (keys.KEY_FILE, keys.KEY_TEXT, keys.TRUSTED)


@pytest.fixture(autouse=True)
def _nobody_named_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key that an organisation would name; its public half lies beside it."""
    file = tmp_path_factory.mktemp("keys") / "ours.pem"
    keys.make_key(file)
    return file


@pytest.fixture(scope="session")
def made(key_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two signed runs and their chain; nobody writes here."""
    out = tmp_path_factory.mktemp("made") / "runs"
    out.mkdir()
    before = {name: os.environ.pop(name, None) for name in NAMES}
    os.environ[keys.KEY_FILE] = str(key_file)
    try:
        notary = signing.ready(out)
    finally:
        del os.environ[keys.KEY_FILE]
        os.environ.update({name: value for name, value in before.items() if value})
    stored_run.store(out, "20261122T030000Z0001", notary=notary)
    stored_run.store(out, "20261122T040000Z0002", begun_utc="2026-11-22T04:00:00Z", notary=notary)
    return out


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> Path:
    """A copy of them that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "runs"))


@pytest.fixture
def run(runs: Path) -> Path:
    return runs / "20261122T040000Z0002"
