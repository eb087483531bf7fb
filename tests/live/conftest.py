"""A state home of a test's own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PEAKDRILL_HOME of this test alone."""
    folder = tmp_path / "home"
    monkeypatch.setenv("PEAKDRILL_HOME", str(folder))
    return folder
