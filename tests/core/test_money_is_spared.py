"""A crash of the money costs the money alone: the record and its verdict are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.judge import judge
from harness.core.measures import Measures
from harness.evidence import canonical, load
from harness.evidence.rundir import Head
from tests.core.judged_runs import run


def test_what_cannot_be_computed_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, seen = run()
    head = Head("peakdrill/head/v1", "2026-11-27T22:15:14Z", "0", "3")
    (tmp_path / "head.json").write_bytes(canonical.dumps(head))
    sound = load.record_of(tmp_path, Measures(plan, seen), judge(plan, seen), "")
    assert (sound.money_why, sound.money is None) == ("", False)

    def breaks(*_: object) -> None:
        raise KeyError("value_cents")

    monkeypatch.setattr(load, "money", breaks)
    found = load.record_of(tmp_path, Measures(plan, seen), judge(plan, seen), "")
    assert (found.money, found.money_why) == (None, "KeyError: 'value_cents'")
    assert found.judgement == sound.judgement
