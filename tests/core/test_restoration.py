"""What a restore cost: it agrees with a slow oracle, and with what was planted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.evidence import ReadBack
from harness.core.judge import judge
from harness.core.operation import Kind, Outcome
from harness.core.records import records_of
from harness.core.recovery_point import classify, held_by
from harness.core.restoration import End, as_restored, restoration, restore_of
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import RestorationCounts, Verdict
from tests.core import simulate
from tests.core.judged_runs import ORDERS_ALONE, run
from tests.core.oracle_point import Call, Row, Told, told_of
from tests.core.simulate import MS, ORDERS, Restore, S
from tests.core.simulated_recovery import fault_of, latent, scenario, with_marks
from tests.core.test_recovery_point import FAULT, a_store, laws, operations, stores, survivors

_, BARE = run()


def measure(
    calls: list[Call],
    rows: list[Row],
    cut: int | None,
    later: list[Row] | None,
    told: int | None = None,
) -> RestorationCounts:
    """As the judge takes it: `rows` after the restore, `later` at the end."""
    marks = [Mark(MarkName.FAULT_ACTIVE, *FAULT)]
    if told is not None:
        marks.append(Mark(MarkName.RECOVERY_POINT, told, told))
    if cut is not None:
        marks.append(Mark(MarkName.INGRESS_CLOSED, cut - 1, cut))
    look = ReadBack("restored", 150, True, "", survivors(rows), 0, ())
    evidence = replace(
        BARE, operations=operations(calls), restored=look, timeline=Timeline(tuple(marks))
    )
    restore, portion, end = restore_of(evidence), evidence.portion(0), None
    if later is not None:
        records = records_of(evidence.operations)
        held = held_by(records, survivors(later))
        classes = as_restored(restore, portion, records, classify(records, held), held)
        end = End(records, classes, held)
    fault = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    (found,) = restoration(restore, [(portion, end)], (ORDERS,), fault=fault, run_id="r1")
    return found


def as_known(calls: list[Call], cut: int) -> list[Call]:
    """The ledger as it stood at the cut."""
    return [
        replace(c, outcome=Outcome.UNKNOWN) if c.done >= cut else c for c in calls if c.sent < cut
    ]


def missing_of(told: Told, point: int, cut: int) -> list[Call]:
    """What is gone, and what of a record that is there came after the recovery point."""
    late = [c for c in told.calls if c.outcome is Outcome.ACKED and point <= c.done < cut]
    undone = {
        Kind.ATTACH: not told.has_document(),
        Kind.CANCEL: told.resurrected(),
    }
    taken = [c for c in late if told.there and undone.get(c.kind, False)]
    return [*told.missing_calls(), *taken]


def slowly(calls: list[Call], rows: list[Row], cut: int, later: list[Row]) -> dict[str, int | None]:
    """Every record on its own, by the words of the definitions."""
    then, now = told_of(as_known(calls, cut), rows), told_of(calls, later)
    point = min((c.done for told in then.values() for c in told.missing_calls()), default=cut)
    missing = {key: missing_of(told, point, cut) for key, told in then.items()}
    lost = {key: calls for key, calls in missing.items() if calls}
    fate = {}
    for key in lost:
        end = now[key]
        sound = not (end.altered() or end.partial() or end.refused)
        gone = bool(missing_of(end, point, cut))
        fate[key] = "gone" if gone else "back" if sound and len(end.rows) == 1 else "spoiled"
    count = Counter(fate.values())
    acks = [c.done for missing in lost.values() for c in missing]

    def value(*fates: str) -> int:
        creates = (now[key].create for key in fate if fate[key] in fates)
        return sum(c.value for c in creates if not c.canary)

    return {
        "acked": len([t for t in then.values() if t.acked]),
        "lost": len(lost), "back": count["back"], "gone": count["gone"],
        "spoiled": count["spoiled"], "lost_value_cents": value("back", "gone", "spoiled"),
        "back_value_cents": value("back"), "gone_value_cents": value("gone"),
        "recovery_point_ns": min(acks) - 1 - FAULT[1] if acks else None,
        "last_lost_ns": max(acks) - FAULT[1] if acks else None,
        "span_ns": max(acks) - min(acks) + 1 if acks else 0,
    }  # fmt: skip


@laws
@given(stores, st.integers(0, 2**32), st.sampled_from([None, 5, 40, 90, 130]))
def test_it_agrees_with_the_slow_oracle(
    case: tuple[list[Call], list[Row]], other: int, cut: int | None
) -> None:
    calls, rows = case
    later = [*rows, *a_store(other)[1]]
    found = measure(calls, rows, cut, later)
    slow = slowly(calls, rows, 150 if cut is None else cut, later)
    assert {name: getattr(found, name) for name in slow} == slow


@laws
@given(stores, st.sampled_from([None, 40, 90]))
def test_what_was_lost_is_back_gone_or_spoiled(
    case: tuple[list[Call], list[Row]], cut: int | None
) -> None:
    calls, rows = case
    found = measure(calls, rows, cut, rows)
    assert found.back is not None
    assert found.gone is not None
    assert found.spoiled is not None
    assert found.lost == found.back + found.gone + found.spoiled <= found.acked
    unknown = measure(calls, rows, cut, None)
    assert (unknown.lost, unknown.back, unknown.gone_value_cents) == (found.lost, None, None)


@laws
@given(stores, st.integers(0, 120), st.integers(0, 120))
def test_closing_the_ingress_earlier_never_costs_more(
    case: tuple[list[Call], list[Row]], one: int, other: int
) -> None:
    creates = [c for c in case[0] if c.kind is Kind.CREATE]  # later calls can overtake a create
    early, late = sorted((one, other))
    before, after = (measure(creates, case[1], cut, None) for cut in (early, late))
    assert (before.acked, before.lost) <= (after.acked, after.lost)


def test_a_document_and_a_cancellation_of_after_the_recovery_point_are_lost_with_it() -> None:
    """And one of before it that is not there is a violation, as ever."""
    acked = {"outcome": Outcome.ACKED, "worker": 0}
    gone = Call(seq=9, record=9, kind=Kind.CREATE, stage=1, sent=20, done=21, **acked)
    early, late = 10, 30
    made = [
        Call(seq=seq, record=seq, kind=Kind.CREATE, stage=1, sent=5, done=6, **acked)
        for seq in (1, 2, 3)
    ]
    after = [
        Call(seq=11, record=1, kind=Kind.ATTACH, stage=0, sent=late, done=late, digest=7, **acked),
        Call(seq=12, record=2, kind=Kind.CANCEL, stage=9, sent=late, done=late, **acked),
        Call(
            seq=13, record=3, kind=Kind.ATTACH, stage=0, sent=early, done=early, digest=7, **acked
        ),
    ]
    rows = [Row(0, seq, 1, 0) for seq in (1, 2, 3)]
    found = measure([*made, gone, *after], rows, 90, rows)
    assert (found.lost, found.gone, found.spoiled) == (3, 3, 0)
    assert found.examples == tuple(f"gone pd-r1-0-{seq}" for seq in (1, 2, 9))


def test_the_restores_own_word_tells_that_a_document_was_the_first_to_go() -> None:
    """Nothing else was lost before it, so the other acknowledgements alone would not."""
    acked = {"outcome": Outcome.ACKED, "worker": 0}
    calls = [
        Call(seq=1, record=1, kind=Kind.CREATE, stage=1, sent=5, done=6, **acked),
        Call(seq=2, record=1, kind=Kind.ATTACH, stage=0, sent=19, done=20, digest=7, **acked),
        Call(seq=3, record=3, kind=Kind.CREATE, stage=1, sent=21, done=22, **acked),
    ]
    rows = [Row(0, 1, 1, 0)]
    silent, told = (measure(calls, rows, 90, rows, told=at) for at in (None, 18))
    assert (silent.lost, silent.examples) == (1, ("gone pd-r1-0-3",))
    assert (told.lost, told.examples) == (2, ("gone pd-r1-0-1", "gone pd-r1-0-3"))


def test_a_document_that_went_after_the_restore_was_not_taken_by_it() -> None:
    acked = {"outcome": Outcome.ACKED, "worker": 0}
    calls = [
        Call(seq=1, record=1, kind=Kind.CREATE, stage=1, sent=5, done=6, **acked),
        Call(seq=2, record=1, kind=Kind.ATTACH, stage=0, sent=19, done=20, digest=7, **acked),
    ]
    evidence = replace(
        BARE,
        operations=operations(calls),
        restored=ReadBack("restored", 150, True, "", survivors([Row(0, 1, 1, 0, 7)]), 0, ()),
        timeline=Timeline((
            Mark(MarkName.FAULT_ACTIVE, *FAULT),
            Mark(MarkName.RECOVERY_POINT, 18, 18),
            Mark(MarkName.INGRESS_CLOSED, 89, 90),
        )),
    )  # fmt: skip
    records = records_of(evidence.operations)
    held = held_by(records, survivors([Row(0, 1, 1, 0)]))
    restore, portion = restore_of(evidence), evidence.portion(0)
    found = as_restored(restore, portion, records, classify(records, held), held)
    assert not found.lost.any()
    assert found.partial.all()


def restored(**planted: object) -> RestorationCounts:
    plan = simulate.plan_of(targets=ORDERS_ALONE, baseline_s=16.0, scenario=scenario())
    plan, seen = run(plan=plan, restore=Restore(**planted))
    seen = with_marks(latent(seen, 4.0), (MarkName.INGRESS_CLOSED, 4.0, ""))
    (found,) = judge(plan, seen).restoration
    return found


def test_an_honest_replay_brings_back_all_that_the_restore_cost() -> None:
    found = restored()
    assert found.workload is ORDERS
    assert found.lost == found.back > 30  # ten orders a second, for four seconds
    assert (found.gone, found.spoiled, found.gone_value_cents) == (0, 0, 0)
    assert found.lost_value_cents == found.back_value_cents > 0
    assert found.recovery_point_ns is not None
    assert -S < found.recovery_point_ns < S  # restored to the instant of the fault
    assert found.last_lost_ns is not None
    assert found.span_ns == found.last_lost_ns - found.recovery_point_ns


def test_what_replay_left_behind_is_counted_and_priced() -> None:
    found = restored(gone=3, twice=2, altered=1)
    assert (found.gone, found.spoiled) == (3, 3)
    assert found.gone_value_cents == 3 * 4800
    assert found.back == found.lost - 6
    told = [example.split()[0] for example in found.examples]
    assert told == ["gone"] * 3 + ["spoiled"] * 3 + ["back"] * 20
    assert found.examples[0].startswith(f"gone pd-{simulate.RUN_ID}-0-")


def test_a_restore_that_misses_the_last_minute_shows_in_its_recovery_point() -> None:
    sound, short = restored(), restored(point_s=-9.0)
    assert short.recovery_point_ns < sound.recovery_point_ns - 4 * S
    assert short.lost > sound.lost


@pytest.mark.parametrize("complete", [None, False])
def test_a_restore_that_nobody_looked_at_is_told_and_not_counted_as_nothing(
    complete: bool | None,
) -> None:
    plan, seen = run(restore=Restore())
    seen = with_marks(seen, (MarkName.RESTORED, 2.0, ""))
    assert seen.restored is not None
    look = replace(seen.restored, complete=False, why_incomplete="the database was away")
    found = judge(plan, replace(seen, restored=None if complete is None else look))
    assert found.restoration == ()
    why = "nobody looked" if complete is None else "the database was away"
    assert any(why in note for note in found.notes)


def test_since_when_nothing_was_protected_is_told_right_after_the_answer() -> None:
    plan, seen = run(restore=Restore(gone=2))
    gap = (MarkName.UNPROTECTED, -4.0, "the archive reported success, and nothing arrived")
    found = judge(plan, with_marks(seen, gap))
    window = found.unprotected
    assert window is not None
    assert window.since_ns == -4 * S - 20 * MS
    protected = seen.timeline.first(MarkName.PROTECTED)
    assert protected is not None
    assert window.until_ns == protected.latest_ns - fault_of(seen).latest_ns
    assert window.acked > 30
    assert window.value_cents > 0
    assert window.lost == 2
    assert found.reasons[0].startswith("Not safe: ")
    assert found.reasons[1].startswith("Nothing was protected for ")
    assert "2 of them lost; the archive reported success" in found.reasons[1]
    assert found.verdict is Verdict.MISSED


def test_what_was_never_protected_again_lasts_until_the_load_stops() -> None:
    plan, seen = run()
    end_s = (seen.load_stopped_ns - fault_of(seen).latest_ns) / S
    window = judge(plan, with_marks(seen, (MarkName.UNPROTECTED, end_s - 3, ""))).unprotected
    assert window is not None
    assert window.until_ns is None
    assert window.length_ns == 3 * S + 20 * MS
