"""`peakdrill history`: the answer first, 100 columns, exit codes, and names of anybody's making."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from harness.core.many_runs import answer
from harness.core.outcome import Outcome
from harness.core.verdict import Verdict
from harness.history import open_history
from harness.inputs import places
from tests.evidence.stored_run import store
from tests.history.outcomes_made import MET, ORDERS, lossy, timed

HOSTILE = "<script>x</script>\x1b[31m\u202eevil\n名前" + "long" * 40


def fill(tmp_path: Path, *outcomes: Outcome) -> None:
    with open_history(None, out=tmp_path / "runs") as history:
        for outcome in outcomes:
            history.add(outcome, directory=tmp_path / "runs" / "r")


def many(count: int, **changes: object) -> list[Outcome]:
    return [timed(20 + n / 10, 20.2 + n / 10, n, **changes) for n in range(count)]


def test_no_history_is_refused_and_none_is_made(call, tmp_path: Path) -> None:
    for words in (("history",), ("history", "show", "x"), ("history", "compare", "a", "b")):
        code, out, err = call(*words)
        assert (code, out) == (2, "")
        assert "there is no history in runs/history.sqlite yet" in err
    assert not (tmp_path / "runs").exists()


def test_the_worst_is_said_first_however_many_good_runs_came_after(call, tmp_path: Path) -> None:
    lost = replace(lossy(), run_id="20260101T000000Zaaaa", begun_utc="2026-01-01T00:00:00Z")
    fill(tmp_path, lost, *many(20))
    code, out, _ = call("history")
    assert code == 0
    assert out.startswith(
        "Not safe: 1 of 21 runs lost or damaged acknowledged writes; last: 2026-01-01 node-loss, "
        "2026.11.0\n(20260101T000000Zaaaa).\n"
    )
    # also where the run itself is not among the shown ones
    code, out, _ = call("history", "--limit", "2")
    assert out.startswith("Not safe: 1 of 21 runs lost")
    assert "20260101T000000Zaaaa" not in out.split("\n\n")[1]
    assert "the newest 2 of 21" in out


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([], "Not known: no run matches."),
        ([MET], "Nothing speaks against it: 1 run met their objectives, all of them smoke."),
        ([MET, replace(MET, size="full")], "Nothing speaks against it: 2 runs met their objectives."),
        ([MET, replace(MET, verdict=Verdict.MISSED)], "1 of 2 runs missed an objective, no loss proven"),
        ([MET, replace(MET, verdict=Verdict.INVALID)], "Not proven: 1 of 2 runs met"),
        ([MET, replace(MET, verdict=Verdict.INCONCLUSIVE)], "1 inconclusive."),
        ([replace(MET, unproven=True)], "Not proven: 0 of 1 run met their objectives; 1 unproven."),
        ([replace(MET, verdict=Verdict.INVALID, proven_loss=True)], "Not safe: 1 of 1 run lost"),
    ],
)  # fmt: skip
def test_the_first_line(outcomes: list[Outcome], told: str) -> None:
    assert told in answer(outcomes)


def test_what_was_lost_within_the_limits_is_not_kept_quiet() -> None:
    within = replace(MET, workloads=(replace(ORDERS, lost=169),))
    assert "169 writes were lost, as they allow" in answer([within])
    late = replace(within, verdict=Verdict.MISSED)
    assert "169 writes lost, none proven beyond its limit" in answer([MET, late])


def test_options_filter_with_and_without_the_word(call, tmp_path: Path) -> None:
    other = many(3, release="2026.10.0", scenario="ransomware", season="", size="full")
    fill(tmp_path, MET, *(replace(o, run_id=f"other{o.run_id}") for o in other))
    for words in (("history",), ("history", "list")):
        assert "of 1 " not in call(*words)[1]
        assert call(*words, "--release", "2026.11.0")[1].count("2026.11.0") == 1
        assert json.loads(call(*words, "--scenario", "ransomware", "--json")[1])["total"] == 3
        assert json.loads(call(*words, "--season", "black-friday", "--json")[1])["total"] == 1
        assert json.loads(call(*words, "--size", "full", "--json")[1])["total"] == 3
        assert json.loads(call(*words, "--platform", "embedded", "--json")[1])["total"] == 4
        assert json.loads(call(*words, "--verdict", "met", "--json")[1])["total"] == 4
        assert json.loads(call(*words, "--since", "2026-11-27", "--json")[1])["total"] == 4
        code, out, _ = call(*words, "--since", "2026-11-28")
        assert code == 3
        assert out.startswith("Not known: no run matches.")
    assert call("history", "--since", "yesterday")[0] == 2
    assert call("history", "nonsense")[0] == 2


def test_since_means_an_instant_in_any_zone(call, tmp_path: Path) -> None:
    fill(tmp_path, MET)  # begun at 22:00 UTC
    assert call("history", "--since", "2026-11-28T00:00:00+02:00")[0] == 0
    assert call("history", "--since", "2026-11-28T00:00:01+02:00")[0] == 3


def test_no_name_leaves_its_column_or_moves_the_cursor(call, tmp_path: Path) -> None:
    hostile = replace(
        lossy(), run_id=HOSTILE, scenario=HOSTILE, release=HOSTILE, season=HOSTILE, tenant=HOSTILE,
        heading=HOSTILE, reason=HOSTILE, fault=HOSTILE, platform=HOSTILE,
        checks=((HOSTILE, Verdict.MISSED),), not_checked=(HOSTILE,),
    )  # fmt: skip
    fill(tmp_path, MET, hostile, replace(hostile, run_id="other", release=MET.release))
    for words in (
        ("history",), ("history", "show", "<script>"), ("history", "show", "other"),
        ("history", "compare", MET.release, HOSTILE), ("history", "compare", HOSTILE, MET.release),
    ):  # fmt: skip
        code, out, _ = call(*words)
        assert code in {0, 3}
        assert "script" in out
        assert not set(out) & set("\x1b\u202e")
        assert max(cell_len(line) for line in out.splitlines()) <= 100


def test_show_names_the_run_and_where_it_lies(call, tmp_path: Path) -> None:
    fill(tmp_path, *many(4))
    code, out, _ = call("history", "show", "20260101")
    assert code == 2
    code, out, err = call("history", "show", "20261127T")
    assert (code, out) == (2, "")
    assert "4 runs begin with '20261127T'" in err
    code, out, _ = call("history", "show", "20261127T220000Z0002")
    assert code == 0
    assert out.startswith("✓ met: Safe")
    assert f"peakdrillcheck{tmp_path}" in "".join(out.split()), "whatever the width broke"
    told = json.loads(call("history", "show", "20261127T220000Z0002", "--json")[1])
    assert told["directory"] == str(tmp_path / "runs" / "r")
    assert told["runs"][0]["run_id"] == "20261127T220000Z0002"


def test_import_says_how_many_and_which_not(call, tmp_path: Path) -> None:
    store(tmp_path / "old", "20261122T030000Z0001")
    torn = store(tmp_path / "old", "20261122T030000Z0002")
    (torn / "events.jsonl").write_text("torn")
    code, out, err = call("history", "import", "old")
    assert code == 4
    lines = out.splitlines()
    assert lines[0].startswith("Nothing speaks against it: 1 run met")
    assert lines[1] == "1 imported, 0 already there, 1 refused; in runs/history.sqlite"
    assert lines[2].startswith("refused: 20261122T030000Z0002: ")
    assert "events.jsonl: changed" in lines[2]
    assert "imported: 20261122T030000Z0001: met" in err
    code, out, _ = call("history", "import", "old/20261122T030000Z0001")
    assert code == 0
    assert "0 imported, 1 already there, 0 refused" in out
    assert call("history", "import", "nowhere")[0] == 2


def test_a_damaged_store_ends_with_4_and_names_the_run(call, tmp_path: Path) -> None:
    fill(tmp_path, MET)
    with open_history(None, out=tmp_path / "runs") as history, history.engine.begin() as c:
        c.exec_driver_sql("UPDATE peakdrill_runs SET verdict = 'missed'")
    code, out, err = call("history", "--release", "another")
    assert (code, out) == (4, "")
    assert f"run {MET.run_id} is damaged: verdict" in err


def test_compare_puts_only_like_runs_side_by_side(call, tmp_path: Path) -> None:
    slower = [
        timed(30 + n, 31 + n, 100 + n, release="2026.11.1", configuration=config)
        for n, config in enumerate(["c" * 64, "c" * 64, "d" * 64])
    ]
    fill(tmp_path, *many(3), *slower)
    code, out, _ = call("history", "compare", "2026.11.0", "2026.11.1")
    assert code == 0
    assert out.startswith("Not decided here, `peakdrill gate` does that.")
    assert "n 3: 3 met; 0 lost; RTO min 20.0-20.2 s, median 20.1-20.3 s, max 20.2-20.4 s" in out
    assert "n 2: 2 met; 0 lost; RTO min 30.0-31.0 s, median 30.0-32.0 s, max 31.0-32.0 s" in out
    assert "none: 2026.11.0 ran it with another configuration" in out
    told = json.loads(call("history", "compare", "2026.11.0", "2026.11.1", "--json")[1])
    assert [bool(row["why"]) for row in told["rows"]] == [False, True]
    code, out, _ = call("history", "compare", "2026.11.0", "2026.12.0")
    assert code == 3
    assert out.startswith("Not known: there is no run of 2026.12.0.")


def test_help_is_quick_because_of_what_it_does_not_import() -> None:
    heavy = ("sqlalchemy", "pydantic", "numpy", "rich", "jinja2")
    script = (
        "import sys\nfrom harness import cli\ncode = cli.exit_code(['history', 'list', '--help'])\n"
        f"print([n for n in {heavy!r} if n in sys.modules], code, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=places.SHIPPED, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert ended.stderr == "[] 0\n"
