"""A drill that is stopped: the undo begins first, and who stopped it is told with its instant."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import drill as method
from harness.core.timeline import MarkName
from harness.errors import Interrupted, PlatformError
from harness.evidence import events, layout
from harness.evidence.rundir import RunDirectory
from harness.sightings import Sightings, note_healed, note_interruption


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path, "r1")


def stopped(why: str = "aborted by Ann (operator): enough") -> Interrupted:
    error = Interrupted(why)
    error.at_ns = time.monotonic_ns()
    return error


def test_the_undo_begins_before_anything_is_written_down(run: RunDirectory) -> None:
    order: list[str] = []

    def release() -> None:
        seen = events.read(run / layout.EVENTS).timeline.first(MarkName.INTERRUPTED)
        order.append("released after" if seen else "released before")

    error = stopped()
    fault = SimpleNamespace(release=release)
    with pytest.raises(Interrupted), method.released_when_stopped(fault, run):
        raise error
    assert order == ["released before"]
    (mark,) = events.read(run / layout.EVENTS).timeline.marks
    assert (mark.name, mark.note) == (MarkName.INTERRUPTED, error.what)
    assert mark.latest_ns == error.at_ns  # when it was asked for, not when it was written


@pytest.mark.parametrize("error", [PlatformError("the load died"), KeyError("ours")])
def test_whatever_ends_it_early_the_undo_begins_at_once(
    run: RunDirectory, error: Exception
) -> None:
    order: list[str] = []
    fault = SimpleNamespace(release=lambda: order.append("released"))
    with pytest.raises(type(error)), method.released_when_stopped(fault, run):
        raise error
    assert order == ["released"]
    assert events.read(run / layout.EVENTS).timeline.marks == ()


def test_the_reason_is_kept_word_by_word_and_once(run: RunDirectory) -> None:
    seen = Sightings()
    for why in ("aborted by Ann (operator): enough", "stopped by SIGINT"):
        with method.whatever_happens(seen, run):
            raise stopped(why)
    assert seen.interrupted == "aborted by Ann (operator): enough"
    assert len(events.read(run / layout.EVENTS).timeline.marks) == 1
    assert seen.mistake is None


def test_a_disk_that_is_full_delays_no_undo(tmp_path: Path) -> None:
    nowhere = RunDirectory(tmp_path / "gone")
    note_interruption(nowhere, stopped())
    seen = Sightings()
    note_healed(nowhere, seen)
    assert not seen.heal_observed


def test_what_was_healed_on_the_way_out_counts_as_seen(run: RunDirectory) -> None:
    seen = Sightings()
    note_healed(run, seen)
    assert not seen.heal_observed
    events.stamp(run / layout.EVENTS, MarkName.FAULT_HEALED)
    note_healed(run, seen)
    assert seen.heal_observed
