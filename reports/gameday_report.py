"""The post-exercise report of a game day: one HTML file, Markdown, and JSON by a published name.

The same look as a run's report, and the same care: every text is escaped and cleaned, nothing is
fetched, nothing is scripted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.gameday.findings import Finding
from harness.core.gameday.view import DayView, Drilled, Line
from harness.core.verdict import Verdict
from harness.evidence import canonical
from reports.html import report_environment
from reports.markdown import escape
from reports.words import SIGN, WORD

SCHEMA = "peakdrill/gameday/v1"
PHASE_WORD = {
    "planned": "not begun",
    "going": "under way",
    "stopped": "stopped before its end",
    "finished": "carried out to its end",
    "closed": "closed",
}


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Whose key signs the day's records."""

    key_id: str
    self_signed: bool


def render_gameday(view: DayView, signed_by: SignedBy) -> dict[str, str]:
    """Every form of the report, by the name of its file."""
    return {
        "report.html": render_html(view, signed_by),
        "report.md": render_markdown(view, signed_by),
        "report.json": render_json(view, signed_by),
    }


def render_json(view: DayView, signed_by: SignedBy) -> str:
    """For programs: the same values, canonical."""
    body = json.loads(canonical.dumps(view))
    told = {"schema": SCHEMA, "signed_by": json.loads(canonical.dumps(signed_by)), **body}
    return json.dumps(told, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def render_html(view: DayView, signed_by: SignedBy) -> str:
    """For people: printable, self-contained."""
    return report_environment().get_template("gameday.html.j2").render(
        view=view,
        signed_by=signed_by,
        phase=PHASE_WORD[view.phase.value],
        verdict_of=_verdict_of,
        run_link=_run_link,
        sections=_sections(view),
        open_findings=_open(view),
    )  # fmt: skip


def _verdict_of(drilled: Drilled) -> Verdict:
    return drilled.verdict or Verdict.INCONCLUSIVE


def _run_link(run_id: str) -> str:
    """To the run's own report, beside the day's folder; "" for what is no run's name."""
    return f"../{run_id}/report.html" if re.fullmatch(r"[A-Za-z0-9]+", run_id) else ""


@dataclass(frozen=True, slots=True)
class Section:
    """A list of who did what when, with what is said where there is nothing."""

    anchor: str
    title: str
    lines: tuple[Line, ...]
    none: str


def _sections(view: DayView) -> tuple[Section, ...]:
    return (
        Section("decisions", "Decisions", view.decisions, "Nobody decided anything."),
        Section("deviations", "Deviations from the plan", view.deviations, "There were none."),
        Section("refused", "Refused approvals and answers", view.refused, "None was refused."),
        Section("aborts", "Aborts", view.aborts, "Nothing was aborted."),
        Section("people", "The human time line", view.timeline, "Nobody noted anything."),
    )


def _open(view: DayView) -> tuple[Finding, ...]:
    return tuple(f for f in (*view.findings, *view.carried) if f.is_open)


def render_markdown(view: DayView, signed_by: SignedBy) -> str:
    """For a forge or a ticket."""
    lines = [
        f"# Game day {escape(view.name)}: {SIGN[view.verdict]} {WORD[view.verdict]}",
        "",
        f"**{escape(view.headline)}**",
        "",
        f"Post-exercise report (ISO 22301:2019, clause 8.5). {escape(_about(view))}",
        "",
        f"Scope: {escape(view.scope)}",
        "",
        *_table(
            "Results against the objectives",
            ("Objective", "Result", "Why"),
            [(r.objective, _word(r.verdict), r.why) for r in view.results],
        ),
        *_table(
            "What was done",
            ("Scenario", "Verdict", "Why", "Run", "Absent"),
            [
                (d.step, _word(d.verdict), d.reason, d.run_id or "-", ", ".join(d.absent) or "-")
                for d in view.drilled
            ],
        ),
    ]
    for section in _sections(view):
        rows = [(line.at_utc, line.who, line.what) for line in section.lines]
        lines += _table(section.title, ("When (UTC)", "Who", "What"), rows, none=section.none)
    lines += _more(view)
    key = "self-signed" if signed_by.self_signed else f"key {signed_by.key_id[:16]}"
    lines.append(f"Records and manifest are signed ({escape(key)}); `peakdrill gameday status`.")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _more(view: DayView) -> list[str]:
    told = [
        (s.name, s.whom, s.channel, s.what, s.at_utc or "nobody confirmed it", s.who or "-")
        for s in view.spoken
    ]
    return [
        *_table("Who was told", ("Name", "Whom", "Channel", "What", "Told", "By"), told,
                none="Nobody was to be told anything."),
        *_table("Checks before the start", ("Check", "Holds", "Measured"),
                [(c, "yes" if holds else "no", told) for c, holds, told in view.measured]),
        *_table("What absence cost", ("Role", "Where", "Cost"),
                [(a.role, a.where, a.told) for a in view.absences], none="No role was away."),
        *_findings("Findings of this day", view.findings),
        *_findings("Carried over from earlier days", view.carried),
        *_table("Not tested", ("What",), [(text,) for text in view.not_tested],
                none="Nothing is named."),
    ]  # fmt: skip


def _findings(title: str, findings: tuple[Finding, ...]) -> list[str]:
    rows = [(f.name, f.what, f.owner or "-", f.due or "-", _status(f), f.origin) for f in findings]
    return _table(title, ("Finding", "What", "Owner", "Due", "Status", "Found on"), rows,
                  none="There are none.")  # fmt: skip


def _status(finding: Finding) -> str:
    if not finding.is_open:
        return f"closed {finding.closed_utc} by {finding.closed_by}: {finding.proof}"
    again = f", seen again in {', '.join(finding.seen_again)}" if finding.seen_again else ""
    return f"open{again}"


def _table(
    title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, none: str = ""
) -> list[str]:
    if not rows:
        return [f"## {title}", "", none, ""] if none else []
    return [
        f"## {title}",
        "",
        f"| {' | '.join(head)} |",
        "|" + ":--|" * len(head),
        *("| " + " | ".join(escape(cell) for cell in row) + " |" for row in rows),
        "",
    ]


def _word(verdict: Verdict | None) -> str:
    return "not drilled" if verdict is None else WORD[verdict]


def _about(view: DayView) -> str:
    parts = [
        f"Platform {view.platform}, size {view.size}",
        *([f"season {view.season}"] if view.season else []),
        *([f"release {view.release}"] if view.release else []),
        f"begun {view.begun_utc or 'never'}, {PHASE_WORD[view.phase.value]} {view.ended_utc}",
        f"plan {view.plan_digest[:12]}",
    ]
    return ", ".join(parts).strip() + "."
