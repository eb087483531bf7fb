"""What an objective of a day came to, and what its page puts where."""

from __future__ import annotations

import pytest

from harness.core.gameday.rules import _refused_role
from harness.core.gameday.view import Drilled, _counted, _result
from harness.core.policy import Policy
from harness.core.targets import Approval as May
from harness.core.verdict import Verdict

MET, MISSED, OPEN, INVALID = (
    Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.INVALID,
)  # fmt: skip


def drilled(step: str, verdict: Verdict | None) -> Drilled:
    return Drilled(step, 1.0, verdict, f"because of {step}", "r", 1, "", (), "")


@pytest.mark.parametrize(
    ("verdicts", "verdict", "why"),
    [
        ((MET, MET), MET, "1: because of 1"),
        ((MET, MISSED), MISSED, "2: because of 2"),
        ((MISSED, MET), MISSED, "1: because of 1"),
        ((MET, None), OPEN, "2: because of 2"),
        ((MET, INVALID), OPEN, "2: because of 2"),
        ((OPEN, MISSED), MISSED, "2: because of 2"),
    ],
)
def test_an_objective_is_as_good_as_the_worst_of_what_shows_it(
    verdicts: tuple[Verdict | None, ...], verdict: Verdict, why: str
) -> None:
    shown = tuple(drilled(str(n), v) for n, v in enumerate(verdicts, 1))
    found = _result("o", ("1", "2"), (*shown, drilled("3", MISSED)))
    assert (found.verdict, found.why) == (verdict, why)


def test_an_objective_that_nothing_shows_is_not_shown() -> None:
    found = _result("o", ("9",), (drilled("1", MET),))
    assert (found.verdict, found.why) == (OPEN, "no scenario of this day shows it")


@pytest.mark.parametrize("verdict", [None, INVALID, Verdict.ERROR, OPEN])
def test_what_is_neither_met_nor_missed_is_open(verdict: Verdict | None) -> None:
    assert _counted(verdict) is OPEN
    assert (_counted(MET), _counted(MISSED)) == (MET, MISSED)


def test_who_may_approve_is_told_by_role_or_that_nobody_may(desk) -> None:
    desk.approve("tom")
    (given,) = desk.book().state().approvals
    day = desk.day()
    declared = Policy(approvals=(May(day.action, ("security", "finance")),))
    refused = _refused_role(given.approval, day, declared)
    assert refused is not None
    assert refused.why.endswith("who may: finance, security")
    nobody = _refused_role(given.approval, day, Policy())
    assert nobody is not None
    assert nobody.why.endswith("who may: nobody: targets.yaml declares no such action")


def test_a_finding_of_another_day_is_carried_and_one_of_this_day_is_its_own(desk) -> None:
    from dataclasses import replace

    from harness.core.gameday.view import view_of

    desk.approve("tom")
    desk.drills.verdicts = {"node-loss": MISSED}
    desk.conduct()
    book, day = desk.book(), desk.day()
    own = book.state().findings
    assert own
    here = view_of(day, book.entries())
    assert (here.findings, here.carried) == (own, ())
    seen = view_of(replace(day, name="another"), book.entries())
    assert (seen.findings, seen.carried) == ((), own)
