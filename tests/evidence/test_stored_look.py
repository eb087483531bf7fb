"""The rows of a look by stretch: all of them, in the order of the store, wherever they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import DamagedEvidence
from harness.evidence import layout, read_backs, stored_look
from harness.evidence.read_backs import file_of
from harness.evidence.stored_look import WORKER_SHIFT, StoredLook
from harness.readback.store_rows import ROW

KEYS = 4


def saved(run: Path, keys: list[tuple[int, int]]) -> np.ndarray:
    """Rows of these (worker, seq), each with a number of its own."""
    rows = np.zeros(len(keys), ROW)
    for row, (worker, seq) in enumerate(keys):
        rows[row] = (0, worker, seq, row, 1, row + 7, 0, 1, 1)
    (run / layout.READBACK).mkdir(exist_ok=True)
    np.save(file_of(run, "first"), rows)
    return rows


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    keys=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 15)), max_size=40),
    in_order=st.booleans(),
    runs=st.sampled_from([1, 2, 4, 64]),
    at_once=st.sampled_from([1, 5, 64]),
)
def test_each_stretch_has_its_rows_in_their_order(
    tmp_path: Path, keys: list[tuple[int, int]], in_order: bool, runs: int, at_once: int
) -> None:
    rows = saved(tmp_path, sorted(keys) if in_order else keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_look, "_RUNS_MAX", runs)
        patch.setattr(read_backs, "_ROWS_AT_ONCE", at_once)
        look = StoredLook(tmp_path, "first", keys=KEYS)
    stretch = (rows["worker"].astype(np.int64) << WORKER_SHIFT) | (rows["seq"] // KEYS)
    assert sorted(look.stretches) == sorted(set(stretch.tolist()))
    for one in {*stretch.tolist(), 3, 1 << WORKER_SHIFT}:
        assert look.of(one).tobytes() == rows[stretch == one].tobytes()


def test_a_file_that_is_cut_meanwhile_is_damaged(tmp_path: Path) -> None:
    saved(tmp_path, [(0, seq) for seq in range(20)])
    look = StoredLook(tmp_path, "first", keys=KEYS)
    file = file_of(tmp_path, "first")
    file.write_bytes(file.read_bytes()[:-3])
    assert len(look.of(0)) == KEYS
    with pytest.raises(DamagedEvidence, match="cut while it was read"):
        look.of(4)
