"""A desk for every test: nothing is started, and everything that would be is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import session
from harness.platforms import find
from harness.tenancy import mending
from tests.gameday.desk import Desk, Drills, Platform, keys_in


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))
    for name in ("PEAKDRILL_SIGNING_KEY", "PEAKDRILL_SIGNING_KEY_FILE", "PEAKDRILL_TRUSTED_KEYS"):
        monkeypatch.delenv(name, raising=False)
    platform, drills = Platform(), Drills()
    monkeypatch.setattr(find, "running", platform.running)
    monkeypatch.setattr(find, "start", platform.start)
    monkeypatch.setattr(find, "facts_of", platform.facts_of)
    monkeypatch.setattr(mending, "mended", platform.mended)
    monkeypatch.setattr(session, "execute", drills.execute)
    made = Desk(tmp_path, keys_in(tmp_path), platform, drills)
    made.write()
    return made
