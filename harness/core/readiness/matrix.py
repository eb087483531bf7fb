"""Are we ready for the season? A matrix of scenarios by workloads, and what no drill covers.

A cell is made of the runs of one scenario, with its own experiment, for one tenant; it speaks for
one release and one configuration, the subject. Several runs make a cell so:

1. Of the subject's runs, one that proved a miss makes the cell missed: whatever its size, whatever
   ran after it, however long ago. What speaks against a release does not expire; it goes with it.
2. Else its full runs decide: one inconclusive makes it inconclusive, else one met within the
   declared validity makes it met.
3. Else its smoke runs decide in the same way, and make `met (smoke)` at most: a sign, no proof.
4. Else it is expired where anything was ever shown (too old, another release or configuration,
   or less asked than the season asks), and never tested otherwise.

Nothing is averaged. Invalid runs prove nothing. Removing a run that met never makes a cell better,
time passing neither, and a proven loss makes it worse whenever it is found. One that the release
proved and that stands in no cell (another configuration or tenant) is said beside the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core.instants import Stretch, days_after, is_before, season_stretch
from harness.core.outcome import Outcome
from harness.core.policy import Policy, Season
from harness.core.readiness import cells
from harness.core.readiness.cells import GRAVITY, Cell, Claim, Subject
from harness.core.readiness.coverage import (
    COMPONENTS,
    FAILURE_MODES,
    Covered,
    covered,
    fit,
    tenants_covered,
)
from harness.core.readiness.elsewhere import losses_elsewhere, told_first
from harness.core.readiness.standing import State
from harness.core.readiness.trend import Series, first_runs, trend
from harness.core.verdict import Verdict

BEGINS, ENDS = "before it begins", "before it ends"
_TIERS = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run, and what it is worth here. `use` "": it counts."""

    run_id: str
    begun_utc: str
    scenario: str
    release: str
    size: str
    verdict: Verdict
    platform: str
    use: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Everything that the command, the page and JSON show. Columns are names, not an enum."""

    season: Season  # begins and ends "": the targets give no dates
    tenant: str
    now_utc: str
    subject: Subject
    verdict: Verdict  # met only where every cell is met to the season's end
    answer: str  # one sentence
    cells: tuple[Cell, ...]  # the weakest first
    rows: tuple[str, ...]  # scenarios
    columns: tuple[str, ...]  # workloads, then what belongs to none
    components: tuple[Covered, ...]
    failure_modes: tuple[Covered, ...]
    tenants: tuple[Covered, ...]
    trend: tuple[Series, ...]
    runs: tuple[RunLine, ...]  # the newest first
    valid_days: int
    confidence: float
    notes: tuple[str, ...]

    @property
    def weakest(self) -> Cell | None:
        return self.cells[0] if self.cells else None

    def cell(self, row: str, column: str) -> Cell | None:
        return next((c for c in self.cells if (c.scenario, c.column) == (row, column)), None)

    def count(self, state: State) -> int:
        return sum(c.state is state for c in self.cells)


def readiness(
    outcomes: Sequence[Outcome],
    claims: Sequence[Claim],
    policy: Policy,
    *,
    season: Season,
    now_utc: str,
    tenant: str = "",
    release: str | None = None,
) -> Readiness:
    """`release` None: the one of the newest run. The order of `outcomes` does not matter."""
    runs = sorted(
        set(outcomes), key=lambda o: (o.begun_utc, o.run_id, o.verdict, o.evidence_digest)
    )
    own = [o for o in runs if _foreign(o, claims, tenant) == ""]
    subject = subject_of(own, release)
    order = first_runs(runs)
    stretch = season_stretch(season)
    view = cells.View(subject, order, now_utc, policy.valid_days, policy.gate.confidence)
    found = [
        _with_lapse(cell, stretch) for claim in claims for cell in cells.of_claim(claim, own, view)
    ]
    found.sort(key=_weakness)
    fitting = [o for o in runs if fit(o) and _is_own_fault(o, claims)]
    scenarios = [c.scenario for c in claims]
    verdict = _verdict(found, over=_is_over(stretch, now_utc))
    losses = losses_elsewhere(
        runs, found, subject, lambda o: _foreign(o, claims, tenant) or view.another(o)
    )
    answer = _answer(season, found, verdict, over=_is_over(stretch, now_utc))
    return Readiness(
        season=season,
        tenant=tenant,
        now_utc=now_utc,
        subject=subject,
        verdict=verdict,
        answer=" ".join((answer, *told_first(losses, subject.release))),
        cells=tuple(found),
        rows=tuple(s.name for s in scenarios),
        columns=_columns(claims),
        components=covered(COMPONENTS, scenarios, [o for o in fitting if o.tenant == tenant]),
        failure_modes=covered(FAILURE_MODES, scenarios, [o for o in fitting if o.tenant == tenant]),
        tenants=tenants_covered(policy.tenants, scenarios, fitting),
        trend=trend(own, _targets_ns(claims), order, policy.gate.confidence),
        runs=tuple(_line(o, claims, view, tenant) for o in reversed(runs)),
        valid_days=policy.valid_days,
        confidence=policy.gate.confidence,
        notes=(*losses, *_notes(season, subject, own, policy, now_utc)),
    )


def subject_of(own: Sequence[Outcome], release: str | None = None) -> Subject:
    """What is to go into the season: of the release, the newest run's configuration."""
    newest = own[-1] if own else None
    last = next((o for o in reversed(own) if release is None or o.release == release), None)
    named = release if release is not None else (newest.release if newest else "")
    shown = last or newest
    if shown is None:
        return Subject(named, "", "", "", "", runs=0)
    of_release = sum(o.release == named for o in own)
    configuration = shown.configuration
    return Subject(named, configuration, shown.platform, shown.kind, shown.heading, runs=of_release)


