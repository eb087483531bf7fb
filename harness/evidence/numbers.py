"""Every number again: the verdict from the evidence, the claim and the reports from the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.judge import judge
from harness.core.measures import Measures
from harness.core.record import RunRecord
from harness.core.verdict import Judgement
from harness.errors import PeakdrillError
from harness.evidence import canonical, layout
from harness.evidence.compare import same_numbers
from harness.evidence.findings import Problem
from harness.evidence.load import open_run, record_of
from harness.evidence.manifest import build_digest
from harness.evidence.statement import ReportsClaim, RunClaim, Statement


@dataclass(frozen=True, slots=True)
class Numbers:
    """The judgement of today, where there is one, and what does not agree with it."""

    judgement: Judgement | None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def numbers(
    directory: Path,
    run: Statement[RunClaim] | None,
    reports: Statement[ReportsClaim] | None,
    render: Callable[[RunRecord, frozenset[str]], Mapping[str, str]] | None,
) -> Numbers:
    """Judge again, render again, compare. Only for a directory of which every byte holds."""
    try:
        plan, evidence, digest = open_run(directory)
        measures = Measures(plan, evidence)
        judgement = judge(plan, evidence, measures)
        record = record_of(directory, measures, judgement, digest)
    except PeakdrillError as error:
        return Numbers(None, (Problem("the evidence", f"it cannot be judged: {error.what}"),))
    problems = list(_verdict(directory, judgement))
    notes: list[str] = []
    if run is not None:
        problems += _claim(run.claim, record, digest)
    if reports is not None and render is not None:
        found, told = _reports(directory, reports, record, render)
        problems += found
        notes += told
    return Numbers(judgement, tuple(problems), tuple(notes))


def _verdict(directory: Path, judgement: Judgement) -> Iterator[Problem]:
    file = directory / layout.VERDICT
    if not file.exists():
        yield Problem(layout.VERDICT, "missing: the run never came to its end")
    elif file.read_bytes() != canonical.dumps(judgement):
        yield Problem(layout.VERDICT, "it is not what the evidence gives when judged again")


def _claim(claim: RunClaim, record: RunRecord, digest: str) -> Iterator[Problem]:
    """What the statement says of the run must be what the run says."""
    said = {
        "run_id": (claim.run_id, record.plan.run_id),
        "scenario": (claim.scenario, record.judgement.scenario),
        "judge": (claim.judge, record.judgement.judge),
        "verdict": (claim.verdict, record.judgement.verdict.value),
        "begun_utc": (claim.begun_utc, record.begun_utc),
        "seal_sha256": (claim.seal_sha256, digest),
    }
    for name, (signed, found) in said.items():
        if signed != found:
            told = f"it claims {name} {signed!r}, and the evidence gives {found!r}"
            yield Problem(layout.RUN_ENVELOPE, told)


def _reports(
    directory: Path,
    reports: Statement[ReportsClaim],
    record: RunRecord,
    render: Callable[[RunRecord, frozenset[str]], Mapping[str, str]],
) -> tuple[list[Problem], list[str]]:
    """By the same build, byte for byte; by another one, every number that both tell."""
    at_home = replace(record, directory=record.plan.run_id)  # wherever it was copied to
    rendered = render(at_home, frozenset(reports.claim.allow_skip))
    stored = {name: (directory / name).read_text(encoding="utf-8") for name in reports.subjects}
    if reports.claim.build == build_digest():
        told = "it is not what the evidence gives when rendered again"
        wrong = [n for n, text in stored.items() if rendered.get(n) != text]
        return [Problem(name, told) for name in wrong], []
    note = (
        f"the reports were written by another build of {reports.claim.tool}: "
        f"every number of {layout.REPORT_JSON} was compared, and no wording"
    )
    if layout.REPORT_JSON not in stored:
        return [], [note]
    at = same_numbers(stored[layout.REPORT_JSON], rendered[layout.REPORT_JSON])
    if at:
        told = f"{at} is not what the evidence gives"
        return [Problem(layout.REPORT_JSON, told)], [note]
    return [], [note]
