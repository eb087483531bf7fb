"""Caught, missed, falsely reported: what a selftest makes of a judgement."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.commands.selftest import headline
from harness.core.operation import Workload
from harness.core.selftest import (
    BUSY,
    Planted,
    Row,
    Tally,
    caught_by,
    clean,
    noise,
    tally,
    together,
    unjudged,
)
from harness.core.verdict import (
    FitnessFinding,
    Judgement,
    RecoveryPoint,
    Verdict,
    WorkloadJudgement,
    WriteCounts,
)

ORDERS, FINANCE = Workload.ORDER_CAPTURE, Workload.FINANCE
LOST = Planted("one-lost-write", "pd-r-0-1", ORDERS, "lost")


def judged(
    verdict: Verdict = Verdict.MISSED,
    examples: tuple[str, ...] = (),
    fitness: tuple[FitnessFinding, ...] = (),
    **counts: int,
) -> Judgement:
    gated = WriteCounts(**counts)
    point = RecoveryPoint(0, 0, gated, gated, "second", examples)
    mine = WorkloadJudgement(ORDERS, verdict, None, point, ())
    return Judgement("r", "s", "v1", verdict, ("why",), (mine,), (), fitness, (), ())


def test_what_is_named_is_caught() -> None:
    found = tally([LOST], judged(lost=1, examples=("lost pd-r-0-1",)), {"one-lost-write": "w"})
    assert (found.planted, found.caught, found.false, found.trusted) == (1, 1, (), True)


@pytest.mark.parametrize(
    ("judgement", "why"),
    [
        (judged(), "nothing reported"),
        (judged(lost=1, examples=("lost pd-r-0-2",)), "another record"),
        (judged(altered=1, examples=("altered pd-r-0-1",)), "another class"),
        (judged(lost=1), "counted and not named"),
    ],
)
def test_what_is_not_named_rightly_is_missed(judgement: Judgement, why: str) -> None:
    found = tally([LOST], judgement, {"one-lost-write": "w"})
    assert found.caught == 0, why
    assert not found.trusted


def test_of_more_than_are_named_the_count_counts() -> None:
    many = [replace(LOST, key=f"pd-r-0-{n}") for n in range(30)]
    named = tuple(f"lost pd-r-0-{n}" for n in range(20))
    found = tally(many, judged(lost=30, examples=named), {"one-lost-write": "w"})
    assert found.trusted
    short = tally(many, judged(lost=29, examples=named), {"one-lost-write": "w"})
    assert (short.caught, short.trusted) == (20, False)
    more = tally(many, judged(lost=31, examples=named), {"one-lost-write": "w"})
    assert more.caught == 30
    assert not more.trusted


def test_what_nobody_planted_is_false() -> None:
    judgement = judged(
        lost=1, ghost=2, examples=("lost pd-r-0-1", "ghost pd-r-0-8", "ghost pd-r-0-9")
    )
    found = tally([LOST], judgement, {"one-lost-write": "w"})
    assert found.caught == 1
    assert not found.trusted
    assert any("2 ghost, planted by nobody" in told for told in found.false)
    assert any("pd-r-0-8 was named as ghost" in told for told in found.false)


def test_what_was_never_planted_proves_nothing() -> None:
    found = tally(
        [LOST], judged(lost=1, examples=("lost pd-r-0-1",)), {"one-lost-write": "w", "ghost": "g"}
    )
    assert not found.trusted
    assert "never planted: ghost" in headline(found, 1)


def test_nothing_at_all_is_not_trusted() -> None:
    assert not Tally((), ()).trusted
    assert not together([]).trusted
    skipped = Row("skewed-clock", "w", 0, 0, "why", skipped=True)
    assert not Tally((skipped,), ()).trusted
    assert Tally((skipped, Row("a", "w", 1, 1, "how")), ()).trusted


UNFIT = FitnessFinding("generator-lag", fit=False, measured="p99.9 900 ms", limit="50 ms")


def test_the_instruments_defect_is_caught_by_its_own_condition() -> None:
    assert caught_by(judged(Verdict.INVALID, fitness=(UNFIT,)), "generator-lag") == "p99.9 900 ms"
    assert caught_by(judged(Verdict.INVALID, fitness=(UNFIT,)), "load-workers") == ""
    assert (
        caught_by(judged(Verdict.INVALID, fitness=(replace(UNFIT, fit=True),)), "generator-lag")
        == ""
    )


@pytest.mark.parametrize("verdict", [Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE])
def test_a_run_that_stands_has_caught_nothing(verdict: Verdict) -> None:
    assert caught_by(judged(verdict, fitness=(UNFIT,)), "generator-lag") == ""


def test_a_clean_run_reports_nothing() -> None:
    effect = FitnessFinding("effect", fit=False, measured="none", limit="seen")
    assert clean(judged(Verdict.INVALID, fitness=(effect,)), frozenset({"effect"})) == ()
    told = clean(judged(Verdict.INVALID, lost=1, fitness=(effect, UNFIT)), frozenset({"effect"}))
    assert told == (
        "order-capture: 1 lost, planted by nobody",
        "unfit: generator-lag: p99.9 900 ms",
    )


def test_what_a_busy_machine_does_to_a_clean_run_is_no_false_report_and_no_proof() -> None:
    judgement = judged(Verdict.INVALID, fitness=(UNFIT, replace(UNFIT, name="schedule")))
    assert noise(judgement) == ("generator-lag: p99.9 900 ms",)
    assert clean(judgement, BUSY) == ("unfit: schedule: p99.9 900 ms",)
    found = Tally((Row("a", "w", 1, 1, "how"),), (), ("clean run 2: baseline: 3 good of 9",))
    assert found.trusted
    assert "2 clean runs, 1 of them on too busy a machine" in headline(found, 2)


@pytest.mark.parametrize("noise", [(), ("clean run 1: baseline: 3 good of 9",)])
def test_without_a_fit_clean_run_nothing_is_shown(noise: tuple[str, ...]) -> None:
    found = Tally((Row("a", "w", 1, 1, "how"),), (), noise)
    assert headline(found, len(noise)).startswith("Not shown, for no clean run was fit")


def test_the_first_line_answers() -> None:
    good = Tally((Row("a", "w", 2, 2, "how"),), ())
    assert headline(good, 20).startswith("The instrument caught everything: 2 planted, 2 caught")
    bad = Tally((Row("a", "w", 2, 1, "how"),), ("false",))
    assert headline(bad, 1) == (
        "DO NOT TRUST THE INSTRUMENT HERE: 2 planted, 1 caught, 1 missed, 1 falsely reported, 1 clean run."
    )


def test_a_run_that_was_not_judged_is_no_clean_run() -> None:
    """It reports nothing, and that is no proof of anything."""
    whole = judged(Verdict.INVALID, fitness=(FitnessFinding("effect", False, "none", "one"),))
    assert unjudged(whole) == ()
    crashed = replace(whole.workloads[0], rpo=None)  # a check that crashes has no counts
    assert unjudged(replace(whole, workloads=(crashed,))) == (
        "no records were judged: order-capture",
    )
    assert unjudged(replace(whole, workloads=())) == ("no records were judged: no workload",)
    skipped = replace(whole, fitness=(), reasons=("skipped: it lacks nodes",))
    assert unjudged(skipped) == ("it was not judged: skipped: it lacks nodes",)
    assert unjudged(replace(whole, verdict=Verdict.ERROR)) == ("it was not judged: why",)
