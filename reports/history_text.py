"""The history on a terminal: at most 100 columns, the answer first, every name cleaned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len, set_cell_size

from harness.core.outcome import Outcome, WorkloadOutcome
from harness.core.side_by_side import Comparison, Interval, Row, Side
from harness.core.wording import seconds, whole
from reports.words import SIGN, clean, count

COLUMNS = 100
_RUN_COLUMNS = (
    ("run", 20), ("verdict", 12), ("scenario", 21), ("release", 14), ("size", 5),
    ("worst RTO", 9), ("lost", 6), ("bad", 5),
)  # fmt: skip
_DIGEST = 12


def list_text(answer: str, shown: Sequence[Outcome], total: int) -> str:
    """A line a run, the newest last."""
    lines = [*_wrapped(answer), ""]
    widths = [width for _, width in _RUN_COLUMNS]
    lines.append(_line([name for name, _ in _RUN_COLUMNS], widths))
    lines += [_line(_cells(outcome), widths) for outcome in shown]
    if len(shown) < total:
        lines += ["", f"the newest {count(len(shown))} of {count(total)}; --limit shows more"]
    return "\n".join(lines)


def _cells(outcome: Outcome) -> list[str]:
    lost = sum(w.lost for w in outcome.workloads)
    bad = sum(w.violations for w in outcome.workloads)
    return [
        outcome.run_id,
        outcome.verdict.value,
        outcome.scenario,
        outcome.release or "-",
        outcome.size,
        _worst(outcome.workloads),
        count(lost),
        count(bad) if bad or not outcome.proven_loss or lost else "yes",  # across the stores
    ]


def _worst(workloads: Sequence[WorkloadOutcome]) -> str:
    """The longest that any workload was away; of one that never came back, the least that holds."""
    timed = [w for w in workloads if w.rto_low_ns is not None]
    if not timed:
        return "-"
    away = [w.rto_low_ns for w in timed if w.rto_high_ns is None and w.rto_low_ns is not None]
    if away:
        return f"> {seconds(max(away))} s"
    return f"{seconds(max(w.rto_high_ns or 0 for w in timed), up=True)} s"


def show_text(outcome: Outcome, directory: Path | None) -> str:
    """One run as the history has it."""
    release = outcome.release or "no release"
    configuration = outcome.configuration[:_DIGEST]
    evidence = f"SHA-256 {outcome.evidence_digest}"
    facts = (
        ("run", outcome.run_id),
        ("begun", outcome.begun_utc),
        ("drill", f"{outcome.scenario}, {outcome.size}, {outcome.peak:g}x, seed {outcome.seed}"),
        ("release", f"{release}, season {outcome.season or '-'}, tenant {outcome.tenant or '-'}"),
        ("platform", f"{outcome.platform}, {outcome.heading}, configuration {configuration}"),
        ("evidence", evidence if outcome.evidence_digest else "never sealed: the harness died"),
        ("directory", str(directory or "-")),
    )
    answer = f"{SIGN[outcome.verdict]} {outcome.verdict.value}: {outcome.reason or 'no reason'}"
    lines = [*_wrapped(answer), ""]
    for name, value in facts:
        lines += _wrapped(value, first=f"{name:<11}", rest=" " * 11)
    lines.append("")
    for found in outcome.workloads:
        first = f"{found.workload.value:<26}{found.verdict.value:<14}"
        lines += _wrapped(_workload(found), first=first, rest=" " * 40)
    for check, verdict in outcome.checks:
        lines.append(f"{_fitted(clean(check), 25)} {verdict.value}")
    lines += [f"{_fitted(clean(check), 25)} not checked" for check in outcome.not_checked]
    lines += ["", *_wrapped(f"judge it again: peakdrill check {directory or outcome.run_id}")]
    return "\n".join(lines)


def _workload(found: WorkloadOutcome) -> str:
    target = whole(found.rto_target_ns)
    rto = "RTO unknown" if found.rto_low_ns is None else (
        f"RTO {_interval((found.rto_low_ns, found.rto_high_ns))} of {target}"
    )  # fmt: skip
    harm = f"{count(found.lost)} of {count(found.acked)} lost"
    if found.violations:
        harm += f", {count(found.violations)} damaged"
    return f"{rto}; {harm}"


def compare_text(comparison: Comparison) -> str:
    """Two lines a row, one for each release; what shares no row says why."""
    lines = _wrapped(comparison.answer)
    last = ""
    for row in comparison.rows:
        heading = _heading(row)
        if heading != last:
            lines += ["", *_wrapped(heading)]
            last = heading
        lines += _row(row, comparison)
    return "\n".join(lines)


def _heading(row: Row) -> str:
    terms = row.terms
    tenant = f", tenant {terms.tenant}" if terms.tenant else ""
    fault = f" (fault {terms.fault})" if terms.fault != terms.scenario else ""
    return (
        f"{terms.scenario}{fault}, {terms.size}, {terms.platform}{tenant}, configuration "
        f"{terms.configuration[:_DIGEST]}"
    )


def _row(row: Row, comparison: Comparison) -> list[str]:
    terms = row.terms
    rate = f"{terms.rate_per_s:g}/s, RTO {whole(terms.rto_target_ns)}"
    lines = [f"  {_fitted(f'{terms.workload.value}, {rate}', COLUMNS - 2).rstrip()}"]
    for release, side in (
        (comparison.baseline, row.baseline),
        (comparison.candidate, row.candidate),
    ):
        name = _fitted(clean(release), 16)
        if side is None:
            lines += _wrapped(f"none: {row.why}", first=f"    {name} ", rest=" " * 21)
        else:
            lines += _wrapped(_side(side), first=f"    {name} ", rest=" " * 21)
    return lines


def _side(side: Side) -> str:
    verdicts = ", ".join(f"{number} {verdict.value}" for verdict, number in side.verdicts)
    rto = "no RTO"
    if side.rto is not None:
        ends = (("min", side.rto.least), ("median", side.rto.median), ("max", side.rto.most))
        of = "" if side.rto.runs == side.runs else f" of {side.rto.runs}"
        rto = f"RTO{of} " + ", ".join(f"{word} {_interval(found)}" for word, found in ends)
    harm = f"{count(side.lost)} lost"
    if side.violations:
        harm += f", {count(side.violations)} damaged"
    if side.lossy_runs:
        harm += f", proven in {side.lossy_runs}"
    return f"n {side.runs}: {verdicts}; {harm}; {rto}"


def _interval(found: Interval) -> str:
    low, high = found
    if high is None:
        return f"over {seconds(low)} s"
    return f"{seconds(low)}-{seconds(high, up=True)} s"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    fitted = (_fitted(clean(cell), width) for cell, width in zip(cells, widths, strict=True))
    return " ".join(fitted).rstrip()


def _fitted(text: str, width: int) -> str:
    """Exactly as many columns as asked, whatever script it is written in."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1).rstrip() + "…"


def _wrapped(text: str, *, first: str = "", rest: str = "") -> list[str]:
    """Lines of at most 100 columns, broken between words where there are any."""
    lines: list[str] = []
    line, empty = first, True
    for word in clean(text).split(" "):
        left = word
        if not empty and cell_len(f"{line} {left}") > COLUMNS:
            lines.append(line)
            line, empty = rest, True
        while empty and cell_len(line + left) > COLUMNS:  # a word longer than a line
            taken = _leading(left, COLUMNS - cell_len(line))
            lines.append(line + taken)
            line, left = rest, left[len(taken) :]
        line, empty = (line + left if empty else f"{line} {left}"), False
    return [*lines, line]


def _leading(text: str, room: int) -> str:
    taken = ""
    for character in text:
        if cell_len(taken + character) > room:
            break
        taken += character
    return taken or text[:1]
