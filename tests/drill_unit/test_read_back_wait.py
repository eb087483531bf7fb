"""No look before the longest server time-out has passed, whatever is done meanwhile."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.evidence.rundir import RunDirectory
from harness.progress import Silent
from harness.readback import read
from tests.core import simulate

PLAN = simulate.plan_of()
LIMIT_S = PLAN.limits.server_timeout_s


class Watch:
    """A clock that only sleeping and working move."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def monotonic_ns(self) -> int:
        return round(self.now_s * 1e9)


@pytest.mark.parametrize("work_s", [None, 0.0, LIMIT_S / 2, 3 * LIMIT_S])
def test_the_time_out_is_waited_out_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work_s: float | None
) -> None:
    watch = Watch()
    looked_s: list[float] = []

    def look(*_: object, **__: object) -> None:
        looked_s.append(watch.now_s)

    monkeypatch.setattr(read, "time", watch)
    monkeypatch.setattr(read, "_look", look)
    monkeypatch.setattr(read, "await_settled", lambda *_: (True, ""))
    run = RunDirectory.create(tmp_path, "r1")
    monkeypatch.setattr(RunDirectory, "save_look", lambda *_: None)
    platform = SimpleNamespace(endpoints=lambda: None)
    meanwhile = None if work_s is None else lambda: watch.sleep(work_s)
    read.read_back(PLAN, platform, run, Silent(), meanwhile)
    assert looked_s == [100.0 + max(LIMIT_S, work_s or 0.0)] * 2
