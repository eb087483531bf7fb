"""Guard rails and the attacker's log at their limits, from readings and uses made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.access import access, end_of_attack, gate_access
from harness.core.evidence import Evidence, Use
from harness.core.guard import (
    ALERTS_UNREAD_MAX_S,
    ORDERS,
    GuardRails,
    Harm,
    Readings,
    Trip,
    gauges,
    rails_told,
    tripped,
)
from harness.core.operation import Workload
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import AccessJudgement, Verdict
from tests.core.judged_runs import run

S = 10**9
ALL = GuardRails(200, 10_000, ("A", "B"), 20.0)
UNREAD = ALERTS_UNREAD_MAX_S


@pytest.mark.parametrize(
    ("rails", "seen", "rail", "why"),
    [
        (ALL, Readings(), "", ""),
        (ALL, Readings(Harm(200, 9_999, 10_000), 20.0, ("C",), UNREAD), "", ""),
        (ALL, Readings(undo_lost="gone"), "undo-path", "gone"),
        (ALL, Readings(silent_s=20.1), "heartbeat", "the prober has been silent for 20.1 s, at most 20 s are allowed"),
        (ALL, Readings(Harm(201)), "refused-per-minute",
         "201 orders refused or unanswered within a minute, at most 200 are allowed"),
        (ALL, Readings(Harm(0, 0, 10_001)), "money", "EUR 100.01 at risk, at most EUR 100.00 are allowed"),
        (ALL, Readings(firing=("B", "A", "C")), "alert", "the alert A, B fires"),
        (ALL, Readings(alerts_unread_s=UNREAD + 0.5), "alert",
         "the alerts could not be read for 30 s, so nobody watches A, B"),
        (ALL, Readings(Harm(201, 0, 10_001), 21, ("A",), 99, "gone"), "undo-path", "gone"),
        (ALL, Readings(Harm(201, 0, 10_001), 21, ("A",), 99), "heartbeat", "the prober"),
        (ALL, Readings(Harm(201, 0, 10_001), 20, ("A",), 99), "refused-per-minute", "201"),
        (ALL, Readings(Harm(200, 0, 10_001), 20, ("A",), 99), "money", "EUR"),
        (ALL, Readings(firing=("A",), alerts_unread_s=99), "alert", "the alert A fires"),
        (GuardRails(), Readings(Harm(999, 999, 99_999), 15.0, ("A",), 99), "", ""),
        (GuardRails(), Readings(silent_s=15.1), "heartbeat", "the prober"),
        (GuardRails(0, 0), Readings(), "", ""),
        (GuardRails(0), Readings(Harm(1)), "refused-per-minute", "1 orders"),
        (GuardRails(None, 0), Readings(Harm(0, 0, 1)), "money", "EUR 0.01 at risk"),
    ],
)  # fmt: skip
def test_the_first_rail_that_was_run_into(
    rails: GuardRails, seen: Readings, rail: str, why: str
) -> None:
    found = tripped(rails, seen, "EUR")
    assert (found is None) is (rail == "")
    if found is not None:
        assert found == Trip(rail, found.why)
        assert found.why.startswith(why)


@pytest.mark.parametrize(
    ("most", "now", "used"),
    [(200, 0, 0.0), (200, 50, 0.25), (200, 200, 1.0), (200, 900, 1.0), (0, 0, 0.0), (0, 1, 1.0), (1, 1, 1.0), (2, 1, 0.5)],
)  # fmt: skip
def test_how_far_a_rail_is_used(most: int, now: int, used: float) -> None:
    (_, refused, money, _) = gauges(GuardRails(most, most), Readings(Harm(now, 0, now)), "EUR")
    assert refused.used == money.used == used


def test_what_would_end_a_drill_is_told_rail_by_rail() -> None:
    assert rails_told(ALL, "EUR") == (
        "more than 200 orders refused or unanswered within a minute",
        "more than EUR 100.00 at risk",
        "the alert A fires",
        "the alert B fires",
        "the prober is silent for 20 s",
        "the way to undo the fault is lost",
    )
    assert len(rails_told(GuardRails(0, 0), "EUR")) == 4
    assert set(Workload) - {Workload.FINANCE} == ORDERS


FAULT = Mark(MarkName.FAULT_ACTIVE, 100 * S, 101 * S)
END_S = 160.0


def use(at_s: float, told: str = "accepted", name: str = "api-key", took_s: float = 0.5) -> Use:
    begun = round(at_s * S)
    return Use(name, begun, begun + round(took_s * S), told == "accepted", told)


DENIED = [use(at, "denied: 401") for at in (120, 140, 158)]
WAS_IN = use(110)


def seen(*uses: Use, marks: tuple[Mark, ...] = (FAULT,), clock_ns: int = 0) -> Evidence:
    made = run()[1]
    end = Mark(MarkName.FAULT_RELEASED, round(END_S * S), round(END_S * S) + 9)
    return replace(
        made, uses=uses, timeline=Timeline((*marks, end)),
        observation=replace(made.observation, clock_error_ns=clock_ns),
    )  # fmt: skip


def judged(*uses: Use, **more: object) -> AccessJudgement:
    (only,) = access(seen(*uses, **more))  # type: ignore[arg-type]
    return only


def revoked(from_s: float, until_s: float, name: str = "api-key") -> Mark:
    return Mark(MarkName.REVOKED, round(from_s * S), round(until_s * S), name)


def test_a_class_that_was_shut_is_told_with_every_instant() -> None:
    early, down = use(105), use(118, "down: 503")
    found = judged(DENIED[2], down, WAS_IN, early, *DENIED[:2], marks=(FAULT, revoked(111, 112)))
    assert found == AccessJudgement(
        credential="api-key", verdict=Verdict.MET, tries=6, accepted=2, denied=3, unanswered=1,
        reason="api-key: last accepted 9.0-10.5 s after the fault, 2 times in all; 3 refused since",
        denied_since=3, accepted_since_revoked=0, first_accepted_ns=4_500_000_000,
        last_accepted_low_ns=9 * S, last_accepted_high_ns=10_500_000_000,
        revoked_low_ns=10 * S, revoked_high_ns=12 * S,
    )  # fmt: skip


def test_a_clock_that_is_off_widens_both_ends_and_nothing_is_before_the_fault() -> None:
    found = judged(WAS_IN, *DENIED, clock_ns=S)
    assert (found.last_accepted_low_ns, found.last_accepted_high_ns) == (8 * S, 11_500_000_000)
    before = judged(use(90), *DENIED)
    assert (before.last_accepted_low_ns, before.last_accepted_high_ns) == (0, 0)
    assert "last accepted 0.0-0.0 s after the fault, 1 times" in before.reason
    assert before.revoked_low_ns is before.revoked_high_ns is None


@pytest.mark.parametrize(
    ("uses", "marks", "verdict", "told"),
    [
        ([WAS_IN, *DENIED], (FAULT,), Verdict.MET, "last accepted"),
        ([WAS_IN, *DENIED], (), Verdict.INCONCLUSIVE, "no effect of the fault was observed"),
        ([], (FAULT, revoked(1, 2)), Verdict.INCONCLUSIVE, "revoked, but nobody tried it"),
        (DENIED, (FAULT,), Verdict.INCONCLUSIVE, "never accepted in 3 tries: it was no leak"),
        ([WAS_IN, *DENIED[1:]], (FAULT,), Verdict.INCONCLUSIVE, "only 2 refused after the last accepted use, 3 asked"),
        ([WAS_IN, use(120, "down: 503"), *DENIED[1:]], (FAULT,), Verdict.INCONCLUSIVE, "only 2 refused"),
        ([DENIED[0], use(130), *DENIED[1:]], (FAULT,), Verdict.INCONCLUSIVE, "only 2 refused"),
        ([WAS_IN, use(150, "denied: x"), *DENIED[:2]], (FAULT,), Verdict.INCONCLUSIVE, "no answer in the last 9.5 s"),
        ([WAS_IN, use(154.5, "denied: x"), *DENIED[:2]], (FAULT,), Verdict.MET, "last accepted"),
        ([WAS_IN, use(154.4, "denied: x"), *DENIED[:2]], (FAULT,), Verdict.INCONCLUSIVE, "no answer in the last 5.1 s"),
        ([*DENIED, use(159)], (FAULT,), Verdict.MISSED, "the attacker still gets in; 1 accepted uses"),
        ([WAS_IN], (FAULT,), Verdict.MISSED, "the attacker still gets in"),
        ([use(158), use(159, "down: 503")], (FAULT,), Verdict.MISSED, "the attacker still gets in"),
        ([use(120), use(159, "down: 503")], (FAULT,), Verdict.INCONCLUSIVE, "no answer in the last 39.5 s"),
        ([WAS_IN, *DENIED], (FAULT, revoked(108, 109.9)), Verdict.MISSED,
         "still accepted 1 times after it was said to be revoked"),
        ([WAS_IN, *DENIED], (FAULT, revoked(108, 110)), Verdict.MET, "last accepted"),
        ([WAS_IN, *DENIED], (FAULT, revoked(108, 109), revoked(115, 116)), Verdict.MISSED, "still accepted"),
        ([use(110, "denied 401"), *DENIED], (FAULT,), Verdict.INCONCLUSIVE, "never accepted in 4 tries"),
    ],
)  # fmt: skip
def test_whether_a_class_is_shut(
    uses: list[Use], marks: tuple[Mark, ...], verdict: Verdict, told: str
) -> None:
    found = judged(*uses, marks=marks)
    assert (found.credential, found.verdict) == ("api-key", verdict)
    assert found.reason.startswith(f"api-key: {told}")
    assert found.tries == len(uses)


def test_a_use_that_was_answered_when_the_next_was_sent_counts_as_before_it() -> None:
    edge = use(110.5, "denied: 401")
    assert judged(WAS_IN, edge).denied_since == 1
    assert judged(WAS_IN, replace(edge, begun_ns=edge.begun_ns - 1)).denied_since == 0


def test_every_class_that_was_used_or_revoked_is_judged_by_name() -> None:
    found = access(seen(WAS_IN, use(110, name="session"), marks=(FAULT, revoked(1, 2, "queue"))))
    assert [a.credential for a in found] == ["api-key", "queue", "session"]
    assert [a.tries for a in found] == [1, 0, 1]
    assert [f.verdict for f in gate_access(found)] == [a.verdict for a in found]
    (nothing,) = gate_access([])
    assert nothing.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("marks", "end_s"),
    [
        ((), 7),
        ((Mark(MarkName.RECOVERY_ENDED, 5 * S, 6 * S),), 5),
        ((Mark(MarkName.RECOVERY_ENDED, 5 * S, 6 * S), Mark(MarkName.FAULT_RELEASED, 8 * S, 9 * S)), 8),
    ],
)  # fmt: skip
def test_until_when_the_attacker_must_have_tried(marks: tuple[Mark, ...], end_s: int) -> None:
    assert end_of_attack(Timeline(marks), 7 * S) == end_s * S


@pytest.mark.parametrize("name", list(MarkName))
def test_marks_are_found_in_the_order_of_their_writing(name: MarkName) -> None:
    other = next(n for n in MarkName if n is not name)
    a, b, c = Mark(name, 5, 6, "a"), Mark(other, 1, 2), Mark(name, 3, 4, "b")
    line = Timeline((a, b, c))
    assert (line.first(name), line.last(name), line.all(name)) == (a, c, (a, c))
    bare = Timeline((b,))
    assert (bare.first(name), bare.last(name), bare.all(name)) == (None, None, ())
