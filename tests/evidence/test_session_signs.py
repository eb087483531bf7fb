"""A whole order, skipped for want of a capability: signed at its end, whatever its reports do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from harness import session
from harness.commands.rendering import render_all
from harness.core.verdict import Verdict
from harness.evidence import chain, layout
from harness.evidence.findings import NO_REPORT, State
from harness.evidence.verify import verify
from harness.progress import Silent
from harness.tenancy import taking
from reports import write
from tests.core import simulate


class Bare:
    """A platform that can do nothing, so that nothing is broken."""

    def facts(self) -> object:
        return replace(simulate.FACTS, capabilities=())


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> session.Order:
    @contextmanager
    def platform(*_: object, agreed: bool) -> Iterator[Bare]:
        yield Bare()

    monkeypatch.setattr(taking, "platform_for", platform)
    monkeypatch.setenv("PEAKDRILL_HISTORY", f"sqlite:///{tmp_path / 'history.sqlite'}")
    return session.Order("node-loss", out=tmp_path / "runs")


def test_a_run_and_its_reports_are_signed_at_its_end(order: session.Order) -> None:
    record, run = session.execute(order, Silent())
    found = verify(run, chain=order.out, render=render_all)
    assert (found.state, found.verdict, found.problems) == (
        State.INTACT, Verdict.INCONCLUSIVE, (),
    )  # fmt: skip
    assert record.judgement.reasons[0].startswith("skipped: ")
    _, second = session.execute(order, Silent())
    assert verify(second).link == f"link 2 of its chain, after {run.name}"


def test_a_report_that_cannot_be_rendered_leaves_a_signed_run(order, monkeypatch) -> None:
    def fails(record: object) -> str:
        raise ZeroDivisionError(record)

    monkeypatch.setattr(write, "render_html", fails)
    with pytest.raises(ZeroDivisionError):
        session.execute(order, Silent())
    (entry,) = chain.read(order.out)
    found = verify(order.out / entry.run_id)
    assert (found.state, found.notes) == (State.INTACT, (NO_REPORT,))
    assert not (order.out / entry.run_id / layout.REPORTS_ENVELOPE).exists()
