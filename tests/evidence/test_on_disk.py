"""A stored run is judged by portions as it is when it is held: the same bytes, wherever it is cut."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.evidence import Evidence
from harness.core.judge import judge
from harness.core.money import money
from harness.core.operations import SLOT
from harness.core.plan import Plan
from harness.core.series import series
from harness.errors import DamagedEvidence
from harness.evidence import canonical, layout, set_aside
from harness.evidence.load import open_run
from harness.evidence.read_backs import ROW
from harness.evidence.set_aside import SetAside
from harness.ledger.slots import HEADER_BYTES, SLOT_BYTES
from harness.selftest.skewed import judged_elsewhere
from tests.core import simulate
from tests.core.simulate import Defects, Restore
from tests.core.test_portions import anything
from tests.evidence.stored_run import store


def told(plan: Plan, evidence: Evidence) -> list[bytes]:
    drawn = [
        column.tobytes()
        for one in series(plan, evidence)
        for column in (one.scheduled, one.offered, one.good, one.shed, one.latency_p50_ms,
                       one.latency_p99_ms)
    ]  # fmt: skip
    return [canonical.dumps(judge(plan, evidence)), canonical.dumps(money(plan, evidence)), *drawn]


def alike(directory: Path, keys: int) -> bytes:
    """Judged both ways; the verdict, once both were found to be the same."""
    plan, held, _ = open_run(directory)
    _, by_portions, _ = open_run(directory, held_max=0, keys=keys)
    assert held.stored is None
    assert by_portions.stored is not None
    assert len(by_portions.operations) == 0
    assert by_portions.ledgers == held.ledgers
    assert by_portions.clocks == held.clocks
    assert by_portions.load_stopped_ns == held.load_stopped_ns
    whole = told(plan, held)
    assert told(plan, by_portions) == whole
    return whole[0]


DEFECTS = Defects(
    lost=2, lost_early=1, replayed=2, ghost=1, duplicate=2, altered=1, partial=1, resurrected=1,
    stale=2, unexpected=2, beyond_end=1,
)  # fmt: skip


@cache
def simulated(name: str) -> tuple[Plan, Evidence]:
    if name == "restored":
        return simulate.evidence(restore=Restore(gone=2))
    return simulate.evidence(defects=DEFECTS if name == "spoilt" else Defects())


@pytest.mark.parametrize("keys", [37, 500])
@pytest.mark.parametrize("name", ["honest", "spoilt", "restored"])
def test_a_run_on_disk_is_judged_alike_by_portions(tmp_path: Path, name: str, keys: int) -> None:
    verdict = alike(store(tmp_path, of=simulated(name)), keys)
    assert (b"lost_is_suffix" in verdict) or name == "honest"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 400), keys=st.sampled_from([1, 2, 3, 8, 64]))
def test_calls_in_any_order_are_judged_alike(tmp_path_factory, seed: int, keys: int) -> None:
    plan, evidence = anything(seed)
    alike(store(tmp_path_factory.mktemp("run"), of=(plan, evidence)), keys)


@pytest.mark.parametrize("keys", [50])
def test_torn_slots_and_a_ledger_that_was_left_open_are_told_alike(
    tmp_path: Path, keys: int
) -> None:
    run = store(tmp_path, of=simulated("honest"))
    (run / layout.SEAL).unlink()
    (ledger,) = (run / layout.LEDGER).glob("*.slots")
    raw = bytearray(ledger.read_bytes())
    for seq, byte in ((3, 8), (49, 45), (50, 41), (51, 63), (120, 2)):
        raw[HEADER_BYTES + seq * SLOT_BYTES + byte] ^= 5
    raw[HEADER_BYTES + 60 * SLOT_BYTES : HEADER_BYTES + 61 * SLOT_BYTES] = bytes(SLOT_BYTES)
    ledger.write_bytes(raw)
    assert b"torn" in alike(run, keys)
    ledger.write_bytes(raw[: HEADER_BYTES + 130 * SLOT_BYTES] + bytes(20 * SLOT_BYTES))
    alike(run, keys)
    ledger.unlink()
    assert b"no ledger" in alike(run, keys)


@pytest.mark.parametrize("too_fast", [False, True])
def test_workers_with_clocks_of_their_own_are_told_alike(tmp_path: Path, *, too_fast: bool) -> None:
    run = store(tmp_path, of=simulated("honest"))
    judged = judged_elsewhere(run, tmp_path / "elsewhere", too_fast=too_fast)
    assert alike(tmp_path / "elsewhere", 60) == canonical.dumps(judged)


def test_a_look_that_was_cut_is_damaged_either_way(tmp_path: Path) -> None:
    run = store(tmp_path, of=simulated("honest"))
    (run / layout.SEAL).unlink()
    rows = run / layout.READBACK / "first.npy"
    whole = rows.read_bytes()
    for spoilt in (whole[:-5], b"", b"\x93NUMPY", np.lib.format.magic(1, 0) + bytes(40)):
        rows.write_bytes(spoilt)
        for held_max in (0, 1 << 20):
            with pytest.raises(DamagedEvidence, match=r"first\.npy"):
                open_run(run, held_max=held_max)
    np.save(rows, np.zeros(3, SLOT))
    with pytest.raises(DamagedEvidence, match="not the rows of a read-back"):
        open_run(run, held_max=0)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(parts=st.lists(st.lists(st.integers(0, 5), max_size=30), max_size=6))
def test_what_is_set_aside_comes_back_in_its_order(tmp_path: Path, parts: list[list[int]]) -> None:
    aside, kept, count = SetAside(ROW, tmp_path), {}, 0
    for part in parts:
        rows = np.zeros(len(part), ROW)
        rows["id"] = np.arange(count, count + len(part))
        count += len(part)
        aside.add(rows, np.array(part, dtype=np.int64))
        for stretch, number in zip(part, rows["id"].tolist(), strict=True):
            kept.setdefault(stretch, []).append(number)
    assert aside.stretches == sorted(kept)
    for stretch in range(6):
        assert aside.of(stretch)["id"].tolist() == kept.get(stretch, [])
    assert not list(tmp_path.iterdir())


def test_much_that_is_set_aside_lies_on_the_disk_and_has_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_aside, "IN_MEMORY_BYTES", 100)
    run = store(tmp_path, of=simulated("spoilt"))
    before = sorted(str(path) for path in run.rglob("*"))
    alike(run, 40)
    assert sorted(str(path) for path in run.rglob("*")) == before
