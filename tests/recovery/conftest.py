"""A platform of files and a run directory, for runbooks of toy steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.evidence.rundir import RunDirectory
from tests.faults.file_platform import FilePlatform


@pytest.fixture
def files(tmp_path: Path) -> FilePlatform:
    return FilePlatform.up(tmp_path / "platform")


@pytest.fixture
def toy_run(tmp_path: Path) -> Path:
    return RunDirectory.create(tmp_path, "r1").path
