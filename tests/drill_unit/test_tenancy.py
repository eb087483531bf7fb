"""One platform, one drill: nobody measures, mends or ends it while another drill is on."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import PlatformError, Refused
from harness.faults import journal
from harness.platforms import find
from harness.progress import Silent
from harness.recovery import resume
from harness.recovery.engine import carry_out
from harness.tenancy import lock
from harness.tenancy.mending import mended
from harness.tenancy.taking import platform_for
from tests.faults.file_platform import FilePlatform
from tests.recovery.toy import World, book, ground


class Embedded(FilePlatform):
    def down(self) -> None:
        (self.directory / "gone").touch()


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FilePlatform]:
    up = Embedded.up(tmp_path / "platform")
    monkeypatch.setattr(find, "running", lambda *_: up)
    yield up
    assert not (up.directory / "gone").exists()


def test_the_undo_of_a_drill_that_is_on_is_refused(platform: FilePlatform) -> None:
    journal.write(platform.directory, "node-loss", {"node": "A", "selector": "primary"}, "r1")
    platform.nodes.kill("A")
    with lock.alone(platform), pytest.raises(Refused, match="another drill"):
        mended(lambda _: None)
    assert platform.nodes.is_dead("A")
    said: list[str] = []
    assert mended(said.append) is platform
    assert said
    assert not platform.nodes.is_dead("A")


def test_a_second_drill_is_refused(platform: FilePlatform) -> None:
    with platform_for("embedded", None, Silent()) as first:
        assert first is platform
        with (
            pytest.raises(Refused, match="another drill"),
            platform_for("embedded", None, Silent()),
        ):
            pass
    with platform_for("embedded", None, Silent()) as again:
        assert again is platform


def hold(directory: Path, ready) -> None:
    with lock.alone(Embedded(directory)):
        ready.set()
        signal.pause()


def test_the_lock_dies_with_its_holder(platform: FilePlatform) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=hold, args=(platform.directory, ready))
    holder.start()
    assert ready.wait(60)
    with pytest.raises(Refused), lock.alone(platform):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(10)
    with lock.alone(platform):
        pass


def test_a_tenant_is_written_whole(platform: FilePlatform) -> None:
    assert not lock.is_abandoned(platform)
    lock.move_in(platform)
    assert not lock.is_abandoned(platform)
    assert [f.name for f in platform.directory.glob("tenant*")] == ["tenant.json"]


def test_a_recovery_in_its_middle_is_finished_before_the_fault_is_undone(
    platform: FilePlatform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An undo is observed on a platform that answers: here it does once the doors are open."""
    carry_out(book(striking_with(PlatformError("killed"))), ground(platform, tmp_path))
    journal.write(platform.directory, "node-loss", {"node": "A", "selector": "primary"}, "r1")
    platform.nodes.kill("A")
    monkeypatch.setattr(resume, "runbook_of", lambda _: book())
    begun = platform.nodes.start
    opened: list[bool] = []

    def start(node: str) -> None:
        opened.append("open" in World(platform.directory).effects())
        begun(node)

    monkeypatch.setattr(platform.nodes, "start", start)
    said: list[str] = []
    assert mended(said.append) is platform
    assert opened == [True]
    assert said[0] == "resuming toy of run r1 at its step restore"
    assert said[-2:] == ["resumed: toy of run r1 was finished", "mended: node A started again"]


def test_a_recovery_that_cannot_be_finished_keeps_no_fault_alive(
    platform: FilePlatform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = book(striking_with(PlatformError("no room")))
    carry_out(broken, ground(platform, tmp_path))
    journal.write(platform.directory, "node-loss", {"node": "A", "selector": "primary"}, "r1")
    platform.nodes.kill("A")
    monkeypatch.setattr(resume, "runbook_of", lambda _: broken)
    with pytest.raises(PlatformError, match="no room"):
        mended(lambda _: None)
    assert not platform.nodes.is_dead("A")
    assert [course.at for course in resume.pending(platform)] == ["restore"]


def test_nobody_mends_what_is_ended(
    platform: FilePlatform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    carry_out(book(striking_with(PlatformError("no room"))), ground(platform, tmp_path))
    monkeypatch.setattr(lock, "is_abandoned", lambda _: True)
    said: list[str] = []
    assert mended(said.append) is None
    assert said == ["ended the platform of a drill that was killed"]
    (platform.directory / "gone").unlink()


def test_what_a_drill_leaves_unfinished_is_named(platform: FilePlatform, tmp_path: Path) -> None:
    said: list[str] = []
    progress = SimpleNamespace(say=said.append, phase=lambda *_: None)
    with platform_for("embedded", None, progress):
        carry_out(book(striking_with(PlatformError("no room"))), ground(platform, tmp_path))
    assert said == [
        "not finished: toy of run r1 at its step restore; `peakdrill undo` goes on with it"
    ]


def striking_with(error: Exception) -> Callable[[str, str], None]:
    def strike(step: str, point: str) -> None:
        if (step, point) == ("restore", "half"):
            raise error

    return strike
