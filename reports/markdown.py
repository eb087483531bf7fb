"""A summary for CI pages: the verdict first, then why, then one table.

Whatever came from outside is written with character references in the place of everything that
Markdown, HTML or a forge could act on: no link, no image, no mention of a person, no new row.
"""

from __future__ import annotations

import re

from harness.core.record import RunRecord
from harness.core.verdict import Verdict
from reports.money_view import money_lines
from reports.recovery_view import recovery_lines
from reports.view import WorkloadView, findings, workloads
from reports.words import SIGN, WORD, clean, count, headline, other_reasons

_ACTIVE = re.compile(
    r"[^\w\s.,;:()%/+'-]|_|:(?=\S)|(?<=\d)\.(?= )|(?<=www)\.|^[-+]", re.ASCII | re.IGNORECASE
)

_COLUMNS = (
    "Workload", "Verdict", "Recovery time", "Target", "Acknowledged writes lost", "Allowed",
    "Violations", "Value lost",
)  # fmt: skip


def escape(text: str) -> str:
    """`text` as text, in a paragraph and in a table's cell.

    >>> escape("a|b <i> @all")
    'a&#124;b &#60;i&#62; &#64;all'
    """
    return _ACTIVE.sub(lambda m: f"&#{ord(m.group())};" if m.group().isascii() else m.group(),
                       clean(text))  # fmt: skip


def render_markdown(record: RunRecord) -> str:
    """The summary, ready for a CI job's page."""
    judgement, plan = record.judgement, record.plan
    views = workloads(record)
    lines = [f"## {_verdict(judgement.verdict)}: {escape(headline(judgement))}", ""]
    lines += [f"- {escape(reason)}" for reason in other_reasons(judgement)] + [""]
    lines += [_about(record), ""]
    if views:
        lines += [
            f"| {' | '.join(_COLUMNS)} |",
            "|:--|:--" + "|--:" * (len(_COLUMNS) - 2) + "|",
            *(_row(view, plan.targets.currency) for view in views),
            "",
        ]
    lines += _list("How it was recovered", recovery_lines(record))
    lines += _list("What it put at risk", money_lines(record))
    lines += _list("Not met", [
        f"{f.workload or 'platform'}, {f.check}: {f.verdict}: {f.reason}"
        for f in findings(record) if f.verdict is not Verdict.MET
    ])  # fmt: skip
    lines += _list("The instrument was not fit", [
        f"{c.name}: {c.measured}; limit: {c.limit}" for c in judgement.fitness if not c.fit
    ])  # fmt: skip
    lines += _list("Not checked", list(judgement.not_checked))
    lines += _list("Notes", list(judgement.notes))
    lines.append(f"Evidence: SHA-256 `{_code(record.evidence_digest)}`, "
                 f"check it with `peakdrill check {_code(record.directory)}`.")  # fmt: skip
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _verdict(verdict: Verdict) -> str:
    return f"{SIGN[verdict]} {WORD[verdict]}"


def _about(record: RunRecord) -> str:
    plan = record.plan
    parts = [
        f"Scenario **{escape(plan.scenario.name)}** on {escape(plan.platform.name)}",
        escape(plan.platform.heading),
        f"{escape(plan.shape.name)} at {plan.peak:g}x",
        f"size {plan.size.value}",
        f"seed {plan.seed}",
        f"run {escape(record.judgement.run_id)}",
        *([f"release {escape(plan.release)}"] if plan.release else []),
    ]
    return ", ".join(part for part in parts if part) + "."


def _row(view: WorkloadView, currency: str) -> str:
    violations = "-" if view.violations is None else count(view.violations)
    cells = (
        _verdict(view.verdict), view.rto_text, view.rto_target_text, view.lost_text,
        view.rpo_target_text, violations, view.lost_value_text(currency),
    )  # fmt: skip
    return "| " + " | ".join([view.name, *(escape(cell) for cell in cells)]) + " |"


def _list(title: str, items: list[str]) -> list[str]:
    return [f"**{title}**", "", *(f"- {escape(item)}" for item in items), ""] if items else []


def _code(text: str) -> str:
    """Inside a code span nothing is a reference: keep what a digest or a name needs."""
    return re.sub(r"[^\w.:/-]", "", clean(text), flags=re.ASCII) or "-"
