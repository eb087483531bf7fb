"""The undo is on disk before the deed, and gone only after the undo was seen."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from file_platform import FilePlatform
from watching import until

from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError
from harness.faults import journal, undo
from harness.faults.deeds import node_loss


def _arm(files: FilePlatform, node: str = "A") -> journal.Entry:
    return journal.write(files.directory, node_loss.NAME, {"node": node}, "r1")


def test_an_entry_names_the_deed_its_parameters_and_the_run(files: FilePlatform) -> None:
    entry = _arm(files)
    assert journal.pending(files.directory) == (entry,)
    assert (entry.fault, entry.parameter("node"), entry.run_id) == ("node-loss", "A", "r1")
    journal.remove(entry)
    journal.remove(entry)
    assert journal.pending(files.directory) == ()


def test_file_and_folder_are_synced_before_it_returns(
    files: FilePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    entry = _arm(files)
    folder = entry.file.parent
    assert synced == [str(folder / f".{entry.file.name}"), str(folder), str(files.directory)]


def test_a_full_disk_refuses_and_leaves_nothing(
    files: FilePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FaultError, match="No space left on device; so nothing was broken"):
        _arm(files)
    monkeypatch.undo()
    assert list((files.directory / "undo").iterdir()) == []


def test_undo_mends_and_twice_is_harmless(files: FilePlatform) -> None:
    assert undo.replay(files) == []
    assert not (files.directory / "undo").exists()
    _arm(files)
    files.nodes.kill("A")
    assert undo.replay(files, run_id="another") == []
    assert undo.replay(files) == ["node A started again"]
    assert not files.nodes.is_dead("A")
    assert undo.replay(files) == []
    assert files.deeds() == ["kill A", "start A"]


def test_undo_of_a_deed_that_was_never_done_is_harmless(files: FilePlatform) -> None:
    _arm(files)
    assert undo.replay(files) == ["node A started again"]
    assert journal.pending(files.directory) == ()


def test_an_entry_stays_until_the_undo_was_observed(files: FilePlatform) -> None:
    entry = _arm(files)
    files.nodes.kill("A")
    files.set_quirk("never-back")
    marks: list[Mark] = []
    with pytest.raises(FaultError, match=r"node A started again: not observed within 0\.2 s"):
        undo.replay(files, within_s=0.2, witness=marks.append)
    assert journal.pending(files.directory) == (entry,)
    files.set_quirk("never-back", on=False)
    undo.replay(files, witness=marks.append)
    assert [m.name for m in marks] == [
        MarkName.FAULT_RELEASED, MarkName.FAULT_RELEASED, MarkName.FAULT_HEALED,
    ]  # fmt: skip
    assert all(m.earliest_ns <= m.latest_ns for m in marks)


def test_one_that_cannot_be_mended_does_not_keep_the_others_broken(files: FilePlatform) -> None:
    strange = journal.write(files.directory, "melt-the-moon", {}, "r0")
    cut_off = files.directory / "undo" / "1-1.json"
    cut_off.write_text('{"fault": "lose-n')
    _arm(files)
    files.nodes.kill("A")
    with pytest.raises(FaultError, match=r"1-1\.json cannot be read.*melt-the-moon"):
        undo.replay(files)
    assert not files.nodes.is_dead("A")
    assert journal.scan(files.directory) == ((strange,), (cut_off,))
    with pytest.raises(FaultError, match=r"1-1\.json cannot be read"):
        journal.pending(files.directory)


def test_an_unfinished_entry_was_never_followed_by_a_deed(files: FilePlatform) -> None:
    _arm(files).file.rename(files.directory / "undo" / ".5-5.json")
    assert journal.pending(files.directory) == ()
    assert undo.replay(files) == []


def test_many_undoings_at_once_mend_once(files: FilePlatform) -> None:
    _arm(files)
    files.nodes.kill("A")
    mended: list[list[str]] = []
    threads = [threading.Thread(target=lambda: mended.append(undo.replay(files))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(mended) == [[], [], [], [], [], ["node A started again"]]
    assert files.deeds() == ["kill A", "start A"]


def test_the_lock_keeps_others_out_and_dies_with_its_holder(files: FilePlatform) -> None:
    program = (
        "import sys, time; from pathlib import Path; from harness.faults import journal\n"
        "with journal.locked(Path(sys.argv[1]), within_s=1):\n"
        "    print('held', flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(files.directory)], stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(FaultError, match="busy"), journal.locked(files.directory, within_s=0.1):
            pass
        holder.kill()
    with journal.locked(files.directory, within_s=5):
        pass


def test_an_entry_cannot_be_undone_between_its_writing_and_its_deed(files: FilePlatform) -> None:
    done: list[list[str]] = []
    with journal.locked(files.directory, within_s=1):
        _arm(files)
        other = threading.Thread(target=lambda: done.append(undo.replay(files)))
        other.start()
        files.nodes.kill("A")
        assert done == []
    other.join()
    until(lambda: not files.nodes.is_dead("A"), "node A mended")
    assert done == [["node A started again"]]