def _is_own_fault(run: Outcome, claims: Sequence[Claim]) -> bool:
    return any(
        c.scenario.name == run.scenario and c.scenario.fault.experiment == run.fault for c in claims
    )


def _foreign(run: Outcome, claims: Sequence[Claim], tenant: str) -> str:
    """Why a run is of another matrix; "": it is of this one."""
    if run.tenant != tenant:
        return f"tenant {run.tenant}" if run.tenant else "no tenant"
    if all(c.scenario.name != run.scenario for c in claims):
        return "there is no such scenario any more"
    return "" if _is_own_fault(run, claims) else f"another experiment, {run.fault}"


def _line(run: Outcome, claims: Sequence[Claim], view: cells.View, tenant: str) -> RunLine:
    use = _foreign(run, claims, tenant) or ("" if fit(run) else "it proves nothing")
    return RunLine(
        run.run_id, run.begun_utc, run.scenario, run.release, run.size, run.verdict, run.platform,
        use or view.another(run) or view.aged(run),
    )  # fmt: skip


def _columns(claims: Sequence[Claim]) -> tuple[str, ...]:
    names = dict.fromkeys(str(t.workload) for c in claims for t in c.targets.workloads)
    return (*names, cells.PLATFORM) if names else ()


def _targets_ns(claims: Sequence[Claim]) -> Mapping[tuple[str, str], int]:
    return {
        (c.scenario.name, str(t.workload)): round(t.rto_s * 1_000_000_000)
        for c in claims
        for t in c.targets.workloads
    }


def _with_lapse(cell: Cell, stretch: Stretch | None) -> Cell:
    """A proof that does not last to the season's end is no proof for all of it."""
    if stretch is None or not cell.expires_utc or cell.state not in {State.MET, State.SMOKE}:
        return cell
    if not is_before(stretch.begins_utc, cell.expires_utc):
        return cells.lapsing(cell, BEGINS)
    if is_before(cell.expires_utc, stretch.ends_utc):
        return cells.lapsing(cell, ENDS)
    return cell


def _weakness(cell: Cell) -> tuple[int, bool, bool, int, bool]:
    """The gravest first, and of misses a proven loss; then what lapses, then what matters most."""
    tier = _TIERS.index(cell.tier) if cell.tier in _TIERS else len(_TIERS)
    gravity = GRAVITY[cell.state, cell.was]
    return gravity, not cell.proven_loss, not cell.lapses, tier, cell.column == cells.PLATFORM


def _is_over(stretch: Stretch | None, now_utc: str) -> bool:
    return stretch is not None and not is_before(now_utc, stretch.ends_utc)


def _verdict(found: Sequence[Cell], *, over: bool) -> Verdict:
    if any(c.state is State.MISSED for c in found):
        return Verdict.MISSED
    ready = found and all(c.state is State.MET and not c.lapses for c in found)
    return Verdict.MET if ready and not over else Verdict.INCONCLUSIVE


def _answer(season: Season, found: Sequence[Cell], verdict: Verdict, *, over: bool) -> str:
    if not found:
        return f"Not ready for {season.name}: there is no scenario, so nothing was ever tested."
    if over:
        return f"{season.name} ended on {season.ends}: nothing here speaks for the next one."
    if verdict is Verdict.MET:
        end = " and stay so to its end" if season.ends else ""
        return f"Ready for {season.name}: all {len(found)} cells are met{end}."
    met = [c for c in found if c.state is State.MET]
    if len(met) == len(found):
        early = [c for c in found if c.lapses]
        first = min(early, key=lambda c: c.expires_utc)
        return (
            f"Not yet ready for {season.name}: all {len(found)} cells are met today, but "
            f"{len(early)} {'expires' if len(early) == 1 else 'expire'} {first.lapses}; first: "
            f"{first.name}, on {first.expires_utc[:10]}."
        )
    smoke = sum(c.state is State.SMOKE for c in found)
    more = f", {smoke} more by smoke runs alone" if smoke else ""
    verb = "is" if len(met) == 1 else "are"
    weakest = found[0]
    return (
        f"Not ready for {season.name}: {len(met)} of {len(found)} cells {verb} met{more}; "
        f"weakest: {weakest.name} {cells.phrase(weakest)}."
    )


def _notes(
    season: Season, subject: Subject, own: Sequence[Outcome], policy: Policy, now_utc: str
) -> tuple[str, ...]:
    found = []
    if not season.begins:
        found.append(
            f"The targets give no dates for {season.name}: what expires before it is not known."
        )
    elif is_before(days_after(now_utc, policy.valid_days), f"{season.begins}T00:00:00Z"):
        found.append(
            f"{season.name} begins more than {policy.valid_days} days from now: "
            "no drill of today lasts until then."
        )
    if own and not subject.runs:
        found.append(f"No drill has been run with release {subject.release} yet.")
    if subject.heading:
        found.append(f"Drilled on {subject.platform}: {subject.heading}.")
    faults = sorted({o.run_id for o in own if is_before(now_utc, o.begun_utc)})
    if faults:
        found.append(
            f"{len(faults)} runs begin after now: a clock is wrong; they prove nothing met."
        )
    return tuple(found)
