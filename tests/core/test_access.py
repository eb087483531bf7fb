"""Revoked or not: by the attacker's own log, and only by an answer that is about the credential."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core import access, checks
from harness.core.evidence import Evidence, Use
from harness.core.judge import judge
from harness.core.plan import Plan
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import AccessJudgement, Judgement, Verdict
from tests.core import simulate
from tests.core.judged_runs import ORDERS_ALONE, judged, run
from tests.core.simulate import MS, S
from tests.core.simulated_recovery import fault_of, scenario, with_marks, with_uses

CLASSES = ("database-role", "object-store", "password", "api-key", "session", "queue-password")
FAULT = Mark(MarkName.FAULT_ACTIVE, 1_000 * S, 1_000 * S + 5 * MS)
END_NS = 1_060 * S
NOBODY = run()  # without an attacker


@pytest.fixture(scope="module")
def honest() -> tuple[Plan, Evidence]:
    return run(
        plan=simulate.plan_of(targets=ORDERS_ALONE, scenario=scenario(checks.access_revoked))
    )


def of(found: Judgement, credential: str) -> AccessJudgement:
    (only,) = [a for a in found.access if a.credential == credential]
    return only


def test_six_classes_shut_are_met_with_the_instant_of_the_last_accepted_use(honest) -> None:
    plan, seen = honest
    for n, name in enumerate(CLASSES):
        seen = with_uses(seen, name, revoked_s=1.0 + n / 2)
    found = judge(plan, seen)
    assert found.verdict is Verdict.MET
    assert [a.credential for a in found.access] == sorted(CLASSES)
    first = of(found, "database-role")
    assert (first.tries, first.accepted, first.denied, first.unanswered) == (70, 10, 60, 0)
    assert (first.denied_since, first.accepted_since_revoked) == (60, 0)
    assert (first.last_accepted_low_ns, first.last_accepted_high_ns) == (900 * MS, 908 * MS)
    assert (first.revoked_low_ns, first.revoked_high_ns) == (1180 * MS, 1205 * MS)
    assert "last accepted 0.9-1.0 s after the fault, 10 times in all; 60 refused" in first.reason
    assert len([f for f in found.findings if f.check == "access-revoked"]) == 6


def test_one_class_still_open_is_missed_whatever_the_rest_says(honest) -> None:
    plan, seen = honest
    seen = with_uses(seen, "session", revoked_s=None)
    for name in CLASSES[:4]:
        seen = with_uses(seen, name, revoked_s=1.0)
    found = judge(plan, seen)
    assert found.verdict is Verdict.MISSED
    assert found.reasons[0].startswith("Not safe: session: the attacker still gets in; 70 accepted")
    assert [a.verdict for a in found.access].count(Verdict.MISSED) == 1


def test_a_class_that_opens_again_after_it_was_said_to_be_revoked_is_missed(honest) -> None:
    plan, seen = honest
    seen = with_uses(seen, "session", revoked_s=1.0)
    at_ns = fault_of(seen).latest_ns + 3 * S
    again = Use("session", at_ns, at_ns + MS, True, "accepted")
    found = judge(plan, replace(seen, uses=(*seen.uses, again)))
    assert found.verdict is Verdict.MISSED
    assert "still accepted 1 times after it was said to be revoked" in found.reasons[0]


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ({"revoked_s": 0.0}, "never accepted in 70 tries: it was no leak"),
        ({"revoked_s": 1.0, "until_s": 1.9}, "no answer in the last 5.1 s of the attack"),
        ({"revoked_s": 1.0, "down_s": (1.0, 9.0)}, "no answer in the last"),
        ({"revoked_s": 1.0, "down_s": (1.2, 9.0)}, "no answer in the last"),
        ({"revoked_s": 3.0, "down_s": (3.2, 9.0)}, "only 2 refused after the last accepted use"),
    ],
)
def test_what_does_not_prove_a_class_shut(honest, planted: dict[str, object], said: str) -> None:
    plan, seen = honest
    found = judge(plan, with_uses(seen, "session", **planted))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert said in found.reasons[0]


def test_no_class_at_all_and_a_class_that_nobody_tried_are_no_pass(honest) -> None:
    plan, seen = honest
    assert "no leaked credential was used and none was revoked" in judge(plan, seen).reasons[0]
    marked = with_marks(seen, (MarkName.REVOKED, 1.0, "api-key"))
    assert "api-key: revoked, but nobody tried it" in judge(plan, marked).reasons[0]


def test_an_answer_that_says_nothing_of_the_credential_is_no_refusal(honest) -> None:
    plan, seen = honest
    seen = with_uses(seen, "session", revoked_s=1.0)
    odd = tuple(replace(u, told="503") if not u.accepted else u for u in seen.uses)
    found = judge(plan, replace(seen, uses=odd))
    assert of(found, "session").unanswered == 60
    assert found.verdict is Verdict.INCONCLUSIVE


def test_an_interrupted_run_does_not_blame_the_platform_for_an_open_class(honest) -> None:
    plan, seen = honest
    found = judged((plan, with_uses(seen, "session", revoked_s=None)), interrupted="SIGINT")
    assert found.verdict is Verdict.INVALID
    assert of(found, "session").verdict is Verdict.INVALID


def test_a_log_that_crashes_the_check_is_inconclusive(honest, monkeypatch) -> None:
    def crash(*_: object) -> None:
        raise ValueError("no such class")

    monkeypatch.setattr(access, "end_of_attack", crash)
    plan, seen = honest
    found = judge(plan, with_uses(seen, "session", revoked_s=1.0))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "access-revoked crashed: ValueError: no such class" in found.reasons[0]
    assert found.access == ()


# a slow oracle, for logs that no attacker would keep

ANSWERS = ["accepted", "accepted", "denied: 28P01", "denied: 28P01", "down: 503", "odd"]
tries = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 61_000), st.integers(58_000, 58_800)),  # many at once overlap
        st.integers(0, 400),
        st.sampled_from([*ANSWERS, "denied: x"]),
    ),
    max_size=12,
)


def uses_of(told: list[tuple[int, int, str]]) -> tuple[Use, ...]:
    return tuple(
        Use(
            "it",
            FAULT.latest_ns + at * MS,
            FAULT.latest_ns + (at + took) * MS,
            how == "accepted",
            how,
        )
        for at, took, how in told
    )


def slowly(uses: tuple[Use, ...], revoked: Mark | None) -> Verdict | None:
    """The rules one after the other, each by itself. None: there is no such class."""
    if not uses and revoked is None:
        return None
    accepted = [u for u in uses if u.told == "accepted"]
    denied = [u for u in uses if u.told.startswith("denied:")]
    if revoked and any(u.begun_ns > revoked.latest_ns for u in accepted):
        return Verdict.MISSED
    in_order = sorted(uses, key=lambda u: (u.begun_ns, u.done_ns))
    answered = sorted([*accepted, *denied], key=lambda u: u.done_ns)
    late = bool(answered) and answered[-1].done_ns >= END_NS - 5 * S
    ends_open = bool(accepted) and max(u.done_ns for u in accepted) == (
        answered[-1].done_ns if answered else None
    )
    if (in_order and in_order[-1].told == "accepted") or (late and ends_open):
        return Verdict.MISSED
    if not accepted or not late:
        return Verdict.INCONCLUSIVE
    shut = [u for u in denied if all(u.begun_ns >= a.done_ns for a in accepted)]
    return Verdict.MET if len(shut) >= 3 else Verdict.INCONCLUSIVE


@settings(max_examples=600, deadline=None, derandomize=True)
@given(tries, st.one_of(st.none(), st.integers(0, 60_000)), st.booleans())
def test_it_agrees_with_the_slow_oracle(
    told: list[tuple[int, int, str]], revoked_ms: int | None, shut_later: bool
) -> None:
    if shut_later:  # honest endings are common enough in no random log
        told = [*told, *((61_500 + n, 0, "denied: 28P01") for n in range(3))]
    uses, marks = uses_of(told), [FAULT, Mark(MarkName.FAULT_RELEASED, END_NS, END_NS)]
    revoked = None
    if revoked_ms is not None:
        at_ns = FAULT.latest_ns + revoked_ms * MS
        revoked = Mark(MarkName.REVOKED, at_ns - MS, at_ns, "it")
        marks.append(revoked)
    _, base = NOBODY
    found = access.access(replace(base, uses=uses, timeline=Timeline(tuple(marks))))
    verdict = slowly(uses, revoked)
    assert [a.verdict for a in found] == ([] if verdict is None else [verdict])
    for judged_class in found:
        assert judged_class.tries == len(uses)
        assert judged_class.accepted + judged_class.denied + judged_class.unanswered == len(uses)
