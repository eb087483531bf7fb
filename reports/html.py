"""The report that a person reads: one HTML file, no script, no asset, nothing fetched.

Every text goes through Jinja2's autoescape, and through `clean` before it; numbers for the
pictures come from `pictures`. The page forbids scripts and fetching by its own policy, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment

from harness.core import checks, wording
from harness.core.record import RunRecord
from harness.core.timeline import Mark, MarkName
from harness.core.verdict import Verdict
from reports import money_view, recovery_view, words
from reports.pictures import bars, panoramas
from reports.templating import page_environment
from reports.view import (
    WRITE_CLASSES,
    WorkloadView,
    counted,
    findings,
    has_fault,
    slowest,
    total,
    workloads,
)
from reports.words import NS_PER_S, clean, count, money, seconds, span

_LABELLED = re.compile(r"(\w+) {2,}(\S.*)")


def render_html(record: RunRecord) -> str:
    """The whole report as one self-contained page."""
    views = workloads(record)
    gap = _unprotected(record)
    return report_environment().get_template("report.html.j2").render(
        record=record,
        plan=record.plan,
        facts=record.plan.platform,
        judgement=record.judgement,
        headline=words.headline(record.judgement),
        reasons=[told for told in words.other_reasons(record.judgement) if told != gap],
        unprotected=gap,
        story=_story(record.plan.scenario.story),
        views=views,
        figures=_figures(record, views),
        panoramas=panoramas(record, views),
        bars=bars(views),
        write_classes=WRITE_CLASSES,
        findings=sorted(findings(record), key=lambda f: f.verdict is Verdict.MET),
        marks=[_mark(m, record.origin_ns) for m in record.timeline.marks],
        origin="the fault" if has_fault(record) else "the begin of the load",
        fault=_fault(record),
        **_recovery(record),
        **_money(record),
    )  # fmt: skip


def _recovery(record: RunRecord) -> dict[str, object]:
    """The sections that only a recovery by runbook, a restore or an attacker fills."""
    restored = record.judgement.restoration
    return {
        "steps": recovery_view.steps(record),
        "milestones": recovery_view.milestones(record),
        "failbacks": recovery_view.failbacks(record),
        "proof_groups": recovery_view.proof_groups(record),
        "access": record.judgement.access,
        "restoration": restored,
        "restoration_total": recovery_view.restoration_total(
            restored, record.plan.targets.currency
        ),
    }


def _money(record: RunRecord) -> dict[str, object]:
    """What was at risk, what it costs, and when the platform noticed; "" and () where nothing."""
    found = record.money
    return {
        "detection": money_view.detection_text(record),
        "money_total": money_view.total_text(record),
        "money_rate": money_view.rate_text(found) if found is not None else "",
        "money_cost": money_view.cost_text(found) if found is not None else "",
        "money_rows": money_view.rows(record),
    }


def _unprotected(record: RunRecord) -> str:
    """Since when nothing was protected, in words for the top of the page; or ""."""
    found = record.judgement.unprotected
    return clean(wording.gap(found, record.plan.targets.currency)) if found else ""


@cache
def report_environment() -> Environment:
    """With the words and the formats of a run's report; a game day's page has them, too."""
    environment = page_environment()
    environment.globals.update(
        WORD=words.WORD,
        MET=Verdict.MET,
        MISSED=Verdict.MISSED,
        INCONCLUSIVE=Verdict.INCONCLUSIVE,
        check_title=recovery_view.check_title,
        failback_text=recovery_view.failback_text,
        last_accepted=recovery_view.last_accepted,
        not_back=recovery_view.not_back,
        point_text=recovery_view.point_text,
        revoked=recovery_view.revoked,
        counted=counted,
        share_below=_share_below,
        is_skipped=words.is_skipped,
    )
    environment.filters.update(
        count=count,
        seconds=lambda ns: "-" if ns is None else seconds(ns / NS_PER_S),
        money=money,
        per_cent=lambda share: "-" if share is None else f"{100 * share:.1f}%",
        rate=lambda value: f"{value:g}",
        sentence=lambda text: f"{text[:1].upper()}{text[1:]}.",
    )
    return environment


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the few numbers on the first screen."""

    title: str
    value: str
    note: str
    verdict: str = ""  # colours the value, where it decided something


