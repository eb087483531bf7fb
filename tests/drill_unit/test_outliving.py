"""A node of a cluster was there before the platform, and must not stay broken when that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.errors import FaultError, PlatformError
from harness.faults import journal, undo
from harness.platforms import find
from harness.progress import Silent
from harness.tenancy import lock
from harness.tenancy.mending import mended
from harness.tenancy.taking import platform_for
from tests.faults.file_platform import FilePlatform


class Leases:
    """Of a cluster, as far as an end asks for them."""

    def __init__(self) -> None:
        self.played = 0
        self.error: Exception | None = None
        self.away = False

    @contextmanager
    def alone(self, mine: str) -> Iterator[None]:
        assert mine
        if self.away:
            raise PlatformError("the cluster does not answer")
        yield

    def play_left_behind(self) -> list[str]:
        if self.error:
            raise self.error
        self.played += 1
        return ["uncordon n1"]


class Stack(FilePlatform):
    """Its nodes outlive it, and its journal does not."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.cluster_faults = Leases()

    def down(self) -> None:
        (self.directory / "gone").touch()

    @property
    def is_gone(self) -> bool:
        return (self.directory / "gone").exists()


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    up = Stack.up(tmp_path / "stack")
    assert isinstance(up, Stack)
    journal.write(up.directory, "node-loss", {"node": "A", "selector": "primary"}, "r1")
    up.nodes.kill("A")  # type: ignore[union-attr]
    monkeypatch.setattr(find, "running", lambda *_: up)
    monkeypatch.setattr(lock, "is_abandoned", lambda _: True)
    return up


def test_a_node_gets_its_power_back_before_an_abandoned_platform_ends(stack: Stack) -> None:
    said: list[str] = []
    assert mended(said.append) is None
    assert stack.deeds() == ["kill A", "start A"]
    assert stack.cluster_faults.played == 1
    assert said[:2] == ["mended: node A started again", "mended: uncordon n1"]
    assert stack.is_gone


def test_a_cluster_that_is_gone_for_ever_is_told_how_to_be_forgotten(stack: Stack) -> None:
    stack.cluster_faults.away = True
    with pytest.raises(PlatformError, match="does not answer") as caught:
        mended(str)
    assert f"delete {stack.directory}" in caught.value.next_step
    assert not stack.is_gone


def test_what_cannot_be_mended_keeps_the_platform_and_its_journal(stack: Stack) -> None:
    stack.set_quirk("start-fails")
    with pytest.raises(FaultError, match="no room to start"):
        mended(lambda _: None)
    assert not stack.is_gone
    assert len(journal.pending(stack.directory)) == 1


def test_a_platform_that_is_not_whole_any_more_is_ended_once_its_node_runs(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = dict(undo.replay.__kwdefaults__ or {})
    monkeypatch.setattr(undo.replay, "__kwdefaults__", {**known, "within_s": 0.2})
    stack.set_quirk("never-back")
    assert mended(lambda _: None) is None
    assert stack.deeds() == ["kill A", "start A"]
    assert stack.is_gone


def test_leases_that_nobody_can_read_keep_the_platform(stack: Stack) -> None:
    stack.cluster_faults.error = PlatformError("the cluster does not answer")
    with pytest.raises(PlatformError, match="does not answer") as told:
        mended(lambda _: None)
    assert "if it is gone for ever" in str(told.value.next_step)
    assert not stack.is_gone


def test_a_drill_that_ends_its_own_platform_leaves_no_node_broken(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "running", lambda *_: None)
    monkeypatch.setattr(find, "start", lambda *_, **__: stack)
    with platform_for("kubernetes", None, Silent()):
        assert stack.nodes.is_dead("A")  # type: ignore[union-attr]
    assert not stack.nodes.is_dead("A")  # type: ignore[union-attr]
    assert stack.is_gone
