"""The matrix from cells and runs made by hand: order, answer, notes and columns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.outcome import Outcome
from harness.core.policy import Policy, Season
from harness.core.readiness import cells, elsewhere, matrix
from harness.core.readiness.cells import GRAVITY, PLATFORM, Cell, Subject
from harness.core.readiness.standing import State
from harness.core.verdict import Verdict
from tests.readiness.readiness_samples import (
    ALL,
    NOW,
    POLICY,
    SEASON,
    S,
    claim,
    found,
    lost,
    run,
    slow,
    unsure,
    void,
)

MET, MISSED, OPEN = Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE


def cell(state: State = State.MET, **changed: object) -> Cell:
    told: dict[str, object] = {
        "scenario": "a", "column": "order-capture", "tier": "critical", "owner": "o", "state": state,
        "was": None, "reason": "because", "run_id": "r", "run_utc": NOW, "size": "full",
        "expires_utc": "", "runs": 1, "quantile": None, "rto_target_ns": None, "rpo_target_ns": None,
    }  # fmt: skip
    return Cell(**{**told, **changed})  # type: ignore[arg-type]


EXPIRED = {v: cell(State.EXPIRED, was=v) for v in (MISSED, OPEN, MET)}
IN_ORDER = [
    cell(State.MISSED, proven_loss=True, tier="low"), cell(State.MISSED), EXPIRED[MISSED],
    cell(State.NEVER), cell(State.INCONCLUSIVE), EXPIRED[OPEN], EXPIRED[MET],
    cell(State.SMOKE, lapses="before it ends", tier="low"), cell(State.SMOKE),
    cell(State.MET, lapses="before it ends", tier="low"), cell(), cell(column=PLATFORM),
    cell(tier="high"), cell(tier="medium"), cell(tier="low"), cell(tier="unheard of"),
]  # fmt: skip


def test_the_weakest_cell_stands_first() -> None:
    keys = [matrix._weakness(c) for c in IN_ORDER]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert sorted(GRAVITY.values()) == list(range(8))


@pytest.mark.parametrize(
    ("made", "over", "verdict"),
    [
        ([], False, OPEN),
        ([cell()], False, MET),
        ([cell()], True, OPEN),
        ([cell(lapses="before it ends")], False, OPEN),
        ([cell(), cell(State.SMOKE)], False, OPEN),
        ([cell(), cell(State.MISSED)], False, MISSED),
        ([cell(State.MISSED)], True, MISSED),
    ],
)
def test_ready_is_every_cell_to_the_season_s_end(
    made: list[Cell], over: bool, verdict: Verdict
) -> None:
    assert matrix._verdict(made, over=over) is verdict


EARLY = cell(column="fulfilment", lapses="before it begins", expires_utc="2027-11-01T00:00:00Z")
LATE = cell(lapses="before it ends", expires_utc="2027-11-29T00:00:00Z")


@pytest.mark.parametrize(
    ("made", "over", "told"),
    [
        ([], False, "Not ready for black-friday: there is no scenario, so nothing was ever tested."),
        ([cell()], True, "black-friday ended on 2027-11-30: nothing here speaks for the next one."),
        ([cell(), cell()], False, "Ready for black-friday: all 2 cells are met and stay so to its end."),
        ([LATE, cell()], False, ("Not yet ready for black-friday: all 2 cells are met today, but 1 expires "
         "before it ends; first: a / order-capture, on 2027-11-29.")),
        ([LATE, EARLY], False, ("Not yet ready for black-friday: all 2 cells are met today, but 2 expire "
         "before it begins; first: a / fulfilment, on 2027-11-01.")),
        ([cell(State.NEVER), cell()], False, ("Not ready for black-friday: 1 of 2 cells is met; weakest: "
         "a / order-capture was never tested.")),
        ([cell(State.MISSED), cell(), cell()], False, ("2 of 3 cells are met; weakest: a / order-capture was "
         "missed (because).")),
        ([cell(State.NEVER), cell(State.SMOKE)], False, "0 of 2 cells are met, 1 more by smoke runs alone; "),
        ([EXPIRED[MISSED]], False, "a / order-capture has expired and was missed."),
        ([EXPIRED[OPEN]], False, "a / order-capture has expired and was inconclusive."),
        ([EXPIRED[MET]], False, "a / order-capture has expired."),
        ([cell(State.INCONCLUSIVE)], False, "a / order-capture is inconclusive."),
    ],
)  # fmt: skip
def test_the_answer(made: list[Cell], over: bool, told: str) -> None:
    assert told in matrix._answer(SEASON, made, matrix._verdict(made, over=over), over=over)


def test_a_season_without_dates_has_no_end_to_stay_met_to() -> None:
    undated = Season("now", "", "")
    assert (
        matrix._answer(undated, [cell()], MET, over=False) == "Ready for now: all 1 cells are met."
    )


@pytest.mark.parametrize(
    ("state", "expires", "lapses"),
    [
        (State.MET, "2027-11-22T00:00:00Z", "before it begins"),
        (State.MET, "2027-11-22T00:00:01Z", "before it ends"),
        (State.MET, "2027-11-30T23:59:59Z", "before it ends"),
        (State.MET, "2027-12-01T00:00:00Z", ""),
        (State.SMOKE, "2027-11-01T00:00:00Z", "before it begins"),
        (State.INCONCLUSIVE, "2027-11-01T00:00:00Z", ""),
        (State.MET, "", ""),
    ],
)
def test_a_proof_lapses_where_it_does_not_last_to_the_end(
    state: State, expires: str, lapses: str
) -> None:
    stretch = matrix.season_stretch(SEASON)
    made = cell(state, expires_utc=expires)
    assert matrix._with_lapse(made, stretch) == replace(made, lapses=lapses)
    assert matrix._with_lapse(made, None) == made


@pytest.mark.parametrize(
    ("now", "over"), [("2027-11-30T23:59:59Z", False), ("2027-12-01T00:00:00Z", True)]
)
def test_a_season_is_over_after_its_last_day(now: str, over: bool) -> None:
    assert matrix._is_over(matrix.season_stretch(SEASON), now) is over
    assert matrix._is_over(None, now) is False


OWN = [run("2027-09-20T10:00:00Z"), run("2027-09-21T10:00:00Z", release="2", configuration="x")]


def test_whose_matrix_it_is() -> None:
    assert matrix.subject_of([]) == Subject("", "", "", "", "", 0)
    assert matrix.subject_of([], "3") == Subject("3", "", "", "", "", 0)
    newest = matrix.subject_of(OWN)
    assert (newest.release, newest.configuration, newest.runs) == ("2", "x", 1)
    asked = matrix.subject_of(OWN, "2027.9.0")
    assert (asked.release, asked.configuration, asked.runs) == ("2027.9.0", "c" * 64, 1)
    other = matrix.subject_of(OWN, "3")
    assert (other.release, other.configuration, other.runs) == ("3", "x", 0)
    assert matrix.subject_of([*OWN, OWN[1]], "2").runs == 2


def notes(
    season: Season = SEASON, *, own: list[Outcome] | None = None, now: str = NOW, days: int = 90
) -> tuple[str, ...]:
    made = OWN if own is None else own
    return matrix._notes(season, matrix.subject_of(made, "3"), made, Policy(valid_days=days), now)


def test_what_a_reader_of_the_matrix_must_know() -> None:
    base = (
        "No drill has been run with release 3 yet.",
        "Drilled on embedded: stand-in application.",
    )
    assert notes() == base
    assert notes(own=[]) == ()
    assert notes(Season("x", "", "")) == (
        "The targets give no dates for x: what expires before it is not known.", *base,
    )  # fmt: skip
    far = "black-friday begins more than 51 days from now: no drill of today lasts until then."
    assert notes(days=51) == (far, *base)
    assert notes(days=52, now="2027-10-01T00:00:00Z") == base
    clocks = "2 runs begin after now: a clock is wrong; they prove nothing met."
    assert notes(now="2027-09-20T09:59:59Z")[-1] == clocks
    assert "1 runs begin after now" in notes(now="2027-09-20T10:00:00Z")[-1]
    assert notes(now="2027-09-21T10:00:00Z") == base


def test_what_each_run_is_worth_here() -> None:
    runs = [
        run("2027-09-20T10:00:00Z"), run("2027-09-19T10:00:00Z", release="1"),
        run("2027-09-18T10:00:00Z", configuration="x"), run("2027-06-01T10:00:00Z"),
        run("2027-09-17T10:00:00Z", *map(void, ALL)), run("2027-09-16T10:00:00Z", tenant="north"),
        run("2027-09-15T10:00:00Z", name="gone"), run("2027-09-14T10:00:00Z", fault="null"),
    ]  # fmt: skip
    made = found(runs, release="2027.9.0")
    assert [(r.begun_utc[:10], r.use) for r in made.runs] == [
        ("2027-09-20", ""), ("2027-09-19", "another release 1"), ("2027-09-18", "another configuration"),
        ("2027-09-17", "it proves nothing"), ("2027-09-16", "tenant north"),
        ("2027-09-15", "there is no such scenario any more"), ("2027-09-14", "another experiment, null"),
        ("2027-06-01", "older than 90 days"),
    ]  # fmt: skip
    assert found(runs, tenant="north").runs[0].use == "no tenant"
    assert made.columns == (*(w.value for w in ALL), PLATFORM)
    assert made.rows == ("node-loss",)
    assert found([], []).columns == ()
    assert made.cell("node-loss", "nowhere") is None
    assert found([], []).weakest is None
    assert made.weakest == made.cells[0]
    assert made.count(State.MET) == 7
    assert made.count(State.NEVER) == 0


@pytest.mark.parametrize(("count", "told"), [(0, None), (1, "a run of 2"), (2, "2 runs of 2")])
def test_losses_that_stand_in_no_cell_are_told_beside_the_answer(
    count: int, told: str | None
) -> None:
    said = elsewhere.told_first([""] * count, "2")
    assert said == (
        ()
        if told is None
        else (f"Beside it, {told} lost or damaged acknowledged records; see the notes.",)
    )
    assert "of the unnamed release" in elsewhere.told_first([""], "")[0]


def test_a_cell_rests_on_the_newest_run_that_carries_it_and_on_a_loss_first() -> None:
    def of(*runs: Outcome) -> Cell:
        made = found(list(runs), release="2027.9.0").cell("node-loss", "order-capture")
        assert made is not None
        return made

    at = "2027-09-2{}T10:00:00Z".format
    both = of(run(at(1), lost()), run(at(2), slow()))
    assert (both.state, both.run_utc, both.proven_loss, both.runs) == (State.MISSED, at(1), True, 2)
    slower = of(run(at(1), slow()), run(at(2), slow()), run(at(3)))
    assert (slower.run_utc, slower.proven_loss, slower.runs) == (at(2), False, 2)
    doubt = of(run(at(1)), run(at(2), unsure()), run(at(3)))
    assert (doubt.state, doubt.run_utc, doubt.runs, doubt.quantile) == (
        State.INCONCLUSIVE,
        at(2),
        1,
        None,
    )
    aged = of(run("2027-06-01T10:00:00Z"), run("2027-06-02T10:00:00Z", unsure(), release="1"))
    assert (aged.state, aged.was) == (State.EXPIRED, OPEN)
    assert (
        aged.reason.startswith("older release 1; inconclusive: ")
        or "another release 1" in aged.reason
    )
    void_alone = of(run(at(1), *map(void, ALL)))
    assert void_alone.reason == "1 run, none of which proves anything here"
    assert (of().reason, of().runs, of().tier, of().owner) == ("no run", 0, "critical", "commerce")
    assert of().rto_target_ns == 60 * S
    assert of().rpo_target_ns == 0


def test_the_platform_s_cell_is_critical_and_the_scenario_s_owner_s() -> None:
    made = found([], [claim()]).cell("node-loss", PLATFORM)
    assert made is not None
    assert (made.tier, made.owner, made.rto_target_ns) == ("critical", "platform", None)
    assert cells._never(2) == "2 runs, none of which proves anything here"
    assert POLICY.valid_days == 90
