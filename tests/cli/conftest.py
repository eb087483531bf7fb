"""The command line in process, in a folder of its own, with a session that judges at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness import cli, session
from harness.commands import rendering
from harness.core.verdict import Verdict
from harness.errors import PeakdrillError
from harness.progress import Silent
from tests.cli.stand_ins import judged, plan


@dataclass
class Ended:
    code: int
    out: str
    err: str


Call = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder; logs go below it too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("PEAKDRILL_DEBUG", raising=False)
    return tmp_path


@pytest.fixture
def call(home: Path, capfd: pytest.CaptureFixture[str]) -> Call:
    def caller(*arguments: str) -> Ended:
        capfd.readouterr()
        code = cli.exit_code(arguments)
        return Ended(code, *capfd.readouterr())

    return caller


@dataclass
class Session:
    """What the stand-in was asked, and what it answers."""

    verdict: Verdict = Verdict.MET
    error: BaseException | None = None
    orders: list[session.Order] = field(default_factory=list)

    def execute(self, order: session.Order, progress: object) -> object:
        self.orders.append(order)
        if self.error is not None:
            raise self.error
        return judged(self.verdict, order.out)

    def plan_only(self, order: session.Order) -> object:
        self.orders.append(order)
        return plan()


@pytest.fixture
def judge_at_once(monkeypatch: pytest.MonkeyPatch) -> Session:
    stand_in = Session()
    monkeypatch.setattr(session, "execute", stand_in.execute)
    monkeypatch.setattr(session, "plan_only", stand_in.plan_only, raising=False)
    monkeypatch.setattr(rendering, "progress", _silent)
    monkeypatch.setattr(rendering, "as_text", lambda record, form, **_: f'{{"form": "{form}"}}\n')
    monkeypatch.setattr(rendering, "print_verdict", lambda record, directory: print(directory))
    return stand_in


def _silent(*, silent: bool) -> Silent:
    return Silent()


__all__ = ["Ended", "PeakdrillError", "Session"]
