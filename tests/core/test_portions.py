"""A run in portions is judged as the same run in one: whatever the stretches cut apart."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.evidence import Evidence, LedgerHealth, ReadBack
from harness.core.judge import judge
from harness.core.money import money
from harness.core.plan import Plan
from harness.core.series import series
from harness.core.timeline import Mark, MarkName, Timeline
from harness.evidence import canonical
from tests.core import golden_evidence, simulate
from tests.core.judged_runs import run
from tests.core.portioned import in_portions
from tests.core.simulate import Defects, Restore
from tests.core.test_recovery_point import ENDS, FAULT, a_store, operations, survivors

NAMES = sorted(path.stem for path in golden_evidence.GOLDEN.glob("*.json"))
KEYS = [1, 2, 3, 7, 64]


@cache
def golden(name: str) -> tuple[Plan, Evidence, bytes]:
    return golden_evidence.read(name)


def told(plan: Plan, evidence: Evidence) -> tuple[bytes, ...]:
    """Everything that a report is made of, as bytes."""
    drawn = [
        column.tobytes()
        for one in series(plan, evidence)
        for column in (one.scheduled, one.offered, one.good, one.shed, one.latency_p50_ms,
                       one.latency_p99_ms)
    ]  # fmt: skip
    return canonical.dumps(judge(plan, evidence)), canonical.dumps(money(plan, evidence)), *drawn


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("keys", [40])
def test_old_evidence_in_portions_is_judged_to_the_byte_as_it_was(name: str, keys: int) -> None:
    plan, evidence, stored = golden(name)
    assert canonical.dumps(judge(plan, in_portions(evidence, keys))) == stored


@pytest.mark.parametrize("name", NAMES)
def test_money_and_series_are_the_same_too(name: str) -> None:
    plan, evidence, _ = golden(name)
    assert told(plan, in_portions(evidence, 75)) == told(plan, evidence)


@cache
def anything(seed: int) -> tuple[Plan, Evidence]:
    """Calls in an order that no client would dare, and stores that hold whatever they like."""
    plan, bare = run()
    calls, rows = a_store(seed)
    _, later = a_store(seed + 1)
    _, restored = a_store(seed + 2)
    kept = seed % 3
    marks = [
        Mark(MarkName.FAULT_ACTIVE, *FAULT), Mark(MarkName.INGRESS_CLOSED, 60, 60),
        *([Mark(MarkName.RECOVERY_POINT, 30, 30)] if seed % 5 else []),
        Mark(MarkName.UNPROTECTED, 20, 20),
    ]  # fmt: skip
    looks = {
        "first": ReadBack("first", 200, True, "", survivors(rows), 0, ()),
        "second": ReadBack("second", 300, True, "", survivors(later), 0, ()) if kept else None,
        "restored": ReadBack("restored", 80, True, "", survivors(restored), 0, ())
        if kept == 2
        else None,
    }
    seen = replace(bare.observation, replay_ended_ns=250 if seed % 2 else None)
    return replace(plan, workers=2), replace(
        bare, operations=operations(calls), timeline=Timeline(tuple(marks)), observation=seen,
        ledgers=tuple(LedgerHealth(w, True, end, 0, 0, 0, 0) for w, end in ENDS.items()),
        load_begun_ns=0, load_stopped_ns=400, **looks,
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.sampled_from(KEYS))
def test_hostile_stretches_change_nothing(seed: int, keys: int) -> None:
    plan, evidence = anything(seed)
    assert told(plan, in_portions(evidence, keys)) == told(plan, evidence)


@pytest.mark.parametrize("keys", [29, 100])
def test_every_planted_defect_is_found_through_portions(keys: int) -> None:
    defects = Defects(lost=3, ghost=2, duplicate=2, altered=2, partial=2, resurrected=1)
    plan, evidence = simulate.evidence(defects=defects)
    whole = told(plan, evidence)
    assert b'"lost": 3' in whole[0] or b'"lost":3' in whole[0]
    assert told(plan, in_portions(evidence, keys)) == whole


@pytest.mark.parametrize("restore", [Restore(), Restore(gone=2)])
def test_a_restore_is_told_through_portions(restore: Restore) -> None:
    plan, evidence = simulate.evidence(restore=restore)
    assert told(plan, in_portions(evidence, 60)) == told(plan, evidence)


def test_a_lost_tail_is_a_suffix_whichever_portions_it_lies_in() -> None:
    plan, evidence = run(defects=Defects(lost=1))
    found = {
        w.rpo.gated.lost_is_suffix
        for keys in KEYS
        for w in judge(plan, in_portions(evidence, keys)).workloads
        if w.rpo is not None
    }
    whole = {w.rpo.gated.lost_is_suffix for w in judge(plan, evidence).workloads if w.rpo}
    assert found == whole


def test_the_portions_hold_every_call_once() -> None:
    _, evidence = simulate.evidence()
    parts = list(in_portions(evidence, 11).portions())
    for side in ("calls", "chains"):
        seen = np.concatenate([getattr(p, side).seq for p in parts])
        assert sorted(seen.tolist()) == sorted(evidence.operations.seq.tolist())
