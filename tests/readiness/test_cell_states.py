"""Each state of a cell, and its edges: to the second, by the time of a release's first run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from readiness_samples import (
    ALL,
    NOW,
    POLICY,
    S,
    claim,
    found,
    lost,
    part,
    run,
    scenario,
    slow,
    targets,
    unsure,
    void,
)

from harness.core import checks
from harness.core.instants import days_after
from harness.core.operation import Workload
from harness.core.outcome import Outcome
from harness.core.readiness.cells import Cell, Claim
from harness.core.readiness.standing import State
from harness.core.verdict import Verdict

ORDER = Workload.ORDER_CAPTURE
OLD = {"release": "2027.7.0"}


def cell(runs: Sequence[Outcome], *, column: str = "order-capture", **asked: object) -> Cell:
    made = found(runs, **asked).cell("node-loss", column)  # type: ignore[arg-type]
    assert made is not None
    return made


AT = "2027-09-2{}T10:00:00Z".format
SMOKE = {"size": "smoke"}

TABLE = {
    "one clean full run": ([run()], State.MET),
    "one clean smoke run": ([run(**SMOKE)], State.SMOKE),
    "nothing at all": ([], State.NEVER),
    "a run of another scenario": ([run(name="ransomware")], State.NEVER),
    "an invalid run": ([run(AT(1), *map(void, ALL))], State.NEVER),
    "an error of ours": ([run(verdict=Verdict.ERROR)], State.NEVER),
    "the null run": ([run(fault="null")], State.NEVER),
    "another tenant's run": ([run(tenant="north")], State.NEVER),
    "unsure": ([run(AT(1), unsure())], State.INCONCLUSIVE),
    "a clean run does not answer for an unsure one": (
        [run(AT(1), unsure()), run(AT(2))], State.INCONCLUSIVE,
    ),
    "an unsure smoke run gives way to a full one": (
        [run(AT(1)), run(AT(2), unsure(), **SMOKE)], State.MET,
    ),
    "a clean smoke run does not answer for an unsure full one": (
        [run(AT(1), unsure()), run(AT(2), **SMOKE)], State.INCONCLUSIVE,
    ),
    "too slow": ([run(AT(1), slow())], State.MISSED),
    "a loss is not overwritten by ten clean runs": (
        [run(AT(0), lost()), *(run(f"2027-09-21T1{n}:00:00Z") for n in range(10))], State.MISSED,
    ),
    "a smoke run proves a loss as well": ([run(AT(1)), run(AT(2), lost(), **SMOKE)], State.MISSED),
    "a loss in a run that is unfit otherwise": (
        [run(AT(1), lost(), *(void(w) for w in ALL[1:]))], State.MISSED,
    ),
    "an unproven adapter": ([run(unproven=True)], State.INCONCLUSIVE),
}  # fmt: skip


@pytest.mark.parametrize(("runs", "state"), TABLE.values(), ids=TABLE)
def test_state(runs: list[Outcome], state: State) -> None:
    assert cell(runs).state is state


def test_the_others_of_a_run_with_one_loss_are_judged_on_their_own() -> None:
    made = found([run(AT(1), lost())])
    assert {c.column for c in made.cells if c.state is State.MISSED} == {"order-capture"}
    assert made.verdict is Verdict.MISSED


@pytest.mark.parametrize(("later_s", "state"), [(-1, State.MET), (0, State.EXPIRED)])
def test_a_proof_expires_to_the_second(later_s: int, state: State) -> None:
    clock = {-1: "2027-12-19T09:59:59Z", 0: "2027-12-19T10:00:00Z"}[later_s]
    assert days_after("2027-09-20T10:00:00Z", 90) == "2027-12-19T10:00:00Z"
    made = cell([run("2027-09-20T10:00:00Z")], now=clock)
    assert made.state is state
    assert (made.expires_utc == "2027-12-19T10:00:00Z") == (state is State.MET)


def test_what_speaks_against_a_release_does_not_expire() -> None:
    runs = [run("2027-01-01T10:00:00Z", lost()), run(AT(1))]
    assert cell(runs).state is State.MISSED
    assert cell([run("2027-01-01T10:00:00Z", unsure()), run(AT(1))]).state is State.INCONCLUSIVE


def test_the_newest_clean_run_says_when_it_expires() -> None:
    made = cell([run(AT(1)), run(AT(3)), run(AT(2))])
    assert made.run_utc == AT(3)
    assert made.expires_utc == days_after(AT(3), 90)
    assert (made.runs, round(made.quantile or 0, 3)) == (3, 0.368)  # 0.05 ** (1 / 3)


def test_an_aged_full_run_leaves_the_word_to_a_smoke_run() -> None:
    runs = [run("2027-05-01T10:00:00Z"), run(AT(1), **SMOKE)]
    assert cell(runs).state is State.SMOKE


def test_a_run_from_the_future_proves_nothing_met() -> None:
    made = found([run("2027-10-02T10:00:00Z")])
    assert made.cell("node-loss", "order-capture").state is State.EXPIRED  # type: ignore[union-attr]
    assert any("a clock is wrong" in note for note in made.notes)
    assert cell([run("2027-10-02T10:00:00Z", lost())]).state is State.MISSED


def test_releases_are_ordered_by_their_first_run_and_not_by_their_names() -> None:
    runs = [run("2027-09-01T10:00:00Z", release="10.0"), run(AT(1), release="9.0")]
    newest = cell(runs)
    assert newest.state is State.MET
    assert newest.run_utc == AT(1)
    asked = cell(runs, release="10.0")
    assert asked.state is State.MET
    only_old = cell([*runs, run(AT(3), name="ransomware", release="10.0")][:2], release="11.0")
    assert only_old.state is State.EXPIRED
    assert only_old.reason.startswith("older release 9.0; met:")


def test_a_later_release_is_another_and_no_older_one() -> None:
    runs = [run(AT(1), release="9.0", name="page-corruption"), run(AT(2), release="10.0")]
    made = found(runs, [claim(), claim("page-corruption")], release="9.0")
    there = made.cell("node-loss", "order-capture")
    assert there is not None
    assert there.reason.startswith("another release 10.0;")


def test_another_configuration_is_no_proof() -> None:
    runs = [run(AT(1), configuration="b" * 64), run(AT(2), name="page-corruption")]
    made = found(runs, [claim(), claim("page-corruption")])
    there = made.cell("node-loss", "order-capture")
    assert there is not None
    assert (there.state, there.was) == (State.EXPIRED, Verdict.MET)
    assert there.reason.startswith("another configuration; met:")


def test_an_expired_cell_tells_the_gravest_of_what_was_tried_last() -> None:
    runs = [
        run("2027-07-01T10:00:00Z", **OLD),
        run("2027-07-02T10:00:00Z", lost(), **OLD),
        run("2027-07-03T10:00:00Z", **OLD),
        run(AT(1), name="page-corruption"),
    ]
    made = found(runs, [claim(), claim("page-corruption")])
    there = made.cell("node-loss", "order-capture")
    assert there is not None
    assert (there.state, there.was) == (State.EXPIRED, Verdict.MISSED)
    assert made.cells[0] == there  # graver than never tested


def seasonal(**changes: object) -> list[Claim]:
    return [Claim(scenario(), targets(**changes))]


TARGET_TABLE = {
    "stricter, and met all the same": (part(), {"rto_s": 30.0}, State.MET),
    "stricter, and missed": (part(), {"rto_s": 15.0}, State.MISSED),
    "stricter, and inside the interval": (part(), {"rto_s": 20.5}, State.INCONCLUSIVE),
    "exactly the high end": (part(), {"rto_s": 21.0}, State.MET),
    "exactly the low end": (part(rto_high_ns=None), {"rto_s": 20.0}, State.INCONCLUSIVE),
    "looser: a miss of then is met by its interval": (slow(), {"rto_s": 90.0}, State.MET),
    "looser, and still missed": (slow(), {"rto_s": 65.0}, State.MISSED),
    "losses allowed then, and not now": (
        part(lost=2, rpo_achieved_ns=S, rpo_target_ns=300 * S), {}, State.MISSED,
    ),
    "losses beyond what was allowed then, and not now": (
        replace(lost(), proven_loss=True), {"rpo_s": 60.0, "lost_max": 5}, State.MET,
    ),
    "older than the season's RPO": (
        replace(lost(), rpo_achieved_ns=61 * S), {"rpo_s": 60.0, "lost_max": None}, State.MISSED,
    ),
    "older, unless the workers' clocks are off": (
        part(lost=2, rpo_achieved_ns=61 * S, rpo_widened_by_ns=2 * S),
        {"rpo_s": 60.0, "lost_max": None}, State.INCONCLUSIVE,
    ),
    "younger, unless the workers' clocks are off": (
        part(lost=2, rpo_achieved_ns=59 * S, rpo_widened_by_ns=2 * S),
        {"rpo_s": 60.0, "lost_max": None}, State.INCONCLUSIVE,
    ),
    "older, whatever the workers' clocks": (
        part(lost=2, rpo_achieved_ns=63 * S, rpo_widened_by_ns=2 * S),
        {"rpo_s": 60.0, "lost_max": None}, State.MISSED,
    ),
    "a looser target does not make stored what may wait in a queue": (
        replace(lost(), waiting=4), {"rpo_s": 60.0, "lost_max": 5}, State.INCONCLUSIVE,
    ),
    "a violation is never allowed": (
        part(violations=1), {"rpo_s": 600.0, "lost_max": None}, State.MISSED,
    ),
    "drilled at less than the season's rate": (part(rate_per_s=9.0), {}, State.EXPIRED),
    "missed at less than the season's rate": (replace(slow(), rate_per_s=9.0), {}, State.MISSED),
    "drilled at more": (part(rate_per_s=30.0), {}, State.MET),
    "no RPO then, and one now": (
        part(rpo_target_ns=None, checks=(("rto", Verdict.MET),)), {}, State.EXPIRED,
    ),
    "no RPO now": (
        part(rpo_target_ns=None, checks=(("rto", Verdict.MET),)), {"rpo_s": None}, State.MET,
    ),
    "nothing acknowledged": (part(acked=0), {}, State.INCONCLUSIVE),
    "no recovery time": (
        part(rto_low_ns=None, rto_high_ns=None,
            checks=(("rto", Verdict.INCONCLUSIVE), ("rpo", Verdict.MET))), {},
        State.INCONCLUSIVE,
    ),
    "down when the season's target had passed": (
        part(
            verdict=Verdict.MISSED, rto_low_ns=10 * S, rto_high_ns=None,
            rto_observed_until_ns=75 * S, checks=(("rto", Verdict.MISSED), ("rpo", Verdict.MET)),
        ), {"rto_s": 70.0}, State.MISSED,
    ),
    "down, but not watched as long as the season allows": (
        part(
            verdict=Verdict.MISSED, rto_low_ns=10 * S, rto_high_ns=None,
            rto_observed_until_ns=75 * S, checks=(("rto", Verdict.MISSED), ("rpo", Verdict.MET)),
        ), {"rto_s": 90.0}, State.INCONCLUSIVE,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("was", "season", "state"), TARGET_TABLE.values(), ids=TARGET_TABLE)
def test_the_season_s_own_targets_decide(
    was: object, season: dict[str, object], state: State
) -> None:
    made = found([run(AT(1), was)], seasonal(**season))  # type: ignore[arg-type]
    there = made.cell("node-loss", "order-capture")
    assert there is not None
    assert there.state is state


def test_a_looser_latency_limit_of_another_season_is_told() -> None:
    quiet = replace(targets(latency_limit_s=5.0), season="quiet")
    made = found([run(season="quiet")], [Claim(scenario(), targets(), (quiet,))])
    there = made.cell("node-loss", "order-capture")
    assert there is not None
    assert there.state is State.EXPIRED
    assert there.reason.startswith("judged at 5 s an answer, not 2 s")


@pytest.mark.parametrize(
    ("rto_s", "state"), [(60.0, State.MET), (50.0, State.INCONCLUSIVE), (90.0, State.MET)]
)
def test_a_latent_fault_counts_from_its_outage(rto_s: float, state: State) -> None:
    """The outcome's interval is the fault's: against another target it can prove met alone."""
    late = part(rto_low_ns=70 * S, rto_high_ns=80 * S)  # met on the outage's clock
    claims = [Claim(scenario(rto_clock="outage"), targets(rto_s=rto_s))]
    there = found([run(AT(1), late)], claims).cell("node-loss", "order-capture")
    assert there is not None
    assert there.state is state


def test_platform_wide_checks_have_a_column_of_their_own() -> None:
    split = run(checks=(("stores-agree", Verdict.MISSED),), verdict=Verdict.MISSED)
    made = found([split])
    assert [c.column for c in made.cells if c.state is State.MISSED] == ["platform-wide"]
    assert made.columns[-1] == "platform-wide"
    assert made.verdict is Verdict.MISSED
    void_run = run(checks=(("stores-agree", Verdict.INVALID),), verdict=Verdict.INVALID)
    assert cell([void_run], column="platform-wide").state is State.NEVER


def test_a_check_that_the_scenario_gained_since_was_not_made() -> None:
    claims = [Claim(scenario(checks=(*checks.EVERY_DRILL, checks.audit_kept)), targets())]
    there = found([run()], claims).cell("node-loss", "platform-wide")
    assert there is not None
    assert there.state is State.EXPIRED
    assert there.reason.startswith("it did not check audit-kept")


def test_the_declared_validity_counts() -> None:
    short = replace(POLICY, valid_days=5)
    assert cell([run("2027-09-20T10:00:00Z")], policy=short).state is State.EXPIRED
    assert NOW == "2027-10-01T12:00:00Z"
