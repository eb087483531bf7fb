"""Where a run's directory and the history disagree, the page shows what was judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.evidence import layout
from harness.history import open_history
from harness.serving.archive import Archive
from tests.history.outcomes_made import MET, lossy

STORE = "history.sqlite"


@pytest.mark.parametrize("says", ["met", ""])
def test_a_verdict_that_was_written_over_hides_no_loss(tmp_path: Path, says: str) -> None:
    with open_history(str(tmp_path / STORE)) as history:
        history.add(lossy(), directory=tmp_path / MET.run_id)
    run = tmp_path / MET.run_id
    run.mkdir()
    (run / layout.PLAN).write_text("{}")
    if says:
        (run / layout.VERDICT).write_text(json.dumps({"verdict": says, "reasons": ["Safe."]}))
    (entry,) = Archive(tmp_path, str(tmp_path / STORE), None).runs()
    assert entry.verdict == "missed"
    assert entry.reason.startswith("Not safe: 3 orders lost.")
    assert f"its directory says {says or 'nothing'}" in entry.reason


def test_where_they_agree_the_directory_s_own_words_are_shown(tmp_path: Path) -> None:
    with open_history(str(tmp_path / STORE)) as history:
        history.add(MET, directory=tmp_path / MET.run_id)
    (entry,) = Archive(tmp_path, str(tmp_path / STORE), None).runs()
    assert (entry.verdict, entry.report) == ("met", None)
    run = tmp_path / MET.run_id
    run.mkdir()
    (run / layout.PLAN).write_text("{}")
    (run / layout.VERDICT).write_text(json.dumps({"verdict": "met", "reasons": ["Met."]}))
    (run / layout.REPORT_HTML).write_text("<p>as it was</p>")
    (entry,) = Archive(tmp_path, str(tmp_path / STORE), None).runs()
    assert (entry.verdict, entry.reason) == ("met", "Met.")
    assert entry.report == run / layout.REPORT_HTML
