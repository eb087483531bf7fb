"""The one sentence, the season's days, what is to go into it, and every renderer of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import readiness_samples
from readiness_samples import NOW, POLICY, SEASON, SIX, claim, found, lost, part, run, slow

from harness.core.operation import Workload
from harness.core.policy import Season
from harness.core.readiness.matrix import Readiness
from harness.core.readiness.standing import State
from harness.core.readiness.trend import Series
from harness.core.verdict import Verdict
from reports.readiness_json import render_readiness_json
from reports.readiness_text import WIDTH, readiness_lines

SAMPLES = ("mixed", "ready", "lapsing", "untested", "crowd")


def sample(name: str) -> Readiness:
    made: Readiness = getattr(readiness_samples, name)()
    return made


ANSWERS = {
    "ready": (
        "Ready for black-friday: all 42 cells are met and stay so to its end.", Verdict.MET,
    ),
    "untested": (
        ("Not ready for black-friday: 0 of 42 cells are met; weakest: node-loss / order-capture "
        "was never tested."), Verdict.INCONCLUSIVE,
    ),
    "mixed": (
        ("Not ready for black-friday: 19 of 42 cells are met, 7 more by smoke runs alone; weakest: "
        "logical-corruption / point-of-sale was missed (3 of 900 acknowledged records lost, "
        "0 allowed)."), Verdict.MISSED,
    ),
    "lapsing": (
        ("Not yet ready for black-friday: all 42 cells are met today, but 21 expire before it "
        "begins; first: node-loss / order-capture, on 2027-11-08."), Verdict.INCONCLUSIVE,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "told"), ANSWERS.items(), ids=ANSWERS)
def test_one_sentence_answers(name: str, told: tuple[str, Verdict]) -> None:
    made = sample(name)
    assert (made.answer, made.verdict) == told


def test_a_proof_that_ends_within_the_season_is_none_for_all_of_it() -> None:
    """90 days from the run's begin: the season's last second is the edge."""
    for begun, lapses in (
        ("2027-08-24T00:00:00Z", "before it begins"),  # ends as the season begins
        ("2027-08-24T00:00:01Z", "before it ends"),
        ("2027-09-01T23:59:59Z", "before it ends"),
        ("2027-09-02T00:00:00Z", ""),
    ):
        made = found([run(begun)])
        assert {c.lapses for c in made.cells} == {lapses}
        assert (made.verdict is Verdict.MET) == (lapses == "")


def test_a_season_without_days_and_one_that_is_over() -> None:
    dateless = found([run()], season=Season("black-friday", "", ""))
    assert dateless.verdict is Verdict.MET
    assert any("no dates" in note for note in dateless.notes)
    over = found([run()], season=Season("spring", "2027-03-01", "2027-09-30"))
    assert over.verdict is Verdict.INCONCLUSIVE
    assert over.answer.startswith("spring ended on 2027-09-30")
    last = found([run()], season=Season("autumn", "2027-09-25", "2027-10-01"))
    assert last.verdict is Verdict.MET  # its last day has not ended


def test_smoke_runs_alone_never_make_it_ready() -> None:
    made = found([run(size="smoke")])
    assert made.verdict is Verdict.INCONCLUSIVE
    assert made.answer.startswith(
        "Not ready for black-friday: 0 of 7 cells are met, 7 more by smoke runs alone; weakest: "
    )


def test_no_scenario_is_no_readiness() -> None:
    made = found([run()], [])
    assert made.verdict is Verdict.INCONCLUSIVE
    assert made.answer.startswith("Not ready")


def test_the_subject_is_the_newest_run_s_release_unless_asked() -> None:
    runs = [
        run("2027-09-01T10:00:00Z", release="2.0", configuration="x"),
        run("2027-09-02T10:00:00Z", release="1.0", configuration="y"),
        run("2027-09-03T10:00:00Z", release="3.0", configuration="z", fault="null"),
        run("2027-09-04T10:00:00Z", release="4.0", configuration="z", tenant="north"),
    ]
    assert (found(runs).subject.release, found(runs).subject.configuration) == ("1.0", "y")
    assert found(runs, release="2.0").subject.configuration == "x"
    asked = found(runs, release="9.0")
    assert asked.subject.runs == 0
    assert any("No drill has been run with release 9.0" in note for note in asked.notes)
    assert found(runs, tenant="north").subject.release == "4.0"


def test_the_worst_stands_first_and_of_equals_what_matters_most() -> None:
    made = sample("mixed")
    assert made.weakest is not None
    assert (made.weakest.scenario, made.weakest.column) == ("logical-corruption", "point-of-sale")
    never = [c for c in made.cells if c.state is State.NEVER]
    assert [c.tier for c in never] == ["critical"] * 4 + ["high"] * 2 + ["medium"]
    assert never[3].column == "platform-wide"


def test_a_lost_record_stands_before_a_slow_recovery() -> None:
    runs = [run("2027-09-20T10:00:00Z", slow(), lost(Workload.FINANCE, 1))]
    assert [c.column for c in found(runs).cells[:2]] == ["finance-reporting", "order-capture"]
    assert found(runs).cells[0].proven_loss


def series(runs: list[object], workload: str = "order-capture") -> list[Series]:
    return [s for s in found(runs).trend if s.workload == workload]  # type: ignore[arg-type]


def test_the_trend_follows_first_runs_and_joins_only_what_is_alike() -> None:
    fast = part(rto_low_ns=5_000_000_000, rto_high_ns=6_000_000_000)
    runs = [
        run("2027-09-01T10:00:00Z", release="9"),
        run("2027-09-02T10:00:00Z", slow(), release="10"),
        run("2027-09-03T10:00:00Z", fast, release="9"),
        run("2027-09-04T10:00:00Z", part(rto_high_ns=None), release="10"),
        run("2027-09-05T10:00:00Z", release="10", size="smoke"),
        run("2027-09-06T10:00:00Z", part(rate_per_s=20.0), release="10"),
        run("2027-09-07T10:00:00Z", release="10", fault="null"),
    ]
    made = series(runs)
    assert [(s.size, s.rate_per_s, s.runs) for s in made] == [
        ("full", 10.0, 4), ("full", 20.0, 1), ("smoke", 10.0, 1),
    ]  # fmt: skip
    points = made[0].points
    assert [p.release for p in points] == ["9", "10"]
    assert [p.slowest.high_ns for p in points] == [21_000_000_000, None]
    assert points[0].median.high_ns == 21_000_000_000  # the slower of two, and no mean
    assert points[0].quantile == pytest.approx(0.05**0.5)
    assert made[0].target_ns == 60_000_000_000


@pytest.mark.parametrize("name", SAMPLES)
def test_the_terminal_gets_the_answer_first_and_no_long_line(name: str) -> None:
    lines = readiness_lines(sample(name))
    assert lines[0].startswith(("Ready for", "Not"))
    assert max(len(line) for line in lines) <= WIDTH
    assert not any(ord(c) < 32 or c == "\u202e" for line in lines for c in line)


@pytest.mark.parametrize("name", SAMPLES)
def test_json_says_the_same(name: str) -> None:
    made = sample(name)
    document = json.loads(render_readiness_json(made))
    assert document["answer"] == made.answer
    assert [c["state"] for c in document["cells"]] == [c.state.value for c in made.cells]
    assert len(document["runs"]) == len(made.runs)


def test_a_run_says_why_it_does_not_count() -> None:
    runs = [
        run("2027-06-01T10:00:00Z"),
        run("2027-09-02T10:00:00Z", lost(), tenant="north"),
        run("2027-09-03T10:00:00Z", fault="null"),
        run("2027-09-04T10:00:00Z", name="gone"),
        run("2027-09-05T10:00:00Z", release="other"),
        run("2027-09-06T10:00:00Z", verdict=Verdict.ERROR),
        run("2027-09-07T10:00:00Z"),
    ]
    assert [line.use for line in found(runs).runs] == [
        "", "it proves nothing", "another release other", "there is no such scenario any more",
        "another experiment, null", "tenant north", "older than 90 days",
    ]  # fmt: skip


def test_everything_is_there_for_a_policy_of_one_s_own() -> None:
    policy = replace(POLICY, valid_days=5, tenants=("west",))
    made = found([run()], [claim(name) for name in SIX], policy=policy, season=SEASON, now=NOW)
    assert made.valid_days == 5
    assert [t.name for t in made.tenants] == ["west"]
    assert any("more than 5 days from now" in note for note in made.notes)
