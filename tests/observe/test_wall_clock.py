"""The wall clock of a run: from two clocks that saw the same activity."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from harness.core.timeline import Mark, MarkName, Timeline
from harness.evidence.wall_clock import wall_clock

S = 1_000_000_000
BEGUN = "2026-11-27T22:15:14Z"
BEGUN_UNIX_NS = int(dt.datetime(2026, 11, 27, 22, 15, 14, tzinfo=dt.UTC).timestamp()) * S


def journal(run: Path, *activities: tuple[str, str]) -> None:
    (run / "chaos").mkdir(exist_ok=True)
    steps = [{"activity": {"name": n}, "start": at, "status": "succeeded"} for n, at in activities]
    (run / "chaos" / "journal.json").write_text(json.dumps({"run": steps, "rollbacks": []}))


def step(note: str, at_ns: int) -> Mark:
    return Mark(MarkName.STEP, at_ns, at_ns + S, note)


def test_the_journal_dates_what_was_stamped(tmp_path: Path) -> None:
    journal(tmp_path, ("lose-node", "2026-11-27T22:15:34.000250+00:00"))
    found = wall_clock(tmp_path, Timeline((step("lose-node: succeeded", 230 * S),)), BEGUN)
    assert found is not None
    assert found.offset_ns + 230 * S == BEGUN_UNIX_NS + 20 * S + 250_000
    assert found.source == "the journal of the experiment"


def test_of_several_the_closest_pair_counts(tmp_path: Path) -> None:
    journal(
        tmp_path,
        ("slow", "2026-11-27T22:15:34.900000+00:00"), ("quick", "2026-11-27T22:15:36.000100"),
    )  # fmt: skip
    marks = Timeline((step("slow: succeeded", 230 * S), step("quick: succeeded (True)", 232 * S)))
    found = wall_clock(tmp_path, marks, BEGUN)
    assert found is not None
    assert found.offset_ns + 232 * S == BEGUN_UNIX_NS + 22 * S + 100_000


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"run": [{}]}', '{"run": 7}', "[" * 9999])
def test_without_a_journal_it_is_the_run_s_begin_and_says_so(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "chaos").mkdir()
        (tmp_path / "chaos" / "journal.json").write_text(text)
    found = wall_clock(tmp_path, Timeline((Mark(MarkName.LOAD_BEGUN, 7 * S, 7 * S),)), BEGUN)
    assert found is not None
    assert found.offset_ns + 7 * S == BEGUN_UNIX_NS
    assert "to within some seconds" in found.source


def test_a_run_that_never_began_has_the_date_of_its_head(tmp_path: Path) -> None:
    found = wall_clock(tmp_path, Timeline(()), BEGUN)
    assert found is not None
    assert found.offset_ns == BEGUN_UNIX_NS


def test_nobody_knows_without_a_date(tmp_path: Path) -> None:
    marks = Timeline((Mark(MarkName.LOAD_BEGUN, 7, 7),))
    assert wall_clock(tmp_path, marks, "yesterday") is None
