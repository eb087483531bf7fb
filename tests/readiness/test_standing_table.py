"""What one run says of one cell, as a whole table: verdict, words, outdated, loss."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core import checks
from harness.core.outcome import Outcome, WorkloadOutcome
from harness.core.readiness.standing import Said, said_of_platform, said_of_workload
from harness.core.targets import WorkloadTarget
from harness.core.verdict import Verdict
from tests.readiness.readiness_samples import (
    ALL,
    S,
    lost,
    part,
    run,
    scenario,
    slow,
    targets,
    unsure,
    void,
)

MET, MISSED, OPEN, INVALID, ERROR = (
    Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.INVALID, Verdict.ERROR,
)  # fmt: skip
TARGET = targets().workloads[0]
NONE_LOST = "0 of 900 acknowledged records lost"
BACK = "back within 21.0 s, target 1 min"


def said(
    found: WorkloadOutcome, *, of: Outcome | None = None, target: WorkloadTarget = TARGET,
    then: WorkloadTarget | None = None, **asked: object,
) -> Said | None:  # fmt: skip
    whole = run("2027-09-20T10:00:00Z", found) if of is None else of
    return said_of_workload(whole, found, scenario(**asked), target, then)


def checked(**verdicts: Verdict) -> tuple[tuple[str, Verdict], ...]:
    return tuple(verdicts.items())


def words(found: WorkloadOutcome, **changed: object) -> tuple[Verdict, str]:
    told = said(found, target=replace(TARGET, **changed))  # type: ignore[arg-type]
    assert told is not None
    return told.verdict, told.why


def test_a_run_that_met_says_what_it_measured() -> None:
    told = said(part())
    assert told is not None
    assert told == Said(MET, told.why)
    recovered, counted = told.why.split("; ")
    assert recovered.startswith("back within 21.0 s, target ")
    assert counted == NONE_LOST


@pytest.mark.parametrize("verdict", [INVALID, ERROR])
def test_a_void_run_says_nothing_unless_it_proved_a_loss(verdict: Verdict) -> None:
    assert said(part(verdict=verdict)) is None
    assert said(part(), of=run(verdict=verdict)) is None
    found = replace(lost(), verdict=verdict, checks=checked(rto=verdict, rpo=verdict))
    told = said(found, of=run(verdict=verdict))
    assert told is not None
    assert (told.verdict, told.loss) == (MISSED, True)
    assert told.why == "3 of 900 acknowledged records lost, 0 allowed"


@pytest.mark.parametrize(
    ("low_s", "high_s", "stored", "rto_s", "verdict"),
    [
        (20, 21, MET, 60, MET),
        (20, 21, MET, 21, MET),
        (20, 21, MET, 20.5, OPEN),
        (20, 21, MET, 20, OPEN),
        (20, 21, MET, 19.9, MISSED),
        (20, 21, OPEN, 60, OPEN),  # never better than it was judged ...
        (20, 21, OPEN, 60.1, MET),  # ... but by a looser target
        (20, 21, MISSED, 60, MISSED),
        (20, 21, MISSED, 61, MET),
        (70, None, MISSED, 60, MISSED),
        (70, None, MISSED, 80, MISSED),  # watched for 80 s, and not back
        (70, None, MISSED, 80.1, OPEN),
        (70, None, OPEN, 80, OPEN),
        (None, None, MET, 60, OPEN),
        (None, None, MISSED, 60, MISSED),
    ],
)
def test_an_interval_is_held_against_the_season_s_target(
    low_s: int | None, high_s: int | None, stored: Verdict, rto_s: float, verdict: Verdict
) -> None:
    low_ns, high_ns = (None if s is None else s * S for s in (low_s, high_s))
    found = part(rto_low_ns=low_ns, rto_high_ns=high_ns, checks=checked(rto=stored, rpo=MET))
    assert words(found, rto_s=rto_s)[0] is verdict


@pytest.mark.parametrize(
    ("found", "rto_s", "told"),
    [
        (part(), 60.0, "back within 21.0 s, target "),
        (part(), 20.5, "back after 20.0 to 21.0 s, target "),
        (part(rto_high_ns=None, checks=checked(rto=MISSED)), 60.0, "not back, target "),
        (part(rto_low_ns=None, checks=checked(rto=OPEN)), 60.0, "no recovery time was found"),
    ],
)
def test_how_a_recovery_is_told(found: WorkloadOutcome, rto_s: float, told: str) -> None:
    assert words(found, rto_s=rto_s)[1].startswith(told)


@pytest.mark.parametrize(
    ("rto_s", "stored", "verdict"),
    [(19.0, MET, OPEN), (60.0, MET, MET), (61.0, MET, MET), (60.0, MISSED, MISSED)],
)
def test_where_the_clock_is_another_s_a_longer_interval_from_the_fault_proves_no_miss(
    rto_s: float, stored: Verdict, verdict: Verdict
) -> None:
    found = part(checks=checked(rto=stored, rpo=MET))
    told = said(found, target=replace(TARGET, rto_s=rto_s), rto_clock="detection")
    assert told is not None
    assert told.verdict is verdict
    late = part(rto_low_ns=70 * S, rto_high_ns=71 * S)
    same = said(late, rto_clock="detection")
    assert same is not None
    assert same.verdict is MET, "the same target: as it was judged then"


@pytest.mark.parametrize(
    ("changed", "season", "verdict", "told"),
    [
        ({"lost": 5}, {"lost_max": 5, "rpo_s": 9.0}, MET, ""),
        ({"lost": 6}, {"lost_max": 5, "rpo_s": 9.0}, MISSED, ", 5 allowed"),
        ({"lost": 6}, {"lost_max": None, "rpo_s": 9.0}, MET, ""),
        ({"violations": 1}, {}, MISSED, ", 1 damaged"),
        ({"violations": 1}, {"rpo_s": None}, MISSED, ""),
        ({"lost": 6}, {"rpo_s": None}, MET, ""),
        ({"rpo_achieved_ns": 9 * S}, {"rpo_s": 9.0}, MET, ""),
        ({"rpo_achieved_ns": 9 * S + 1}, {"rpo_s": 9.0}, MISSED, ", 9.1 s back, target 9 s"),
        ({"rpo_achieved_ns": 9 * S, "rpo_widened_by_ns": 1}, {"rpo_s": 9.0}, OPEN, ""),
        ({"rpo_achieved_ns": 9 * S - 1, "rpo_widened_by_ns": 1}, {"rpo_s": 9.0}, MET, ""),
        ({"rpo_achieved_ns": 9 * S + 1, "rpo_widened_by_ns": 1}, {"rpo_s": 9.0}, OPEN, ""),
        ({"rpo_achieved_ns": 9 * S + 2, "rpo_widened_by_ns": 1}, {"rpo_s": 9.0}, MISSED, "back"),
        ({"waiting": 1}, {}, OPEN, ""),
        ({"acked": 0}, {}, OPEN, ""),
        ({"acked": 1}, {}, MET, ""),
    ],
)  # fmt: skip
def test_counts_are_held_against_the_season_s_rpo(
    changed: dict[str, int], season: dict[str, object], verdict: Verdict, told: str
) -> None:
    found, why = words(part(**changed), **season)
    assert found is verdict
    assert told in why
    assert ("damaged" in why) is ("damaged" in told)


@pytest.mark.parametrize(
    ("was_s", "now_s", "stored", "verdict"),
    [
        (0, 9.0, MISSED, MET),
        (9, 9.0, MISSED, MISSED),
        (10, 9.0, MISSED, MISSED),
        (None, 9.0, MISSED, MISSED),
        (0, 9.0, OPEN, OPEN),
        (0, 9.0, MET, MET),
    ],
)
def test_a_miss_of_then_is_met_by_a_looser_rpo_alone(
    was_s: int | None, now_s: float, stored: Verdict, verdict: Verdict
) -> None:
    was_ns = None if was_s is None else was_s * S
    found = part(rpo_target_ns=was_ns, checks=checked(rto=MET, rpo=stored))
    assert words(found, rpo_s=now_s, lost_max=None)[0] is verdict


def test_what_was_not_checked_is_outdated_and_a_miss_never_is() -> None:
    only_rto = said(part(checks=checked(rto=MET)))
    assert only_rto is not None
    assert (only_rto.verdict, only_rto.outdated) == (MET, "it did not check rpo")
    neither = said(part(checks=()))
    assert neither is not None
    assert neither.outdated == "it did not check rto, rpo"
    assert neither.why == "a further check"
    unasked = said(part(checks=checked(rto=MET)), target=replace(TARGET, rpo_s=None))
    assert unasked is not None
    assert unasked.outdated == ""
    missed = said(replace(slow(), checks=checked(rto=MISSED)))
    assert missed is not None
    assert (missed.verdict, missed.outdated) == (MISSED, "")
    nothing = said(part(checks=()), checks=(checks.stores_agree,))
    assert nothing is not None
    assert (nothing.why, nothing.outdated) == ("nothing was checked", "")
    void_check = said(part(checks=checked(rto=MET, rpo=INVALID)))
    assert void_check is not None
    assert void_check.outdated == "it did not check rpo"


def test_a_further_check_counts_with_the_measured_ones() -> None:
    told = said(part(checks=checked(rto=MET, rpo=MET, other=OPEN)))
    assert told is not None
    assert (told.verdict, told.why) == (OPEN, "a further check")


def test_an_unproven_adapter_is_never_a_pass() -> None:
    of = run(unproven=True)
    told = said(part(), of=of)
    assert told is not None
    assert (told.verdict, told.why) == (OPEN, "on a platform adapter that nobody has proven")
    missed = said(slow(), of=of)
    assert missed is not None
    assert missed.verdict is MISSED
    platform = said_of_platform(of, scenario())
    assert platform == Said(OPEN, "on a platform adapter that nobody has proven")


@pytest.mark.parametrize(
    ("changed", "season", "told"),
    [
        ({}, {}, ""),
        ({"rate_per_s": 10 * (1 - 1e-10)}, {}, ""),
        ({"rate_per_s": 9.9}, {}, "drilled at 9.9/s, the season has 10/s"),
        ({"rate_per_s": 11.0}, {}, ""),
        ({"rate_per_s": float("nan")}, {}, "drilled at nan/s"),
        ({"rpo_target_ns": None}, {}, "its records were not counted"),
        ({"rpo_target_ns": None}, {"rpo_s": None}, ""),
        ({"bars": (("latency_limit_s", 2.0),)}, {}, ""),
        ({"bars": (("latency_limit_s", 2.5),)}, {}, "judged at 2.5 s an answer, not 2 s"),
        ({"bars": (("latency_limit_s", 0.5),)}, {"latency_limit_s": 0.4}, "judged at 0.5 s an answer"),
        ({"bars": (("staleness_s", 1.0),)}, {"staleness_s": 1.0}, ""),
        ({"bars": (("staleness_s", 1.0),)}, {"staleness_s": 0.5}, "judged at 1 s of staleness"),
        ({"bars": (("staleness_s", 0.5),)}, {}, "judged at 0.5 s of staleness, not 0 s"),
        ({"bars": (("min_capacity", 1.0),)}, {}, ""),
        ({"bars": (("min_capacity", 0.5),)}, {}, "judged at a capacity of 0.5, not 1"),
        ({"bars": (("min_capacity", 0.5),)}, {"min_capacity": 0.5}, ""),
        ({"bars": (("lost_max", 9.0),)}, {}, ""),
    ],
)  # fmt: skip
def test_what_a_drill_asked_less_of_is_outdated(
    changed: dict[str, object], season: dict[str, object], told: str
) -> None:
    found = said(part(**changed), target=replace(TARGET, **season))  # type: ignore[arg-type]
    assert found is not None
    assert found.outdated.startswith(told)
    assert bool(found.outdated) is bool(told)


def test_what_the_file_declares_of_then_stands_in_for_bars_that_were_not_kept() -> None:
    slack = replace(TARGET, latency_limit_s=3.0)
    found = said(part(), then=slack)
    assert found is not None
    assert found.outdated == "judged at 3 s an answer, not 2 s"
    kept = said(part(bars=(("latency_limit_s", 2.0),)), then=slack)
    assert kept is not None
    assert kept.outdated == ""
    unmet = said(part(), then=replace(TARGET, min_capacity=0.7, staleness_s=0.0))
    assert unmet is not None
    assert unmet.outdated == "judged at a capacity of 0.7, not 1"


STORES = "stores-agree"


@pytest.mark.parametrize(
    ("told", "verdict", "expected"),
    [
        (((STORES, MET), ("recovery", MET)), MET, Said(MET, "all 2 checks held")),
        (((STORES, MET), ("recovery", MISSED)), MISSED, Said(MISSED, "recovery missed")),
        (((STORES, MISSED), ("recovery", MET)), MISSED, Said(MISSED, "stores-agree missed", loss=True)),
        (((STORES, OPEN), ("recovery", OPEN)), OPEN, Said(OPEN, "stores-agree, recovery: could not be said")),
        (((STORES, MET),), INVALID, None),
        (((STORES, MISSED),), INVALID, Said(MISSED, "stores-agree missed", loss=True)),
        (((STORES, INVALID),), MET, None),
        (((STORES, MISSED), ("recovery", INVALID)), MISSED, Said(MISSED, "stores-agree missed", loss=True)),
        ((("recovery", MET),), MET, Said(MET, "all 1 checks held", "it did not check stores-agree")),
        ((), MET, Said(OPEN, "nothing was checked: could not be said", "it did not check stores-agree")),
        (((STORES, MET),), OPEN, Said(OPEN, "the run was inconclusive, and no part of it says why")),
    ],
)  # fmt: skip
def test_what_a_run_says_of_the_platform(
    told: tuple[tuple[str, Verdict], ...], verdict: Verdict, expected: Said | None
) -> None:
    assert said_of_platform(run(checks=told, verdict=verdict), scenario()) == expected


def test_a_run_whose_workloads_explain_it_is_met_by_the_platform() -> None:
    of = run("2027-09-20T10:00:00Z", unsure(), checks=((STORES, MET),))
    assert of.verdict is OPEN
    assert said_of_platform(of, scenario()) == Said(MET, "all 1 checks held")
    assert said_of_platform(run("2027-09-20T10:00:00Z", *map(void, ALL)), scenario()) is None
