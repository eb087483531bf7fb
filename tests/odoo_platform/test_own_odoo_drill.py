"""Bring your own Odoo and two shell commands: a drill, from outside, by the command line."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest
from own_odoo import READER, SECRET, OwnOdoo

from harness.evidence import layout

pytestmark = pytest.mark.drill
measured = pytest.mark.alone  # the others end as they do on the busiest of machines
LOSE = """import sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as d:
    rows = d.execute("SELECT id FROM sale_order WHERE client_order_ref LIKE 'pd-20%' AND state = 'sale'"
                     " ORDER BY id LIMIT 3").fetchall()
    ids = [i for (i,) in rows]
    for table, key in (("ir_attachment", "res_id"), ("sale_order_line", "order_id")):
        d.execute(f"DELETE FROM {table} WHERE {key} = ANY(%s)", [ids])
    d.execute("ALTER TABLE stock_picking DISABLE TRIGGER ALL")
    d.execute("UPDATE stock_picking SET sale_id = NULL WHERE sale_id = ANY(%s)", [ids])
    gone = d.execute("DELETE FROM sale_order WHERE id = ANY(%s)", [ids]).rowcount
    sys.exit(0 if gone == 3 else 1)
"""


def is_busy(report: dict) -> bool:
    """The machine had no time for its instruments, and nothing else is held against the run."""
    unfit = {c["name"] for c in report["fitness"]["conditions"] if not c["fit"]}
    return report["verdict"] == "invalid" and unfit <= {"generator-lag", "baseline"}


def no_secret_in(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert SECRET.encode() not in content, file
            assert READER.encode() not in content, file


@measured
def test_two_shell_commands_are_enough_for_a_verdict(own: OwnOdoo) -> None:
    """And their words are in the run's log, without the secrets that they blurted out."""
    own.write(
        faults={
            "database-stop": {
                "begin": f"cat password reader.pgpass; {own.stop}",
                "end": own.start,
            }
        }
    )
    code, report, run = own.drill()
    assert code == 0 or is_busy(report), report["reasons"]
    for name in ("order-capture", "point-of-sale", "finance-reporting"):
        assert report["workloads"][name]["rpo"]["lost"] == 0
        assert report["workloads"][name]["rto"]["low_s"] >= 3, "held for 4 s, and part of the RTO"
    assert report["platform"] == "odoo"
    assert "stand-in" in report["plan"]["platform"]["heading"], report["plan"]
    said = (run / layout.CHAOS / "commands.log").read_text()
    assert "database-stop: begin: exit code 0" in said
    assert "***" in said
    no_secret_in(run)
    assert own.journal() == []


@measured
def test_a_write_that_is_lost_while_it_is_away_is_found(own: OwnOdoo) -> None:
    script = own.folder / "lose.py"
    script.write_text(LOSE)
    lose = shlex.join([sys.executable, str(script), own.server.dsn("own")])
    own.write(faults={"database-stop": {"begin": own.stop, "end": f"{own.start} && {lose}"}})
    code, report, _ = own.drill()
    assert (code, report["verdict"]) == (1, "missed")
    assert report["workloads"]["order-capture"]["rpo"]["lost"] == 3


def test_a_null_run_proves_nothing(own: OwnOdoo) -> None:
    code, report, run = own.drill("--experiment", "null")
    assert (code, report["verdict"]) == (4, "invalid")
    assert "no command was seen for 2 s" in (run / layout.EVENTS).read_text()
    assert not (run / layout.CHAOS / "commands.log").exists()


@pytest.mark.parametrize(
    ("begin", "told"),
    [
        (
            "echo no such cluster; exit 3",
            "the command that begins database-stop failed: exit code 3",
        ),
        ("true", "yet no effect of it was seen"),
    ],
)
def test_a_command_that_fails_or_does_nothing_is_never_a_pass(
    own: OwnOdoo, begin: str, told: str
) -> None:
    own.write(faults={"database-stop": {"begin": begin, "end": own.start, "limit_s": 5}})
    code, _, run = own.drill()
    assert code in {3, 4}
    assert told in (run / layout.EVENTS).read_text()
    assert own.journal() == [], "its end was run, found nothing to mend, and was observed"


@pytest.mark.parametrize("both", [False, True])
def test_a_harness_that_is_killed_leaves_a_database_that_comes_back(
    own: OwnOdoo, both: bool
) -> None:
    """By itself where its experiment lives; else by `peakdrill undo`, even without the file."""
    child = own.command(*own.run_words())
    try:
        events = own.folder / "runs"
        assert until(lambda: "fault-active" in text_of(events, layout.EVENTS), 120)
        experiments = children_of(child.pid, "chaostoolkit")
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
        if both:
            for pid in experiments:
                os.kill(pid, signal.SIGKILL)
            assert not own.server.is_up()
            own.file.unlink()
            code, out, err = own.peakdrill("undo")
            assert code == 0, err
            assert "mended: database-stop ended by its owner's command" in out
        assert until(own.server.is_up, 60)
        assert until(lambda: own.journal() == [], 30)
    finally:
        child.kill()
        child.communicate()
    code, out, err = own.peakdrill("undo")
    assert code == 0, err


def until(reached, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not (done := reached()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return bool(done)


def text_of(out: Path, name: str) -> str:
    return "".join(file.read_text() for file in out.glob(f"*/{name}"))


def children_of(pid: int, word: str) -> list[int]:
    """Its children whose command line names a word."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid and word in words:
                found.append(int(entry.name))
    assert found, f"no child of {pid} names {word}"
    return found
