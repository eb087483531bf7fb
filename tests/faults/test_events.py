"""events.jsonl survives what kills its writers, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.timeline import Mark, MarkName
from harness.errors import DamagedEvidence
from harness.evidence import events

ONE = Mark(MarkName.LOAD_BEGUN, 10, 12, 'a "note"\nwith {braces} and ü')
TWO = Mark(MarkName.FAULT_ACTIVE, 20, 21)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    assert events.read(file).timeline.marks == ()
    events.append(file, ONE)
    events.append(file, TWO)
    third = events.stamp(file, MarkName.STEP, "s")
    assert third.earliest_ns == third.latest_ns
    assert events.read(file) == events.Events(events.Timeline((ONE, TWO, third)))


def test_a_line_cut_at_any_byte_is_tolerated_reported_and_fenced_off(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    events.append(file, ONE)
    whole = file.read_bytes()
    for cut in range(1, len(whole) - 1):
        file.write_bytes(whole + whole[:cut])
        found = events.read(file)
        assert found.timeline.marks == (ONE,), cut
        assert "events.jsonl:2" in found.torn[0]
        events.append(file, TWO)
        found = events.read(file)
        assert [m for m in found.timeline.marks if m.note != events.TORN_NOTE] == [ONE, TWO]
        assert "events.jsonl:2" in found.torn[0]


def test_a_line_that_lacks_only_its_end_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    events.append(file, ONE)
    file.write_bytes(file.read_bytes()[:-1])
    assert events.read(file) == events.Events(events.Timeline((ONE,)))
    events.append(file, TWO)
    found = events.read(file).timeline.marks
    assert (found[0], found[-1]) == (ONE, TWO)


@pytest.mark.parametrize(
    "line",
    [
        b"rubbish",
        b"\x00\x00\x00",
        b'{"name":"load-begun","earliest_ns":1,"lat',  # cut, but in the middle
        b'{"name":"load-begun","earliest_ns":1,"latest_ns":2,"note":"\xff"}',
        b'{"name":"never-heard-of","earliest_ns":1,"latest_ns":2,"note":""}',
        b'{"name":"load-begun","earliest_ns":3,"latest_ns":2,"note":""}',
        b'{"name":"load-begun","earliest_ns":1.5,"latest_ns":2,"note":""}',
        b'{"name":"load-begun","earliest_ns":true,"latest_ns":2,"note":""}',
        b'{"name":["x"],"earliest_ns":1,"latest_ns":2,"note":""}',
        b'{"name":"load-begun","earliest_ns":1,"latest_ns":2}',
        b"[]",
        b"",
    ],
)
def test_other_damage_names_file_and_line(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "events.jsonl"
    events.append(file, ONE)
    sound = file.read_bytes()
    file.write_bytes(sound + line + b"\n" + sound)
    with pytest.raises(DamagedEvidence, match=r"events\.jsonl:2: "):
        events.read(file)


def test_a_damaged_last_line_is_not_taken_for_a_torn_one(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    events.append(file, ONE)
    file.write_bytes(file.read_bytes() + b'{"name":"load-begun","earl\x00est_ns":1,"latest_ns":2}')
    with pytest.raises(DamagedEvidence):
        events.read(file)


def test_several_processes_write_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    program = (
        "import sys; from pathlib import Path; from harness.evidence import events;"
        "from harness.core.timeline import MarkName;"
        "[events.stamp(Path(sys.argv[1]), MarkName.STEP, sys.argv[2] * 900) for _ in range(40)]"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(file), letter]) for letter in "abc"
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    found = events.read(file)
    assert found.torn == ()
    assert sorted(m.note[0] for m in found.timeline.marks) == sorted("abc" * 40)
