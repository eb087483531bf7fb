"""One platform of containers for the session. Where there is no Docker the tests say so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker_seen import labelled, until

from harness.errors import Refused
from harness.faults import journal
from harness.inputs.containers_file import ContainersOptions
from harness.platforms import find
from harness.platforms.containers import daemon, images
from harness.platforms.containers.platform import ContainersPlatform
from harness.progress import Silent

REQUIRED = os.environ.get("PEAKDRILL_REQUIRE_CONTAINERS") == "1"


@pytest.fixture(scope="session")
def docker(private_home: Path) -> None:
    """A daemon of this machine that has the reference image."""
    try:
        daemon.client()
        images.ensure(ContainersOptions(), Silent())
    except Refused as error:
        if REQUIRED:
            pytest.fail(f"{error.what}, and PEAKDRILL_REQUIRE_CONTAINERS=1 demands it")
        pytest.skip(f"not run: {error.what}")


@pytest.fixture(scope="session")
def containers(docker: None) -> Iterator[ContainersPlatform]:
    """Whole; who breaks it mends it before the test ends. Nothing of it is left at the end."""
    started = find.start("containers")
    assert isinstance(started, ContainersPlatform)
    try:
        yield started
    finally:
        started.down()
    assert not started.directory.exists()
    assert labelled(started.directory.name) == []


@pytest.fixture
def whole(containers: ContainersPlatform) -> Iterator[ContainersPlatform]:
    until(lambda: containers.whole().whole, lambda: f"whole: {containers.whole().missing}")
    yield containers
    assert journal.pending(containers.directory) == ()
    until(lambda: containers.whole().whole, lambda: f"whole again: {containers.whole().missing}")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "r1"
    directory.mkdir()
    return directory
