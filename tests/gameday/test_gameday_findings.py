"""Findings: made by a run, carried until a later drill proves them dealt with, never lost."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from harness.core.gameday.findings import (
    CheckResult,
    Finding,
    Reach,
    found_in,
    is_met_by,
    still_open,
)
from harness.core.plan import Size
from harness.core.verdict import Verdict
from harness.errors import Refused, UsageError
from harness.gameday import findings

NONE = "approvals: none\n"
RTO = "page-corruption/order-capture/rto"
FULL, SMOKE = Reach("embedded", Size.FULL, 2.0), Reach("embedded", Size.SMOKE, 2.0)


def check(verdict: Verdict, workload: str = "order-capture") -> CheckResult:
    return CheckResult("rto", workload, verdict, f"it is {verdict.value}")


def found(verdict: Verdict, *results: CheckResult) -> list[str]:
    told = found_in(
        day="d", scenario="s", run_id="r", verdict=verdict, reason="because", results=results,
        reach=FULL, at_utc="2026-11-28T12:00:00Z",
    )  # fmt: skip
    return [f.name for f in told]


def test_what_a_run_leaves_to_be_done() -> None:
    met, missed = check(Verdict.MET), check(Verdict.MISSED, "fulfilment")
    unclear = replace(check(Verdict.INCONCLUSIVE), workload="")
    assert found(Verdict.MET, met) == []
    assert found(Verdict.MISSED, met, missed) == ["s/fulfilment/rto"]
    assert found(Verdict.INCONCLUSIVE, met, unclear) == ["s/platform/rto"]
    assert found(Verdict.INVALID, met, missed) == ["s/platform/verdict"]
    assert found(Verdict.ERROR) == ["s/platform/verdict"]
    assert found(Verdict.INCONCLUSIVE) == ["s/platform/verdict"]  # never nothing


def test_a_check_of_several_subjects_is_one_finding_that_names_them_all() -> None:
    several = [
        CheckResult("access-revoked", "", Verdict.MISSED, f"{name}: still in")
        for name in ("api-key", "queue")
    ]
    (only,) = found_in(
        day="d", scenario="s", run_id="r", verdict=Verdict.MISSED, reason="", results=several,
        reach=FULL, at_utc="2026-11-28T12:00:00Z",
    )  # fmt: skip
    assert only.name == "s/platform/access-revoked"
    assert only.what == "api-key: still in; queue: still in"


FINDING = Finding("s/order-capture/rto", "d", "late", "s", "rto", "order-capture", "r", reach=FULL)


def met_by(finding: Finding = FINDING, **other: object) -> bool:
    asked = {
        "scenario": "s",
        "verdict": Verdict.MET,
        "results": (check(Verdict.MET),),
        "reach": FULL,
    }
    return is_met_by(finding, **(asked | other))


@pytest.mark.parametrize(
    ("changed", "closes"),
    [
        ({}, True),
        ({"verdict": Verdict.MISSED}, True),  # another check missed; this one was met
        ({"scenario": "other"}, False),
        ({"results": (check(Verdict.INCONCLUSIVE),)}, False),
        ({"results": (check(Verdict.MET, "fulfilment"),)}, False),
        ({"results": ()}, False),
        ({"verdict": Verdict.INVALID}, False),
        ({"reach": SMOKE}, False),  # a smoke run proves nothing about a full one
        ({"reach": replace(FULL, peak=1.0)}, False),
        ({"reach": replace(FULL, platform="kubernetes")}, False),
        ({"reach": replace(FULL, peak=3.0)}, True),
    ],
)
def test_only_a_later_drill_that_is_as_hard_closes_it(changed, closes: bool) -> None:
    assert met_by(**changed) is closes


def test_a_run_that_judged_nothing_is_dealt_with_by_a_verdict_that_is_met() -> None:
    cut = replace(FINDING, check="verdict", workload="")
    assert met_by(cut)
    assert not met_by(cut, verdict=Verdict.INCONCLUSIVE)
    assert not met_by(replace(FINDING, scenario=""))  # a person's is closed by a person


def test_of_all_days_what_none_has_closed() -> None:
    closed = replace(FINDING, closed_utc="2026-11-29T12:00:00Z")
    owned = replace(FINDING, owner="Tom", seen_again=("r2",))
    other = replace(FINDING, name="x")
    assert still_open([[FINDING, other], [closed]]) == (other,)
    assert still_open([[closed], [FINDING]]) == ()  # whichever day is read first
    (kept,) = still_open([[FINDING], [owned], [replace(owned, seen_again=("r3",))]])
    assert (kept.owner, kept.seen_again) == ("Tom", ("r2", "r3"))


def second_day(desk, verdict: Verdict) -> None:
    desk.now += dt.timedelta(days=7)
    desk.drills.verdicts["page-corruption"] = verdict
    desk.conduct("second")


def test_it_carries_over_until_a_drill_meets_it(desk) -> None:
    desk.write(NONE)
    desk.drills.verdicts["page-corruption"] = Verdict.MISSED
    desk.conduct()
    findings.assign(desk.book(), RTO, "Ada", desk.now, owner="Tom", due="2026-12-18")
    second_day(desk, Verdict.MISSED)
    (carried,) = desk.book("second").state().findings
    assert (carried.origin, carried.owner, carried.due) == ("rehearsal", "Tom", "2026-12-18")
    assert carried.is_open
    assert len(carried.seen_again) == 1  # the same is no new finding
    desk.now += dt.timedelta(days=7)
    desk.drills.verdicts["page-corruption"] = Verdict.MET
    desk.conduct("third")
    (closed,) = desk.book("third").state().findings
    assert not closed.is_open
    assert closed.closed_by == "peakdrill"
    last = desk.drills.orders[-1]
    assert closed.proof == f"run run{len(desk.drills.orders) - 1} met it"
    assert last.scenario == "page-corruption"
    desk.conduct("fourth")
    assert desk.book("fourth").state().findings == ()


def test_an_aborted_drill_is_a_finding_that_its_next_met_run_closes(desk) -> None:
    desk.write(NONE + "abort: {then: next}\n")
    desk.drills.cut["credential-compromise"] = "Interrupted: aborted by Ada"
    state = desk.conduct()
    name = "credential-compromise/platform/verdict"
    assert [f.name for f in state.findings] == [name]
    desk.drills.cut.clear()
    desk.now += dt.timedelta(days=1 + 6)
    desk.conduct("second")
    assert not desk.book("second").state().finding(name).is_open


def test_a_scenario_that_was_not_drilled_is_one_until_it_is(desk) -> None:
    desk.write(NONE)
    desk.drills.cut["node-loss"] = "Interrupted: a guard rail"
    state = desk.conduct()
    names = [f.name for f in state.findings]
    assert "2-credential-compromise/not-drilled" in names
    assert "3-page-corruption/not-drilled" in names
    desk.drills.cut.clear()
    desk.now += dt.timedelta(days=7)
    assert desk.conduct("second").phase == "finished"
    assert [f.name for f in desk.book("second").state().findings if f.is_open] == []


def test_a_person_s_finding_is_closed_by_a_person(desk) -> None:
    desk.write(NONE)
    made = findings.add(desk.book(), "the runbook names a pager that is gone", desk.now)
    desk.conduct()
    assert made.lacks == ("owner", "due date")
    findings.assign(desk.book(), made.name, "Ada", desk.now, owner="Tom", due="2026-12-18")
    assert desk.book().state().finding(made.name).is_open
    findings.close(desk.book(), made.name, "Tom", "the runbook is mended", desk.now)
    closed = desk.book().state().finding(made.name)
    assert (closed.is_open, closed.closed_by, closed.proof) == (
        False,
        "Tom",
        "the runbook is mended",
    )
    with pytest.raises(Refused, match="was closed at"):
        findings.close(desk.book(), made.name, "Tom", "again", desk.now)


def test_no_such_finding_and_no_such_date(desk) -> None:
    desk.write(NONE)
    with pytest.raises(UsageError, match="has no finding 'x'"):
        findings.assign(desk.book(), "x", "Ada", desk.now, owner="Tom", due="")
    with pytest.raises(UsageError, match="'2026-02-30' is no date"):
        findings.add(desk.book(), "x", desk.now, due="2026-02-30")


def test_an_earlier_day_that_was_tampered_with_lets_no_day_begin(desk) -> None:
    """Whoever could empty it could make its findings vanish."""
    from harness.errors import DamagedEvidence

    desk.write(NONE)
    desk.conduct()
    drilled = len(desk.drilled())
    file = desk.book().files()[2]
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DamagedEvidence, match=r"gameday-rehearsal/0003\.json"):
        desk.conduct("second")
    assert len(desk.drilled()) == drilled
    assert not desk.platform.is_up
