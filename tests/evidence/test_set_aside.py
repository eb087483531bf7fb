"""Rows that were set aside are read back whole, or a run is not judged by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.errors import Refused
from harness.evidence import set_aside
from harness.evidence.set_aside import SetAside

ROW = np.dtype([("at_ns", "<i8"), ("told", "u1")])


def rows(first: int, count: int) -> np.ndarray:
    made = np.zeros(count, ROW)
    made["at_ns"] = np.arange(first, first + count)
    return made


@pytest.fixture(params=[0, 1 << 20], ids=["in a file", "in memory"])
def aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """Nothing of what is asked here is as much as is held: a byte more than none is a file."""
    monkeypatch.setattr(set_aside, "IN_MEMORY_BYTES", request.param or 1)
    return SetAside(ROW, tmp_path)


def test_rows_come_back_by_their_stretch_in_the_order_in_which_they_came(aside: SetAside) -> None:
    aside.add(rows(0, 6), np.array([2, 1, 2, 1, 1, 2]))
    aside.add(rows(6, 2), np.array([1, 1]))
    assert aside.of(1)["at_ns"].tolist() == [1, 3, 4, 6, 7]
    assert aside.of(2)["at_ns"].tolist() == [0, 2, 5]
    assert aside.of(3).tolist() == []


def test_rows_that_are_not_all_there_any_more_are_refused(aside: SetAside) -> None:
    aside.add(rows(0, 4), np.array([1, 1, 2, 2]))
    aside._file.truncate(3 * ROW.itemsize)
    assert len(aside.of(1)) == 2
    with pytest.raises(Refused, match="not all there"):
        aside.of(2)


def test_a_disk_that_is_full_when_they_are_looked_for_is_refused(
    aside: SetAside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    aside.add(rows(0, 4), np.array([1, 1, 2, 2]))
    monkeypatch.setattr(aside._file, "seek", full)
    with pytest.raises(Refused, match="No space left") as told:
        aside.of(1)
    assert "make room" in str(told.value.next_step)
    with pytest.raises(Refused, match="No space left"):
        aside.add(rows(4, 1), np.array([1]))
