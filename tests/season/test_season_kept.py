"""The kept season is what the drills left: its digests, its verdicts, and nothing of one machine."""

import hashlib
import io
import re
import tarfile
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from harness.core.verdict import Verdict
from harness.evidence import canonical, layout, seal
from tests.season import data, keep
from tests.season.conduct import BASELINE, CANDIDATE, SLOWER

RUNS = data.runs()


def named(run: data.KeptRun) -> str:
    return run.name


def test_there_is_a_season() -> None:
    assert len(RUNS) >= 60
    assert {run.plan.release for run in RUNS} <= {BASELINE, CANDIDATE, SLOWER}
    assert len({run.plan.run_id for run in RUNS}) == len(RUNS)
    verdicts = {run.name: run.judgement.verdict for run in RUNS}
    told = data.told()
    assert {line["run_id"]: Verdict(line["verdict"]) for line in told}.items() <= verdicts.items()
    assert len({line["number"] for line in told}) == len(told), "no slot was drilled twice"


@pytest.mark.parametrize("run", RUNS, ids=named)
def test_every_kept_file_is_the_sealed_one(run: data.KeptRun) -> None:
    sealed = TypeAdapter(seal.Seal).validate_json(run.files[layout.SEAL]).files
    kept = set(run.files)
    assert {layout.PLAN, layout.EVENTS, layout.OBSERVATION, layout.EXPERIMENT, "head.json"} <= kept
    assert kept - set(sealed) <= {layout.SEAL, layout.VERDICT, *layout.SIGNATURES}
    for name in kept & set(sealed):
        assert hashlib.sha256(run.files[name]).hexdigest() == sealed[name], name
    assert {name for name in sealed if "/" not in name} <= kept
    assert any(name.startswith("ledger/") for name in sealed), "what was judged is named, too"


@pytest.mark.parametrize("run", RUNS, ids=named)
def test_plan_verdict_and_outcome_are_of_one_run(run: data.KeptRun) -> None:
    assert run.plan.run_id == run.judgement.run_id == run.name
    assert run.plan.scenario.name == run.judgement.scenario
    assert canonical.dumps(run.plan) == run.files[layout.PLAN]
    assert canonical.dumps(run.judgement) == run.files[layout.VERDICT]
    outcome = run.outcome
    assert outcome.verdict is run.judgement.verdict
    assert outcome.begun_utc == run.head.begun_utc
    assert len(outcome.evidence_digest) == 64
    judged = {w.workload: w for w in run.judgement.workloads}
    assert [w.workload for w in outcome.workloads] == list(judged)
    for workload in outcome.workloads:
        rto, rpo = judged[workload.workload].rto, judged[workload.workload].rpo
        assert workload.verdict is judged[workload.workload].verdict
        assert (workload.rto_low_ns, workload.rto_high_ns) == (
            (rto.low_ns, rto.high_ns) if rto else (None, None)
        )
        assert workload.lost == (rpo.gated.lost if rpo else 0)
    lost = sum(w.lost + w.violations for w in outcome.workloads)
    assert bool(lost) >= outcome.proven_loss or _stores_disagree(run)


def _stores_disagree(run: data.KeptRun) -> bool:
    return any(f.verdict is Verdict.MISSED for f in run.judgement.findings)


def test_nothing_kept_names_a_path_of_one_machine() -> None:
    homes = re.compile(rb"/ro" + rb"ot/|/ho" + rb"me/\w|/wo" + rb"rk/|/tm" + rb"p/")
    found = [name for name, body in data.members().items() if homes.search(body)]
    assert found == []


def test_the_archive_is_small_and_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    assert keep.ARCHIVE.stat().st_size < 1_000_000
    unpacked = data.unpack(tmp_path / "runs")
    (unpacked / RUNS[0].name / "report.html").write_text("bulk")
    (unpacked / RUNS[0].name / "ledger").mkdir()
    (unpacked / RUNS[0].name / "ledger" / "worker-0.slots").write_bytes(b"bulk")
    again = tmp_path / "again.tar.xz"
    assert keep.keep(unpacked, again).runs == tuple(run.name for run in RUNS)
    assert again.read_bytes() == keep.ARCHIVE.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(again.read_bytes())) as tar:
        assert {(e.mtime, e.uid, e.gid, e.uname, e.mode) for e in tar} == {(0, 0, 0, "", 0o644)}


def test_a_run_without_a_verdict_is_left_out_by_name(tmp_path: Path) -> None:
    unpacked = data.unpack(tmp_path / "runs")
    (unpacked / RUNS[0].name / layout.VERDICT).unlink()
    kept = keep.keep(unpacked, tmp_path / "some.tar.xz") if len(RUNS) > 1 else None
    assert kept is None or kept.left_out == (RUNS[0].name,)
    with pytest.raises(SystemExit, match="no ended run"):
        keep.keep(tmp_path / "nowhere", tmp_path / "none.tar.xz")
    (unpacked / RUNS[-1].name / "grown.json").write_bytes(b"x" * 200_000)
    with pytest.raises(SystemExit, match="bulk is not kept"):
        keep.keep(unpacked, tmp_path / "some.tar.xz")
