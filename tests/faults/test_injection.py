"""Injections with the real Chaos Toolkit as a child, on a platform of files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from file_platform import FilePlatform
from watching import PATIENCE_S, is_gone, until

from harness.core.timeline import MarkName
from harness.errors import BadInput, DamagedEvidence, FaultError
from harness.evidence import events
from harness.faults import journal, undo
from harness.faults.experiment import find_experiment
from harness.faults.injection import Bounds, injection
from harness.faults.state import FAULT_MARKS, State

LOSS, NULL = find_experiment("node-loss"), find_experiment("null")
PRIMARY = {"node": "primary"}
NOT_YET = "the platform is not whole yet: the standby does not stream"


def _fault_marks(run: Path) -> list[MarkName]:
    marks = events.read(run / "events.jsonl").timeline.marks
    return [m.name for m in marks if m.name in FAULT_MARKS]


def _steps(run: Path) -> list[str]:
    return [m.note for m in events.read(run / "events.jsonl").timeline.all(MarkName.STEP)]


def test_smoke_the_fault_acts_holds_and_heals(files: FilePlatform, run: Path) -> None:
    with injection(LOSS, PRIMARY, files, run) as fault:
        assert fault.state is State.IDLE
        fault.inject()
        assert fault.await_effect(within_s=PATIENCE_S)
        assert fault.state is State.ACTIVE
        assert files.nodes.is_dead("A")
        assert journal.pending(files.directory)[0].run_id == "r1"
        assert not fault.await_healed(within_s=0.1)  # it holds until it is released
        fault.release()
        assert fault.await_healed(within_s=PATIENCE_S)
        assert fault.state is State.HEALED
    assert fault.why == ""
    assert journal.pending(files.directory) == ()
    assert _steps(run) == [
        "platform-is-whole: succeeded (True)", "lose-node: succeeded", "node-is-lost: succeeded (True)",
        "hold: succeeded", "mend: succeeded",
    ]  # fmt: skip
    assert '"primary"' in (run / "experiment.yaml").read_text()
    assert {f.name for f in (run / "chaos").iterdir()} == {"chaos.log", "journal.json"}


def test_null_no_effect_is_seen_where_nothing_was_broken(files: FilePlatform, run: Path) -> None:
    with injection(NULL, PRIMARY, files, run) as fault:
        fault.inject()
        assert not fault.await_effect(within_s=PATIENCE_S)
        assert fault.state is State.SPOILED
        assert "no effect was observed" in fault.why
        fault.release()
        assert fault.await_healed(within_s=PATIENCE_S)  # nothing was ever armed
    assert _fault_marks(run) == [MarkName.NO_EFFECT]
    assert files.deeds() == []


def test_a_failed_hypothesis_breaks_nothing_and_is_not_a_success(
    files: FilePlatform, run: Path
) -> None:
    files.set_quirk("not-whole")
    with injection(LOSS, PRIMARY, files, run, bounds=Bounds(whole_s=1)) as fault:
        fault.inject()
        assert not fault.await_effect(within_s=PATIENCE_S)
        assert fault.state is State.SPOILED
    assert "no step of its method was run" in fault.why
    assert "platform-is-whole: False, which is not tolerated" in fault.why
    assert fault.why.count("the platform is not whole: the standby does not stream") == 1
    assert _steps(run)[:2] == [NOT_YET, "the platform is not whole: the standby does not stream"]
    assert "mend: succeeded" in _steps(run)  # the rollbacks were played, harmlessly
    assert files.deeds() == []


def test_what_the_platform_lacks_may_pass_before_the_fault_goes_in(
    files: FilePlatform, run: Path
) -> None:
    files.set_quirk("not-whole")
    with injection(LOSS, PRIMARY, files, run, bounds=Bounds(whole_s=int(PATIENCE_S))) as fault:
        fault.inject()
        until(lambda: NOT_YET in _steps(run), "the first look")
        assert files.deeds() == []
        files.set_quirk("not-whole", on=False)
        assert fault.await_effect(within_s=PATIENCE_S), fault.why
    assert fault.why == ""
    assert _steps(run)[:2] == [NOT_YET, "platform-is-whole: succeeded (True)"]


def test_nobody_waits_for_the_platform_once_the_fault_was_released(
    files: FilePlatform, run: Path
) -> None:
    files.set_quirk("not-whole")
    with injection(LOSS, PRIMARY, files, run, bounds=Bounds(whole_s=3600)) as fault:
        fault.inject()
        until(lambda: NOT_YET in _steps(run), "the first look")
        fault.release()
        assert not fault.await_effect(within_s=PATIENCE_S)
    assert "the platform is not whole: the standby does not stream" in fault.why
    assert files.deeds() == []


@pytest.mark.parametrize(
    ("quirk", "marks"),
    [
        ("kill-fails", [MarkName.FAULT_ARMED, MarkName.FAULT_SPOILED]),
        ("kill-without-effect", [MarkName.FAULT_ARMED, MarkName.NO_EFFECT]),
    ],
)
def test_a_deed_that_fails_spoils_and_is_undone_at_once(
    files: FilePlatform, run: Path, quirk: str, marks: list[MarkName]
) -> None:
    files.set_quirk(quirk)
    with injection(LOSS, PRIMARY, files, run) as fault:
        fault.inject()
        assert not fault.await_effect(within_s=PATIENCE_S)
        assert fault.state is State.SPOILED
        until(lambda: journal.pending(files.directory) == (), "the undo, without a release")
    assert _fault_marks(run)[:2] == marks
    assert files.deeds() == ["kill A", "start A"]
    assert not any(step.startswith("hold") for step in _steps(run))


def test_no_target_is_spoiled(files: FilePlatform, run: Path) -> None:
    with injection(LOSS, {"node": "Z"}, files, run) as fault:
        fault.inject()
        assert not fault.await_effect(within_s=PATIENCE_S)
    assert "no node matches 'Z'" in fault.why
    assert _fault_marks(run) == [MarkName.FAULT_SPOILED]


def test_leaving_by_an_error_releases_and_heals(files: FilePlatform, run: Path) -> None:
    with pytest.raises(KeyboardInterrupt), injection(LOSS, PRIMARY, files, run) as fault:  # noqa: PT012
        fault.inject()
        assert fault.await_effect(within_s=PATIENCE_S)
        raise KeyboardInterrupt
    assert fault.state is State.HEALED
    assert not files.nodes.is_dead("A")


def test_leaving_before_the_deed_breaks_nothing(files: FilePlatform, run: Path) -> None:
    files.set_quirk("slow-answer")
    with injection(LOSS, PRIMARY, files, run) as fault:
        fault.inject()
        fault.release()
        files.set_quirk("slow-answer", on=False)
    assert files.deeds() == []
    assert fault.state is State.SPOILED


def test_never_injected_leaves_no_trace(files: FilePlatform, run: Path) -> None:
    with injection(LOSS, PRIMARY, files, run) as fault:
        pass
    assert fault.pid is None
    assert _fault_marks(run) == []


def test_a_child_killed_while_it_holds_leaves_the_journal_and_close_mends(
    files: FilePlatform, run: Path
) -> None:
    with injection(LOSS, PRIMARY, files, run) as fault:
        fault.inject()
        assert fault.await_effect(within_s=PATIENCE_S)
        assert fault.pid is not None
        os.kill(fault.pid, signal.SIGKILL)
        assert not fault.await_healed(within_s=PATIENCE_S)
        assert fault.state is State.SPOILED
        assert "killed" in fault.why
        assert len(journal.pending(files.directory)) == 1
        assert files.nodes.is_dead("A")
    assert not files.nodes.is_dead("A")
    assert undo.replay(files) == []
    assert _fault_marks(run)[-2:] == [MarkName.FAULT_RELEASED, MarkName.FAULT_HEALED]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2])
def test_a_signal_to_the_child_plays_the_rollbacks(
    files: FilePlatform, run: Path, number: signal.Signals
) -> None:
    with injection(LOSS, PRIMARY, files, run) as fault:
        fault.inject()
        assert fault.await_effect(within_s=PATIENCE_S)
        assert fault.pid is not None
        os.kill(fault.pid, number)
        os.kill(fault.pid, number)  # an impatient person
        until(lambda: MarkName.FAULT_HEALED in _fault_marks(run), "rollback by signal")
        assert not files.nodes.is_dead("A")
        assert journal.pending(files.directory) == ()


def test_signals_during_the_rollback_do_not_cut_it_short(files: FilePlatform, run: Path) -> None:
    files.set_quirk("never-back")
    with injection(LOSS, PRIMARY, files, run) as fault:
        fault.inject()
        assert fault.await_effect(within_s=PATIENCE_S)
        fault.release()
        until(lambda: MarkName.FAULT_RELEASED in _fault_marks(run), "the release")
        assert fault.pid is not None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2, signal.SIGTERM):
            os.kill(fault.pid, number)
        files.set_quirk("never-back", on=False)
        assert fault.await_healed(within_s=PATIENCE_S)
    assert fault.state is State.HEALED


def test_what_cannot_be_healed_is_said_and_stays_in_the_journal(
    files: FilePlatform, run: Path
) -> None:
    files.set_quirk("never-back")
    with (  # noqa: PT012  leaving the block is what is tested
        pytest.raises(FaultError, match="node A started again: not observed within 1 s"),
        injection(LOSS, PRIMARY, files, run, bounds=Bounds(heal_s=1)) as fault,
    ):
        fault.inject()
        assert fault.await_effect(within_s=PATIENCE_S)
        fault.release()
        assert not fault.await_healed(within_s=PATIENCE_S)
    assert fault.state is State.SPOILED
    assert len(journal.pending(files.directory)) == 1
    files.set_quirk("never-back", on=False)
    assert undo.replay(files) == ["node A started again"]


def test_marks_that_cannot_be_written_do_not_keep_anything_broken(
    files: FilePlatform, run: Path
) -> None:
    with pytest.raises(DamagedEvidence), injection(LOSS, PRIMARY, files, run) as fault:  # noqa: PT012
        fault.inject()
        assert fault.await_effect(within_s=PATIENCE_S)
        (run / "events.jsonl").rename(run / "kept")
        (run / "events.jsonl").mkdir()
        fault.await_healed(within_s=PATIENCE_S)
    assert not files.nodes.is_dead("A")
    assert journal.pending(files.directory) == ()


def test_a_rollback_leaves_the_fault_of_another_run_alone(
    files: FilePlatform, run: Path, tmp_path: Path
) -> None:
    other = tmp_path / "r2"
    other.mkdir()
    with injection(LOSS, PRIMARY, files, run) as fault:
        fault.inject()
        assert fault.await_effect(within_s=PATIENCE_S)
        with injection(LOSS, {"node": "B"}, files, other) as second:
            second.inject()
            assert not second.await_effect(within_s=PATIENCE_S)
        assert "run r1 left node-loss undone" in second.why
        assert files.nodes.is_dead("A")
        assert fault.state is State.ACTIVE
    assert fault.state is State.HEALED
    assert files.deeds() == ["kill A", "start A"]


def test_an_effect_that_comes_too_late_is_no_effect(files: FilePlatform, run: Path) -> None:
    files.set_quirk("slow-answer")
    with injection(LOSS, PRIMARY, files, run) as fault:
        fault.inject()
        assert not fault.await_effect(within_s=0.05)
        assert fault.state is State.SPOILED
        assert "no effect was observed within 0.05 s" in fault.why
        files.set_quirk("slow-answer", on=False)
        until(lambda: files.nodes.is_dead("A"), "the deed, too late")
    assert not files.nodes.is_dead("A")


def test_the_harness_killed_the_child_mends(files: FilePlatform, run: Path) -> None:
    died = _harness_killed(files, run, lambda child: None)
    until(lambda: is_gone(died), "the child's end")
    assert _fault_marks(run) == [
        MarkName.FAULT_ARMED, MarkName.FAULT_ACTIVE, MarkName.FAULT_RELEASED,
        MarkName.FAULT_HEALED,
    ]  # fmt: skip
    assert journal.pending(files.directory) == ()
    assert not files.nodes.is_dead("A")


def test_harness_and_child_killed_the_journal_mends(files: FilePlatform, run: Path) -> None:
    died = _harness_killed(files, run, lambda child: os.kill(child, signal.SIGKILL))
    until(lambda: is_gone(died), "the child's end")
    assert files.nodes.is_dead("A")
    assert undo.replay(files) == ["node A started again"]
    assert undo.replay(files) == []
    assert not files.nodes.is_dead("A")


def test_the_experiment_that_runs_is_the_one_that_was_planned(
    files: FilePlatform, run: Path
) -> None:
    (run / "experiment.yaml").write_text(NULL.read_text())
    with pytest.raises(FaultError, match="the plan and the fault differ"), \
         injection(LOSS, PRIMARY, files, run):  # fmt: skip
        pass
    with pytest.raises(BadInput, match="not a parameter"), \
         injection(LOSS, {"nod": "A"}, files, run):  # fmt: skip
        pass


def test_by_hand_it_holds_by_timer_and_restores(
    files: FilePlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILE_PLATFORM_UP", str(files.directory))
    monkeypatch.setenv("PEAKDRILL_HOLD_MAX_S", "1")
    done = subprocess.run(
        [sys.executable, "-m", "chaostoolkit", "--no-version-check", "--no-log-file", "run", LOSS],
        capture_output=True, check=False, cwd=tmp_path, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "fault-active: node A (primary)" in done.stderr
    assert files.deeds() == ["kill A", "start A"]


def _harness_killed(files: FilePlatform, run: Path, first: Callable[[int], object]) -> int:
    """Kill -9 a harness whose fault is active; returns the child's pid."""
    program = Path(__file__).parent / "harness_process.py"
    process = subprocess.Popen(
        [sys.executable, program, files.directory, run], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        told = process.stdout.readline().split()
        assert told[:1] == ["active"]
        assert files.nodes.is_dead("A")
        first(int(told[1]))
        process.kill()
    return int(told[1])
