"""Back in time on the real platform: an honest drill, one with a hole in the archive, an undo.

The figures of the honest drill are counted a second time in plain SQL: see plain_sql.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.operation import Workload
from harness.core.proofs import Proof, StepRecord
from harness.core.record import RunRecord
from harness.core.timeline import Mark, MarkName
from harness.core.verdict import Finding, Verdict
from harness.errors import FaultError
from harness.evidence import layout, lines
from harness.evidence.load import load_record
from harness.faults import undo
from harness.faults.experiment import find_experiment
from harness.faults.injection import injection
from harness.platforms.embedded import EmbeddedPlatform
from harness.recovery.point_in_time import RUNBOOK
from tests.conftest import missing_in_the_end
from tests.drill.conftest import Site
from tests.drill.plain_sql import Figures, figures

pytestmark = [pytest.mark.platform, pytest.mark.drill, pytest.mark.timeout(600)]

MOMENT_NS = 500_000_000  # a look at the stores is several queries, one after the other


def drill(site: Site, scenario: str) -> tuple[int, RunRecord, Path]:
    """A smoke drill by the command line: exit code, the stored record, the run directory."""
    code, _, run = site.drill(scenario)
    return code, load_record(run), run


def mark(record: RunRecord, name: MarkName) -> Mark:
    found = record.timeline.first(name)
    assert found is not None, f"no mark {name}"
    return found


def findings(record: RunRecord) -> dict[str, Finding]:
    return {f.check: f for f in record.judgement.findings}


def proofs(run: Path, check: str) -> list[Proof]:
    return [p for p in lines.read_lines(run / layout.PROOFS, Proof) if p.check == check]


def test_a_bad_release_is_undone_by_going_back_and_plain_sql_agrees(site: Site) -> None:
    """What was seen is asked of the proofs: a busy machine may void the verdict, not them."""
    _, record, run = drill(site, "logical-corruption")
    for check in ("restored-wanted", "archive-continuous", "calls-replayed", "documents-sound",
                  "audit-kept", "protected-again"):  # fmt: skip
        found = proofs(run, check)
        assert found, f"nothing was looked at for {check}"
        assert all(proof.ok for proof in found), [proof.told for proof in found]
    steps = lines.read_lines(run / layout.STEPS, StepRecord)
    assert [step.name for step in steps] == [step.name for step in RUNBOOK.steps]
    assert all(step.done for step in steps)
    assert json.loads((run / layout.READBACK / "second.json").read_text())["disagreements"] == []
    in_order(record)
    counted_again(site.platform, record, run)
    nothing_left_to_undo(site.platform)


def in_order(record: RunRecord) -> None:
    names = (
        MarkName.FAULT_ACTIVE, MarkName.DETECTED, MarkName.DECIDED, MarkName.INGRESS_CLOSED,
        MarkName.RESTORED, MarkName.REPLAYED, MarkName.INGRESS_OPENED, MarkName.RECOVERY_ENDED,
    )  # fmt: skip
    times = [mark(record, name).latest_ns for name in names]
    assert times == sorted(times)
    assert record.timeline.first(MarkName.UNPROTECTED) is None


def counted_again(platform: EmbeddedPlatform, record: RunRecord, run: Path) -> None:
    """Workload by workload: lost by the restore, brought back, lost for good, and their worth."""
    cut_ns = mark(record, MarkName.INGRESS_CLOSED).latest_ns
    look_ns = json.loads((run / layout.READBACK / "restored.json").read_text())["taken_ns"]
    dsn = platform.database.superuser_dsn()
    at_look, later = (
        figures(dsn, run, cut_ns=cut_ns, restored_ns=look_ns + moment) for moment in (0, MOMENT_NS)
    )
    told = {r.workload: r for r in record.judgement.restoration}
    assert set(told) == set(Workload)
    for workload, restoration in told.items():
        plain = at_look.get(workload.code, Figures(0, 0, 0, 0, 0))
        least = later.get(workload.code, Figures(0, 0, 0, 0, 0))
        assert restoration.spoiled == 0, workload
        assert (restoration.gone, restoration.gone_value_cents) == (plain.gone, plain.gone_cents), (
            workload
        )
        assert least.back <= (restoration.back or 0) <= plain.back, workload
        assert least.back_cents <= (restoration.back_value_cents or 0) <= plain.back_cents, workload
        assert restoration.lost == (restoration.back or 0) + (restoration.gone or 0)
        (judged,) = [w for w in record.judgement.workloads if w.workload is workload]
        assert judged.rpo is not None
        assert judged.rpo.gated.lost == plain.lost_in_all, workload
    assert sum(r.gone or 0 for r in told.values()) > 0, "nothing was lost: nothing was compared"
    assert told[Workload.MARKETPLACE].gone == 0  # the queue remembers, and was read again


def nothing_left_to_undo(platform: EmbeddedPlatform) -> None:
    assert undo.replay(platform) == []
    assert missing_in_the_end(platform) == ()


def test_a_gap_in_the_archive_is_named_and_is_what_is_missed(site: Site) -> None:
    code, record, run = drill(site, "archive-gap")
    assert (code, record.judgement.verdict) == (1, Verdict.MISSED), record.judgement.reasons
    found = findings(record)
    missed = {check for check, finding in found.items() if finding.verdict is Verdict.MISSED}
    assert missed == {"archive-continuous", "restored-wanted"}, found
    before, after = proofs(run, "archive-continuous")
    assert not before.ok
    assert "segments reported as archived are not in the store" in before.told
    assert after.ok, after.told  # mended: from a new base backup on it carries again
    window = record.judgement.unprotected
    assert window is not None
    assert window.since_ns < -20_000_000_000, "the gap is at least as long as its trade"
    assert window.lost
    assert window.until_ns is not None, "it was never protected again"
    assert not site.platform.backups.archive_is_stopped()
    nothing_left_to_undo(site.platform)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "r1"
    directory.mkdir()
    return directory


def test_undo_mends_both_faults_where_nobody_recovers(
    platform: EmbeddedPlatform, run: Path
) -> None:
    """The experiment alone, as by hand: an archive that stores again, and every row as it was."""
    fault = {"gap_s": "0", "full_gap_s": "0"}
    with injection(find_experiment("archive-gap"), fault, platform, run) as gap:
        gap.inject()
        try:
            effect = gap.await_effect(within_s=120)
        except FaultError as error:
            pytest.fail(str(error))
        assert effect, gap.why
        assert platform.backups.archive_is_stopped()
        gap.release()
        assert gap.await_healed(within_s=120), gap.why
    assert not platform.backups.archive_is_stopped()
    nothing_left_to_undo(platform)
