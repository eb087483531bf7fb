"""A defect counts as planted once it came to bear, and not when somebody meant to plant it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.operation import Kind, Workload
from harness.core.timeline import Mark, MarkName
from harness.evidence import events, layout
from harness.ledger.writer import LedgerWriter
from harness.selftest import saboteurs
from harness.selftest.saboteurs import SABOTEURS, Saboteur, at_work

(FULL_DISK,) = [s for s in SABOTEURS if s.defect == "full-disk"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    tmp_path.joinpath(layout.LEDGER).mkdir()
    return tmp_path


@pytest.fixture
def open_ledger(run: Path) -> Callable[[], LedgerWriter]:
    def opened() -> LedgerWriter:
        made = LedgerWriter(run / layout.LEDGER / "worker-0.slots", run_id="r", worker=0)
        made.intent(intended_ns=1, sent_ns=2, workload=Workload.ORDER_CAPTURE, kind=Kind.CREATE)
        return made

    return opened


def test_a_disk_with_room_to_the_end_was_not_full(
    run: Path, open_ledger: Callable[[], LedgerWriter]
) -> None:
    ledger = open_ledger()
    assert FULL_DISK.unfelt(run) == ""  # as a ledger is left that was refused room
    ledger.close()
    assert FULL_DISK.unfelt(run) == "the run was over before the disk was full"


@pytest.mark.parametrize(("unfelt", "told"), [("", []), ("nobody noticed", ["nobody noticed"])])
def test_what_was_not_felt_is_not_planted(
    run: Path,
    open_ledger: Callable[[], LedgerWriter],
    monkeypatch: pytest.MonkeyPatch,
    unfelt: str,
    told: list[str],
) -> None:
    """And what is done is done after its mark, to whoever holds the ledger."""
    ledger, done = open_ledger(), threading.Event()
    monkeypatch.setattr(saboteurs, "load_workers", lambda _: [4711])
    victims: list[int] = []

    def deed(pid: int) -> None:
        victims.append(pid)
        done.set()

    planted = Saboteur(
        "d", "w", "schedule", deed, after=MarkName.LOAD_BEGUN, unfelt=lambda _: unfelt
    )
    with at_work(planted, run) as why:
        assert not done.wait(0.3)
        events.append(run / layout.EVENTS, Mark(MarkName.LOAD_BEGUN, 1, 1, ""))
        assert done.wait(30)
    ledger.close()
    assert victims == [4711]
    assert why == told


def test_a_run_that_never_came_to_its_mark_is_told(run: Path) -> None:
    planted = Saboteur("d", "w", "schedule", lambda _: None)
    with at_work(planted, run) as why:
        pass
    assert why == ["the run never came to baseline-ended"]
