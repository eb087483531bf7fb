"""A run adds itself at its end; a history that fails costs no run, and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from harness import session
from harness.core.verdict import Verdict
from harness.evidence.load import load_record
from harness.history import open_history
from harness.history.remembering import remember
from harness.progress import Silent
from harness.sightings import Sightings
from harness.tenancy import taking
from tests.core import judged_runs
from tests.evidence.stored_run import store

RUN = "20261122T030000Z0001"


def test_a_run_is_remembered_with_its_verdict(tmp_path: Path) -> None:
    run = store(tmp_path, RUN)
    record = load_record(run)
    remember(record, run, tmp_path)
    with open_history(None, out=tmp_path, must_exist=True) as history:
        (outcome,) = history.outcomes()
        assert history.directory_of(RUN) == run
    assert (outcome.run_id, outcome.verdict) == (RUN, record.judgement.verdict)
    assert outcome.evidence_digest == record.evidence_digest


def test_a_history_that_fails_costs_no_run(tmp_path: Path, capsys) -> None:
    run = store(tmp_path / "runs", RUN)
    (tmp_path / "runs" / "history.sqlite").mkdir()
    remember(load_record(run), run, tmp_path / "runs")
    told = capsys.readouterr().err
    assert "the run is whole, but not in the history" in told
    assert f"next: peakdrill history import {run}" in told


class Bare:
    """A platform that can do nothing, so that every scenario is skipped."""

    def facts(self):
        return replace(judged_runs.run()[0].platform, capabilities=())


@pytest.fixture
def without_a_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def bare(*_: object, agreed: bool) -> Iterator[Bare]:
        yield Bare()

    monkeypatch.setattr(taking, "platform_for", bare)


def test_execute_adds_the_run_by_itself(tmp_path: Path, without_a_platform: None) -> None:
    order = session.Order("node-loss", out=tmp_path / "runs", release="2026.11.0", seed=7)
    record, directory = session.execute(order, Silent())
    with open_history(None, out=tmp_path / "runs", must_exist=True) as history:
        (outcome,) = history.outcomes()
    assert outcome.run_id == record.plan.run_id == directory.name
    assert outcome.verdict is record.judgement.verdict is Verdict.INCONCLUSIVE
    assert (outcome.release, outcome.seed) == ("2026.11.0", 7)


def test_execute_survives_a_history_that_cannot_be_written(
    tmp_path: Path, without_a_platform: None, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEAKDRILL_HISTORY", str(tmp_path))
    record, directory = session.execute(session.Order("node-loss", out=tmp_path / "runs"), Silent())
    assert record.judgement.verdict is Verdict.INCONCLUSIVE
    assert (directory / "verdict.json").exists()
    assert "peakdrill history import" in capsys.readouterr().err


def test_a_run_that_ends_in_an_error_of_ours_is_remembered(
    tmp_path: Path, without_a_platform: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import harness.drill

    def breaks(plan, platform, run, *_, **__):
        harness.drill.conclude(run, Sightings(interrupted="an error of peakdrill: KeyError"))
        raise KeyError("ours")

    class Able(Bare):
        def facts(self):
            return judged_runs.run()[0].platform

    @contextmanager
    def able(*_: object, agreed: bool):
        yield Able()

    monkeypatch.setattr(taking, "platform_for", able)
    monkeypatch.setattr(harness.drill, "drill", breaks)
    with pytest.raises(KeyError, match="ours"):
        session.execute(session.Order("node-loss", out=tmp_path / "runs"), Silent())
    with open_history(None, out=tmp_path / "runs", must_exist=True) as history:
        (outcome,) = history.outcomes()
    assert outcome.verdict is Verdict.INVALID
    assert "KeyError" in outcome.reason
