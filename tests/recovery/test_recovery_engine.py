"""The engine of runbooks: done, then seen, then written down; what fails ends the runbook."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from harness.core.proofs import StepRecord
from harness.core.scenario import automatic, runbook
from harness.core.timeline import Mark, MarkName
from harness.errors import Interrupted, PlatformError
from harness.evidence import events, layout
from harness.evidence.lines import read_lines
from harness.evidence.rundir import RunDirectory
from harness.interrupts import interruptible
from harness.progress import Silent
from harness.recovery import run as running
from harness.recovery.engine import FAILBACK, carry_out, is_of_the_world
from harness.recovery.ground import Ground
from harness.recovery.resume import pending
from harness.recovery.run import recover
from harness.recovery.steps import Runbook, Step, nothing
from tests.core import simulate
from tests.faults.file_platform import FilePlatform
from tests.recovery.toy import NAMES, World, book, ground


def marks(run: Path) -> tuple[Mark, ...]:
    return events.read(run / layout.EVENTS).timeline.marks


def steps(run: Path) -> tuple[StepRecord, ...]:
    return read_lines(run / layout.STEPS, StepRecord)


def one(do=nothing, seen=lambda _: "seen", **how) -> Runbook:
    return Runbook("one", "One", (Step("only", "Only", do, seen, **how),))


def test_each_step_is_seen_before_the_next_and_written_down(
    files: FilePlatform, toy_run: Path
) -> None:
    said: list[str] = []
    assert carry_out(book(), ground(files, toy_run, say=said.append)) == ""
    assert World(files.directory).deeds() == list(NAMES)
    records = steps(toy_run)
    assert [r.name for r in records] == list(NAMES)
    assert all(r.done and r.begun_ns <= r.ended_ns and r.decision == "whether" for r in records)
    assert all(a.ended_ns <= b.begun_ns for a, b in itertools.pairwise(records))
    assert [f"{m.name}:{m.note}" for m in marks(toy_run)] == [
        "recovery-begun:toy",
        "step:toy: close",
        "step:toy: choose",
        "restored:restore is restored from backup-0",
        "step:toy: restore",
        "step:toy: open",
        "recovery-ended:toy",
    ]
    assert len(said) == len(NAMES)
    assert pending(files) == ()


def test_a_mark_holds_the_interval_in_which_its_effect_came(
    files: FilePlatform, toy_run: Path
) -> None:
    came: list[int] = []
    looks: list[int] = []

    def seen(_: Ground) -> str | None:
        looks.append(time.monotonic_ns())
        if len(looks) < 3:
            return None
        came.append(time.monotonic_ns())
        return "came"

    carry_out(one(seen=seen, mark=MarkName.REVOKED, note="queue"), ground(files, toy_run))
    (mark,) = [m for m in marks(toy_run) if m.name is MarkName.REVOKED]
    assert mark.note == "queue"
    assert mark.earliest_ns <= looks[1] <= came[0] <= mark.latest_ns
    assert mark.earliest_ns >= steps(toy_run)[0].begun_ns
    assert steps(toy_run)[0].ended_ns == mark.latest_ns


@pytest.mark.parametrize("limits", [{"limit_s": 0.3}, {"limit_s": 600}])
def test_a_step_that_is_never_seen_ends_the_runbook(
    files: FilePlatform, toy_run: Path, limits: dict[str, float]
) -> None:
    two = Runbook(
        "two",
        "Two",
        (Step("first", "First", nothing, lambda _: None, **limits), *book().steps),
    )
    why = carry_out(two, ground(files, toy_run), within_s=0.4)
    assert why.startswith("first: not observed within 0.")
    (record,) = steps(toy_run)
    assert (record.done, record.told) == (False, why.removeprefix("first: "))
    assert [m.name for m in marks(toy_run)] == [MarkName.RECOVERY_BEGUN]
    assert World(files.directory).deeds() == []
    assert [course.at for course in pending(files)] == ["first"]


def test_an_effect_that_is_there_when_the_deed_ends_late_was_still_seen(
    files: FilePlatform, toy_run: Path
) -> None:
    assert carry_out(one(limit_s=0), ground(files, toy_run)) == ""


@pytest.mark.parametrize(
    "error",
    [PlatformError("no room"), TimeoutError("late"), psycopg.OperationalError("gone\nat line 2")],
)
def test_a_deed_that_fails_ends_the_runbook(files: FilePlatform, toy_run: Path, error) -> None:
    def do(_: Ground) -> None:
        raise error

    why = carry_out(one(do=do), ground(files, toy_run))
    assert str(error).splitlines()[0] in why
    assert "\n" not in why
    assert [(r.done, r.told) for r in steps(toy_run)] == [(False, why.removeprefix("only: "))]


@pytest.mark.parametrize("where", ["do", "seen"])
def test_a_mistake_is_raised_and_leaves_its_record_without_its_words(
    files: FilePlatform, toy_run: Path, where: str
) -> None:
    def mistake(_: Ground) -> str:
        raise TypeError("a password perhaps")

    with pytest.raises(TypeError):
        carry_out(one(**{where: mistake}), ground(files, toy_run))
    assert [(r.done, r.told) for r in steps(toy_run)] == [(False, "TypeError")]
    assert not is_of_the_world(TypeError())


def test_a_look_that_fails_has_not_seen_anything_yet(files: FilePlatform, toy_run: Path) -> None:
    answers = [psycopg.OperationalError("starting up"), PlatformError("nobody leads"), None, "well"]

    def seen(_: Ground) -> str | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert carry_out(one(seen=seen), ground(files, toy_run)) == ""

    def never(_: Ground) -> str | None:
        raise PlatformError("nobody leads")

    why = carry_out(one(seen=never, limit_s=0.1), ground(files, toy_run))
    assert why.endswith("nobody leads")


def test_the_load_is_watched_while_a_deed_goes_on(files: FilePlatform, toy_run: Path) -> None:
    watched = threading.Event()

    def do(_: Ground) -> None:
        assert watched.wait(60), "nobody looked"

    assert carry_out(one(do=do), ground(files, toy_run), pulse=watched.set) == ""


def test_a_load_that_dies_is_noticed(files: FilePlatform, toy_run: Path) -> None:
    def dead() -> None:
        raise PlatformError("the load generator ended early")

    why = carry_out(one(seen=lambda _: None), ground(files, toy_run), pulse=dead)
    assert why == "only: the load generator ended early"


@pytest.fixture
def toy_on_the_shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "runbook_of", lambda _: book())


LOAD = SimpleNamespace(progress=Silent(), pulse=lambda: None)
PLAN = replace(simulate.plan_of(), run_id="r1")


def test_within_a_drill_by_its_name(
    files: FilePlatform, toy_run: Path, toy_on_the_shelf: None
) -> None:
    run = RunDirectory(toy_run)
    assert recover(automatic(within_s=1), PLAN, files, run, LOAD)
    assert World(files.directory).deeds() == []
    spec = runbook("toy", within_s=60, how="wide")
    assert recover(spec, PLAN, files, run, LOAD, between=FAILBACK)
    assert World(files.directory).effects()["open"] == "wide"
    names = [m.name for m in marks(toy_run) if m.name is not MarkName.STEP]
    assert names == [MarkName.FAILBACK_BEGUN, MarkName.RESTORED, MarkName.FAILBACK_ENDED]


@pytest.mark.parametrize("at", NAMES)
def test_ctrl_c_in_the_middle_leaves_no_half_restored_platform(
    files: FilePlatform, toy_run: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def strike(step: str, point: str) -> None:
        if (step, point) == (at, "half"):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(running, "runbook_of", lambda _: book(strike))
    said: list[str] = []
    load = SimpleNamespace(
        progress=SimpleNamespace(say=said.append, phase=lambda *_: None), pulse=lambda: None
    )
    spec = runbook("toy", within_s=60, how="wide")
    with interruptible(), pytest.raises(Interrupted):
        recover(spec, PLAN, files, RunDirectory(toy_run), load)
    assert list(World(files.directory).effects()) == sorted(NAMES)
    assert pending(files) == ()
    assert said[-1] == "toy: finished"
    assert [r.done for r in steps(toy_run)] == [*[True] * NAMES.index(at), False]
    assert MarkName.RECOVERY_ENDED not in {m.name for m in marks(toy_run)}
