"""One platform, one drill: nobody measures, mends or ends it while another drill is on."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import session, tenancy
from harness.errors import Refused
from harness.faults import journal
from harness.platforms import find
from harness.progress import Silent
from tests.faults.file_platform import FilePlatform


class Embedded(FilePlatform):
    def down(self) -> None:
        (self.directory / "gone").touch()


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FilePlatform]:
    up = Embedded.up(tmp_path / "platform")
    monkeypatch.setattr(find, "running", lambda: up)
    yield up
    assert not (up.directory / "gone").exists()


def test_the_undo_of_a_drill_that_is_on_is_refused(platform: FilePlatform) -> None:
    journal.write(platform.directory, "node-loss", {"node": "A", "selector": "primary"}, "r1")
    platform.nodes.kill("A")
    with tenancy.alone(platform), pytest.raises(Refused, match="another drill"):
        session.mended(lambda _: None)
    assert platform.nodes.is_dead("A")
    said: list[str] = []
    assert session.mended(said.append) is platform
    assert said
    assert not platform.nodes.is_dead("A")


def test_a_second_drill_is_refused(platform: FilePlatform) -> None:
    order = session.Order("node-loss")
    with session._platform(order, Silent()) as first:
        assert first is platform
        with pytest.raises(Refused, match="another drill"), session._platform(order, Silent()):
            pass
    with session._platform(order, Silent()) as again:
        assert again is platform


def hold(directory: Path, ready) -> None:
    with tenancy.alone(Embedded(directory)):
        ready.set()
        signal.pause()


def test_the_lock_dies_with_its_holder(platform: FilePlatform) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=hold, args=(platform.directory, ready))
    holder.start()
    assert ready.wait(60)
    with pytest.raises(Refused), tenancy.alone(platform):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(10)
    with tenancy.alone(platform):
        pass


def test_a_tenant_is_written_whole(platform: FilePlatform) -> None:
    assert not tenancy.is_abandoned(platform)
    tenancy.move_in(platform)
    assert not tenancy.is_abandoned(platform)
    assert [f.name for f in platform.directory.glob("tenant*")] == ["tenant.json"]
