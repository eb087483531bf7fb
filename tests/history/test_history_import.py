"""Import judges again: what the evidence does not carry does not come in, and is named."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from harness.core.judge import judge
from harness.core.verdict import Verdict
from harness.errors import DamagedEvidence, PeakdrillError, Refused
from harness.evidence import layout, seal
from harness.evidence.load import open_run
from harness.evidence.outcome import outcome_of
from harness.history import History, open_history
from harness.history.importing import import_all, import_run
from tests.core.simulated_stores import Defects
from tests.evidence.stored_run import BEGUN_UTC, flipped, store

GOOD = "20261122T030000Z0001"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with one good run."""
    store(tmp_path / "runs", GOOD)
    return tmp_path / "runs"


@pytest.fixture
def history(tmp_path: Path):
    with open_history(str(tmp_path / "history.sqlite")) as opened:
        yield opened


def quiet(run: Path) -> None:
    """As if nobody had written to it for an hour."""
    past = time.time() - 3600
    for path in (run, *run.rglob("*")):
        os.utime(path, (past, past))


def dying(runs: Path, run_id: str, **given: object) -> Path:
    """What a harness leaves that dies before it seals."""
    run = store(runs, run_id, **given)
    for name in (layout.SEAL, layout.VERDICT, layout.OBSERVATION, *layout.REPORTS):
        (run / name).unlink()
    return run


def test_the_outcome_is_the_one_of_the_evidence(history: History, runs: Path) -> None:
    plan, evidence, digest = open_run(runs / GOOD)
    expected = outcome_of(plan, judge(plan, evidence), begun_utc=BEGUN_UTC, evidence_digest=digest)
    assert import_run(history, runs / GOOD) == expected
    assert history.outcomes() == (expected,)
    assert expected.verdict is Verdict.MET
    assert history.directory_of(GOOD) == runs / GOOD


def test_a_folder_is_told_in_full(history: History, runs: Path) -> None:
    store(runs, "lossy", defects=Defects(lost=3))
    torn = store(runs, "torn")
    (torn / layout.PLAN).unlink()
    (runs / "gameday-autumn").mkdir()
    said: list[str] = []
    done = import_all(history, [runs, runs / GOOD], said.append)
    assert done.added == (GOOD, "lossy")
    assert done.strangers == ("gameday-autumn",)
    ((name, why),) = done.refused
    assert name == "torn"
    assert "plan.json is missing" in why
    assert len(said) == 3
    again = import_all(history, [runs])
    assert (again.added, again.there) == ((), (GOOD, "lossy"))
    by_id = {o.run_id: o for o in history.outcomes()}
    assert by_id["lossy"].proven_loss
    assert by_id["lossy"].verdict is Verdict.MISSED


@pytest.mark.parametrize(
    "name", ["plan.json", "head.json", "events.jsonl", "ledger/worker-0.slots", "seal.json",
             "readback/first.npy", "observation.json", "load/locust.log"],
)  # fmt: skip
def test_a_changed_byte_is_refused_and_named(history: History, runs: Path, name: str) -> None:
    file = runs / GOOD / name
    with flipped(file, file.stat().st_size // 2, 1):
        with pytest.raises(DamagedEvidence, match=GOOD):
            import_run(history, runs / GOOD)
        ((named, why),) = import_all(history, [runs]).refused
    assert named == GOOD
    assert why
    assert history.outcomes() == ()
    assert import_all(history, [runs]).added == (GOOD,)


def test_a_stored_verdict_that_is_not_the_evidence_s_is_refused(
    history: History, runs: Path
) -> None:
    run = store(runs, "lossy", defects=Defects(lost=3))
    (run / layout.VERDICT).write_bytes((runs / GOOD / layout.VERDICT).read_bytes())
    with pytest.raises(DamagedEvidence, match="its evidence says missed"):
        import_run(history, run)
    assert history.outcomes() == ()


def test_a_run_that_comes_again_with_other_evidence_is_refused(
    history: History, runs: Path
) -> None:
    import_run(history, runs / GOOD)
    (runs / GOOD / "load" / "locust.log").write_text("rewritten\n")
    seal.seal(runs / GOOD)
    with pytest.raises(DamagedEvidence, match=f"{GOOD} is known with the evidence"):
        import_run(history, runs / GOOD)
    assert len(history.outcomes()) == 1


def test_a_harness_that_died_counts_as_invalid_with_its_reason(
    history: History, runs: Path
) -> None:
    run = dying(runs, "died")
    (run / layout.READBACK / "first.json").unlink()
    quiet(run)
    outcome = import_run(history, run)
    assert outcome.verdict is Verdict.INVALID
    assert "died" in outcome.reason
    assert outcome.evidence_digest == ""
    assert not outcome.proven_loss


def test_a_loss_that_a_dead_harness_had_proven_does_not_vanish(
    history: History, runs: Path
) -> None:
    run = dying(runs, "died", defects=Defects(lost=3))
    quiet(run)
    outcome = import_run(history, run)
    assert outcome.proven_loss
    assert outcome.verdict is Verdict.MISSED
    assert history.outcomes() == (outcome,)


def test_a_run_that_may_be_running_waits(history: History, runs: Path) -> None:
    run = dying(runs, "running")
    with pytest.raises(Refused, match="it may be running"):
        import_run(history, run)
    quiet(run)
    (run / layout.EVENTS).touch()  # one file is enough
    with pytest.raises(Refused, match="it may be running"):
        import_run(history, run)


def test_a_seal_that_was_taken_away_is_missed(history: History, runs: Path) -> None:
    (runs / GOOD / layout.SEAL).unlink()
    quiet(runs / GOOD)
    with pytest.raises(DamagedEvidence, match=r"no seal\.json: that was taken away"):
        import_run(history, runs / GOOD)


def test_a_sealed_run_whose_verdict_was_never_written_is_judged(
    history: History, runs: Path
) -> None:
    (runs / GOOD / layout.VERDICT).unlink()
    assert import_run(history, runs / GOOD).verdict is Verdict.MET


def test_what_is_foreign_is_refused_by_name(history: History, tmp_path: Path, runs: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(Refused, match="there is no run in"):
        import_all(history, [tmp_path / "other"])
    with pytest.raises(Refused, match="there is no folder"):
        import_all(history, [tmp_path / "nowhere"])
    (tmp_path / "other" / "plan.json").write_text('{"run_id": 7, "of": "another program"}')
    with pytest.raises(PeakdrillError):
        import_run(history, tmp_path / "other")
    (tmp_path / "other" / "plan.json").write_bytes(b"\xff\xfe\x00")
    ((name, _),) = import_all(history, [tmp_path / "other"]).refused
    assert name == "other"
    head = json.loads((runs / GOOD / "head.json").read_text()) | {"schema": "peakdrill/head/v2"}
    (runs / GOOD / "head.json").write_text(json.dumps(head))
    seal.seal(runs / GOOD)
    with pytest.raises(Refused, match="head/v2"):
        import_run(history, runs / GOOD)


def test_one_that_nobody_foresaw_stops_no_other(
    history: History, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.history import importing

    store(runs, "second")

    def breaks(directory: Path):
        if directory.name == GOOD:
            raise RuntimeError("what is this")
        return open_run(directory)

    monkeypatch.setattr(importing, "open_run", breaks)
    done = import_all(history, [runs])
    assert done.added == ("second",)
    assert done.refused == ((GOOD, "cannot be read: RuntimeError: what is this"),)
