"""Laws: whatever ran, in whatever order, nothing but proof makes a cell better."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from readiness_samples import ALL, POLICY, claim, found, lost, part, run, slow, unsure, void

from harness.core.instants import days_after
from harness.core.operation import Workload
from harness.core.outcome import Outcome
from harness.core.readiness.cells import GRAVITY, Cell
from harness.core.readiness.matrix import Readiness, readiness
from harness.core.readiness.standing import State
from harness.core.verdict import Verdict

SUBJECT = "2027.9.0"
FINANCE = Workload.FINANCE
PARTS = (
    part(), slow(), unsure(), lost(), void(), part(rto_high_ns=None), part(rate_per_s=5.0),
    slow(FINANCE, 901.0), unsure(FINANCE), lost(FINANCE, 1),
)  # fmt: skip
FIRST = "2027-05-01T00:00:00Z"
CLAIMS = [claim("node-loss"), claim("page-corruption")]


@st.composite
def outcomes(draw: st.DrawFn) -> list[Outcome]:
    """Up to nine runs, of two releases, sizes and scenarios, some of them too old."""
    made = []
    for number in range(draw(st.integers(0, 9))):
        begun = days_after(FIRST, draw(st.integers(0, 150)))
        made.append(
            run(
                begun, *draw(st.lists(st.sampled_from(PARTS), max_size=2)),
                name=draw(st.sampled_from(["node-loss", "page-corruption"])),
                run_id=f"r{number}", size=draw(st.sampled_from(["full", "smoke"])),
                release=draw(st.sampled_from([SUBJECT, "other"])),
                configuration=draw(st.sampled_from(["c", "d"])),
                fault=draw(st.sampled_from(["", "", "", "null"])),
            )
        )  # fmt: skip
    return [replace(o, fault=o.fault or o.scenario) for o in made]


def matrix(runs: list[Outcome], now: str = "2027-10-01T00:00:00Z") -> Readiness:
    """Held to one subject, of which there is always a run: what goes in must not wander."""
    anchor = run("2027-09-30T00:00:00Z", name="none-such", run_id="anchor", configuration="c")
    claims = [*CLAIMS, claim("none-such")]
    season = POLICY.seasons[0]
    made = readiness([*runs, anchor], claims, POLICY, season=season, now_utc=now, release=SUBJECT)
    assert made.subject.configuration == "c"
    return made


def gravity(cell: Cell) -> int:
    return GRAVITY[cell.state, cell.was]


def by_name(found_: Readiness) -> dict[str, int]:
    return {c.name: gravity(c) for c in found_.cells if c.scenario != "none-such"}


@settings(max_examples=60, deadline=None)
@given(outcomes(), st.sampled_from(ALL), st.integers(0, 150), st.sampled_from(["full", "smoke"]))
def test_a_proven_loss_never_improves_a_cell(
    runs: list[Outcome], workload: Workload, day: int, size: str
) -> None:
    before = by_name(matrix(runs))
    for release, configuration in ((SUBJECT, "c"), (SUBJECT, "d"), ("other", "c")):
        loss = run(
            days_after(FIRST, day), lost(workload), run_id="loss", size=size, release=release,
            configuration=configuration,
        )  # fmt: skip
        place = f"node-loss / {workload}"
        after = by_name(matrix([*runs, loss]))
        assert after[place] <= before[place]
        if (release, configuration) == (SUBJECT, "c"):
            assert after[place] == GRAVITY[State.MISSED, None]


@settings(max_examples=60, deadline=None)
@given(outcomes(), st.data())
def test_removing_what_did_not_speak_against_it_makes_nothing_met(
    runs: list[Outcome], data: st.DataObject
) -> None:
    """A clean run, or one that is void: without it no cell becomes met that was not."""
    harmless = [
        o for o in runs if all(w in {part(w.workload), void(w.workload)} for w in o.workloads)
    ]
    if not harmless:
        return
    gone = data.draw(st.sampled_from(harmless))
    before, after = matrix(runs), matrix([o for o in runs if o is not gone])
    for cell in after.cells:
        if cell.state in {State.MET, State.SMOKE}:
            was = before.cell(cell.scenario, cell.column)
            assert was is not None
            assert gravity(was) >= gravity(cell)


@settings(max_examples=60, deadline=None)
@given(outcomes())
def test_a_met_cell_rests_on_a_full_run_that_met_it(runs: list[Outcome]) -> None:
    found_ = matrix(runs)
    at = {o.run_id: o for o in runs}
    for cell in found_.cells:
        if cell.state in {State.MET, State.SMOKE} and cell.scenario != "none-such":
            rests = at[cell.run_id]
            assert rests.size == ("full" if cell.state is State.MET else "smoke")
            assert (rests.release, rests.configuration) == (SUBJECT, "c")
            assert rests.fault == rests.scenario == cell.scenario
            part_ = next((w for w in rests.workloads if str(w.workload) == cell.column), None)
            assert part_ is None or (part_.verdict is Verdict.MET and part_.lost == 0)


@settings(max_examples=60, deadline=None)
@given(outcomes(), st.randoms(use_true_random=False))
def test_the_order_of_runs_and_copies_of_them_do_not_matter(
    runs: list[Outcome], shuffler: object
) -> None:
    mixed = [*runs, *runs]
    shuffler.shuffle(mixed)  # type: ignore[attr-defined]
    assert matrix(mixed) == matrix(runs)


@settings(max_examples=60, deadline=None)
@given(outcomes(), st.integers(0, 400))
def test_time_passing_improves_nothing(runs: list[Outcome], days: int) -> None:
    before = by_name(matrix(runs))
    after = by_name(matrix(runs, days_after("2027-10-01T00:00:00Z", days)))
    assert all(after[name] <= before[name] for name in before)


@settings(max_examples=60, deadline=None)
@given(outcomes())
def test_ready_means_that_every_cell_is_met_and_lasts(runs: list[Outcome]) -> None:
    found_ = found(runs, CLAIMS)
    ready = all(c.state is State.MET and not c.lapses for c in found_.cells)
    assert (found_.verdict is Verdict.MET) == ready
    assert found_.answer.startswith("Ready for") == ready
    assert (found_.verdict is Verdict.MISSED) == any(c.state is State.MISSED for c in found_.cells)
    ranks = [gravity(c) for c in found_.cells]
    assert ranks == sorted(ranks)