def _figures(record: RunRecord, views: tuple[WorkloadView, ...]) -> list[Figure]:
    found: list[Figure] = []
    last = slowest(views)
    if last is not None and last.rto is not None:
        late = last.verdict_of(checks.rto.name) is Verdict.MISSED
        found.append(
            Figure(
                "Slowest recovery",
                last.rto_text if last.high_ns is not None else "not recovered",
                f"{last.name}, target {last.rto_target_text}",
                Verdict.MISSED.value if late else "",
            )
        )
    written = total(views)
    if written is not None:
        replayed = written.lost_before_replay - written.lost
        judged = [v.verdict_of(checks.rpo.name) for v in views]
        lost_too_much = written.lost > 0 and Verdict.MISSED in judged
        note = f"{count(replayed)} more came back with replay" if replayed > 0 else "after replay"
        found += [
            Figure(
                "Acknowledged writes lost",
                f"{count(written.lost)} of {count(written.acked)}",
                note,
                Verdict.MISSED.value if lost_too_much else "",
            ),
            Figure(
                "Value of lost writes",
                money(written.lost_value_cents, record.plan.targets.currency),
                f"{count(written.violations)} other violations of what was acknowledged",
            ),
        ]
    found += _money_figures(record) + _restore_figures(record)
    fitness = record.judgement.fitness
    if fitness:
        fit = sum(condition.fit for condition in fitness)
        found.append(
            Figure(
                "Instrument",
                "fit to judge" if fit == len(fitness) else "not fit to judge",
                f"{fit} of {len(fitness)} conditions held",
                "" if fit == len(fitness) else Verdict.INVALID.value,
            )
        )
    return found


def _money_figures(record: RunRecord) -> list[Figure]:
    """What was at risk by the fault, where something was measured and something is earned."""
    found = record.money
    if found is None or found.risk is None or not found.has_revenue:
        return []
    note = f"{count(found.risk.low.count)} orders provably not served, or lost"
    return [Figure("Revenue at risk", money_view.interval_text(found.risk, found.currency), note)]


def _restore_figures(record: RunRecord) -> list[Figure]:
    """What the restore itself cost, whatever replay made of it."""
    restored = record.judgement.restoration
    if not restored:
        return []
    gone = [r.gone for r in restored if r.gone is not None]
    lost, known = sum(r.lost for r in restored), len(gone) == len(restored)
    note = f"{count(sum(gone))} of them lost for good" if known else "what came back is not known"
    return [Figure("Cost of the restore", f"{count(lost)} writes", note)]


def _story(story: str) -> list[tuple[str, str]]:
    """The scenario's docstring as (label, text): `Claim   The standby ...` has a label."""
    found: list[tuple[str, str]] = []
    fresh = True
    for line in story.splitlines():
        labelled = _LABELLED.match(line)
        if labelled:
            found.append((labelled[1], labelled[2]))
        elif line.strip() and (fresh or not found):
            found.append(("", line))
        elif line.strip():
            found[-1] = (found[-1][0], f"{found[-1][1]} {line}")
        fresh = not line.strip()
    return found


def _share_below(acked: int) -> str:
    """Zero lost of n: the true share is below 3/n, at 95% confidence (the rule of three)."""
    return "-" if acked < 3 else f"{300 / acked:.2g}%"


def _mark(mark: Mark, origin_ns: int) -> tuple[str, str, str]:
    early_s, late_s = ((ns - origin_ns) / NS_PER_S for ns in (mark.earliest_ns, mark.latest_ns))
    return mark.name.value, span(early_s, late_s), mark.note


def _fault(record: RunRecord) -> str:
    """How exactly t_F is known."""
    mark = record.timeline.first(MarkName.FAULT_ACTIVE)
    if mark is None:
        return "No effect of the fault was observed."
    width_ms = (mark.latest_ns - mark.earliest_ns) / 1e6
    return f"It is known to within {words.milliseconds_or_seconds(width_ms)}."
