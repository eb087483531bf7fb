"""From a planned scenario to an order, and from a judged run to what the day keeps of it."""

from __future__ import annotations

from pathlib import Path

from harness.core.fitness import INTERRUPTED
from harness.core.gameday import records as said
from harness.core.gameday.findings import Reach, results_of
from harness.core.gameday.plan import GameDay, PlannedScenario
from harness.core.guard import GuardRails
from harness.core.measured_findings import RPO, STORES_AGREE
from harness.core.record import RunRecord
from harness.core.verdict import Verdict
from harness.evidence import layout
from harness.json_text import parsed
from harness.session import Order

_LOSSES = (RPO, STORES_AGREE)


def order_of(day: GameDay, planned: PlannedScenario, out: Path, seed: int) -> Order:
    """What `peakdrill run` would be told, with the day's abort conditions as guard rails."""
    return Order(
        scenario=planned.scenario,
        on=day.on,
        targets_file=Path(day.targets_file) if day.targets_file else None,
        platform_file=Path(day.platform_file) if day.platform_file else None,
        size=day.size,
        peak=planned.peak,
        seed=seed,
        out=out,
        release=day.release,
        season=day.season or None,
        guards=guards_of(day),
    )


def guards_of(day: GameDay) -> GuardRails:
    rule = day.abort
    return GuardRails(
        refused_per_minute_max=rule.refused_per_minute_max,
        money_max_cents=rule.money_max_cents,
        alerts=rule.alerts,
        heartbeat_s=rule.heartbeat_s,
    )


def ended_of(step: str, attempt: int, record: RunRecord) -> said.ScenarioEnded:
    """What the day keeps of a judged run."""
    judged, plan = record.judgement, record.plan
    cut = [f.measured for f in judged.fitness if f.name == INTERRUPTED and not f.fit]
    results = results_of(judged)
    return said.ScenarioEnded(
        step=step,
        scenario=plan.scenario.name,
        attempt=attempt,
        run_id=judged.run_id,
        verdict=judged.verdict,
        reason=judged.reasons[0] if judged.reasons else "",
        evidence_digest=record.evidence_digest,
        results=results,
        reach=Reach(plan.platform.name, plan.size, plan.peak),
        interrupted=cut[0] if cut else "",
        proven_loss=any(r.check in _LOSSES and r.verdict is Verdict.MISSED for r in results),
        not_checked=judged.not_checked,
    )


def left_by(out: Path, seed: int) -> Path | None:
    """The run directory of an attempt whose process was killed, by the seed that it was given."""
    for plan in sorted(out.glob(f"*/{layout.PLAN}"), reverse=True):
        try:
            told = parsed(plan.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(told, dict) and told.get("seed") == seed:
            return plan.parent
    return None


def judged_in(directory: Path) -> RunRecord | None:
    """The run that lies there, if it came to its verdict before it was killed.

    Without a verdict it counts all the same where what it left proves a miss: no second attempt
    takes that back.
    """
    from harness.evidence.load import load_record

    try:
        record = load_record(directory)
    except Exception:  # noqa: BLE001 (half a run: what cannot be read again was no verdict)
        return None
    judged = (directory / layout.VERDICT).exists()
    return record if judged or record.judgement.verdict is Verdict.MISSED else None
