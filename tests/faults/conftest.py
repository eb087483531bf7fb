"""A platform made of files, and a run directory, for the tests of the faults."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import file_platform
from file_platform import FilePlatform

CHILD_SITE = Path(__file__).parent / "child_site"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilePlatform:
    """A whole platform of files; children and actions find it."""
    monkeypatch.setitem(sys.modules, "harness.platforms.find", file_platform)
    monkeypatch.setenv("PYTHONPATH", str(CHILD_SITE))
    return FilePlatform.up(tmp_path / "platform")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "r1"
    directory.mkdir()
    return directory


@pytest.fixture
def acting(files: FilePlatform, run: Path, monkeypatch: pytest.MonkeyPatch) -> FilePlatform:
    """The environment of an action, in this very process."""
    monkeypatch.setenv("PEAKDRILL_PLATFORM", str(files.directory))
    monkeypatch.setenv("PEAKDRILL_RUN", str(run))
    monkeypatch.delenv("PEAKDRILL_HOLD", raising=False)
    return files
