"""What a start leaves that is killed: cleared by the next one, and nothing of anybody else's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker as docker_library
import pytest
from docker_seen import labelled, until

from harness.errors import Refused
from harness.inputs.containers_file import REFERENCE_IMAGE
from harness.platforms.containers import clearing, names, state

pytestmark = [pytest.mark.containers, pytest.mark.timeout(400)]
STARTER = """
from harness.platforms import find
find.start("containers")
print("up", flush=True)
"""


@pytest.fixture
def own_home(docker: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def stranger(docker: None) -> Iterator[str]:
    """A container of somebody else's, named like ours and without our label."""
    asked = docker_library.from_env()
    container = asked.containers.run(
        REFERENCE_IMAGE,
        name=f"peakdrill-{os.getpid()}-keeper",
        entrypoint=["sleep", "300"],
        labels={"peakdrill.part": "keeper"},
        detach=True,
    )
    try:
        yield container.name
    finally:
        container.remove(force=True)
        asked.close()


def killed_in_its_middle(home: Path) -> str:
    """Kill -9 a starter once containers of it run; the platform's id."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTER],
        env={**os.environ, "PEAKDRILL_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    ) as starter:
        until(lambda: any(names_of(home)), "a start that was begun")
        (platform_id,) = names_of(home)
        until(lambda: len(containers_of(platform_id)) >= 3, "containers that run")
        assert state.starter_lives(state.load(state.layout_of(home / "containers" / platform_id)))
        assert clearing.clear_leftovers() == ()  # it lives: nobody touches it
        starter.kill()
    return platform_id


def names_of(home: Path) -> list[str]:
    return [path.parent.name for path in (home / "containers").glob("*/platform.json")]


def containers_of(platform_id: str) -> list[str]:
    return [name for name in labelled(platform_id) if name.count("-") >= 2]


def test_the_next_start_clears_what_a_killed_one_left(own_home: Path, stranger: str) -> None:
    platform_id = killed_in_its_middle(own_home)
    assert labelled(platform_id) != []
    assert clearing.clear_leftovers() == (platform_id,)
    assert labelled(platform_id) == []
    assert names_of(own_home) == []
    assert clearing.clear_leftovers() == ()
    found = docker_library.from_env().containers.get(stranger)
    assert found.status in {"running", "created"}


def test_also_where_its_folder_is_gone(own_home: Path) -> None:
    platform_id = killed_in_its_middle(own_home)
    shutil.rmtree(own_home)
    assert clearing.clear_leftovers() == (platform_id,)
    assert labelled(platform_id) == []


def test_what_another_place_started_is_not_ours_to_judge() -> None:
    ours = names.labels("x1", Path("/nowhere/at/all"), "boot 1 1")
    assert clearing._is_orphan(ours)
    assert not clearing._is_orphan({**ours, names.SEEN_FROM: "mnt:[1] pid:[2]"})
    assert not clearing._is_orphan({**ours, names.STARTER: "somebody"})
    assert not clearing._is_orphan({names.PLATFORM: "x1"})
    us = names.labels("x1", Path("/nowhere/at/all"), starter_of_this_process())
    assert not clearing._is_orphan(us)


def starter_of_this_process() -> str:
    from harness.platforms.embedded.layout import boot_id
    from harness.platforms.embedded.process import identify

    me = identify(os.getpid())
    assert me is not None
    return f"{boot_id()} {me.pid} {me.start_ticks}"


def test_an_image_that_nobody_has_is_refused_before_anything_starts(
    own_home: Path, tmp_path: Path
) -> None:
    from harness.platforms import find

    file = tmp_path / "platform.yaml"
    file.write_text(
        "kind: containers\nimages: {application: 'localhost:1/peakdrill/no-such-image:1'}\n"
    )
    with pytest.raises(Refused, match="neither on this machine nor could it be pulled"):
        find.start("containers", file)
    assert names_of(own_home) == []
