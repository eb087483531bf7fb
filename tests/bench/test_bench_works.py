"""The benchmark's own functions, on tiny inputs: that they measure what they say. No time is asserted."""

from __future__ import annotations

import doctest
import json
import os
import time
from pathlib import Path

import numpy as np
import psycopg
import pytest

from harness.core.operation import Outcome
from tests.bench import (
    bench,
    contents,
    distributing,
    edges,
    generating,
    judging,
    key_reader,
    ledgers,
    reconciling,
    rows,
)
from tests.bench.children import cutting_proxy, generator, light_server, result_of, started, told
from tests.bench.rows import Held, Row, Spread, in_turn, ratios
from tests.bench.scratch_database import scratch_database

S = 10**9


@pytest.mark.parametrize("module", [bench, distributing, generating, rows])
def test_examples(module) -> None:
    tried = doctest.testmod(module)
    assert tried.attempted
    assert tried.failed == 0


def test_ways_take_turns_and_nobody_always_comes_first() -> None:
    order: list[str] = []
    found = in_turn({n: lambda n=n: order.append(n) or 1.0 for n in ("a", "b", "c")}, 3)
    assert order == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert found == {"a": [1.0] * 3, "b": [1.0] * 3, "c": [1.0] * 3}


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratios([2.0, 20.0], [1.0, 10.0]) == Spread(2.0, 2.0, 2.0, 2)


def test_a_measurement_that_fails_is_a_row_that_says_so() -> None:
    (row,) = bench._tried("edges", lambda: 1 / 0)
    assert row.held is Held.UNSEEN
    assert "ZeroDivisionError" in row.why


def test_the_machine_is_told_without_a_path_or_a_name() -> None:
    told_of = bench.machine()
    assert "/" not in told_of.replace("load average", "")
    assert os.uname().nodename not in told_of


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["ours", "fast"])
def test_a_generator_says_what_it_asked_and_what_that_cost(kind: str, tmp_path: Path) -> None:
    with light_server() as (port, _):
        did = result_of(generator(kind, port, tmp_path / kind, 0.5, 200))
    assert did["requests"] > 20
    assert did["cpu_s"] > 0
    assert not did.get("failures")
    assert not did.get("troubles")


def test_the_parts_of_a_request_are_measured_one_by_one(tmp_path: Path) -> None:
    parts = result_of(started("-m", "tests.bench.parts", tmp_path))
    assert len(parts) == 9
    assert all(us >= 0 for us in parts.values())
    assert sum(parts.values()) > 0
    assert not list(tmp_path.glob("*.slots"))


@pytest.mark.alone
def test_latency_in_a_stall_is_held_against_the_servers_own_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    did, stop = generating._through_a_stall("ours", tmp_path / "run", log, 0.5)
    seen, true = generating.latencies(tmp_path / "run", log, stop)
    assert did["requests"] >= len(seen) > 10
    assert (seen >= true).all()  # it is written down before it is sent


@pytest.mark.alone
def test_the_edges_of_a_cut_hold_what_the_proxy_wrote_down(tmp_path: Path) -> None:
    with light_server() as (target, _):
        port = edges._free_port()
        with cutting_proxy(port, target, tmp_path / "edges.log") as proxy:
            process = generator("ours", port, tmp_path / "run", 6.0, 100, 0.25)
            time.sleep(2.0)
            cut = told(proxy, "cut")
            time.sleep(0.3)
            mended = told(proxy, "mend")
            did = result_of(process)
    found = edges.Cut(cut, mended, int(did["begin_ns"]) + 6 * S)
    edges_at = edges.intervals(tmp_path / "run", [found], int(did["begin_ns"]), 6.0, rate_per_s=100)
    widths, inside, _ = edges_at
    assert inside == [True]
    assert widths[0] > 0


def test_each_ledger_writes_what_it_is_given_and_leaves_nothing(tmp_path: Path) -> None:
    for way in (ledgers.ours, ledgers.json_lines, ledgers.sqlite):
        assert way(tmp_path / way.__name__, 50, time.perf_counter) > 0
    assert list(tmp_path.iterdir()) == []


def test_arrays_and_plain_python_find_the_same() -> None:
    of = judging.operations(8_000)
    there = judging.survivors(of)
    rto_ns, lost = judging.measured(of, there)
    plain_ns, plain_lost = judging.in_python(of, there)
    assert (lost, plain_lost) == (1, 1)
    assert rto_ns == plain_ns
    assert 29 * S < rto_ns < 32 * S
    assert np.count_nonzero(of.outcome == Outcome.REFUSED) == 600


def test_keys(tmp_path: Path) -> None:
    """Each way finds the one key that is lost, and none where two are: then it is no measure."""
    with (
        scratch_database(tmp_path / "d") as dsn,
        psycopg.connect(dsn, autocommit=True) as database,
    ):
        reconciling.fill(database, 3_000, ledger=True)
        ways = reconciling.ours(database, 3_000) | reconciling.others(database, 3_000)
        assert all(way() > 0 for way in ways.values())
        for kind in ("numbers", "texts"):
            cost = reconciling.wire(dsn, tmp_path, kind, 3_000)
            assert 1 / 8 < cost.bytes_a_row < 1
        assert key_reader.made(database, 3_000).same_as(key_reader.numbers(database))
        contents.fill(database, 30)
        contents.read(database, 30)
        database.execute("UPDATE sale_order_line SET product_uom_qty = 7 WHERE order_id = 3")
        with pytest.raises(RuntimeError, match="30 orders, 29 whole"):
            contents.read(database, 30)
        database.execute("SET search_path TO public")
        for table in ("keys", "sale_order"):
            database.execute(f"DELETE FROM {table} WHERE ctid = '(0,1)'")
        for way in ways.values():
            with pytest.raises(RuntimeError, match=r"2 keys were found lost|2998 rows were found"):
                way()


def test_a_made_run_is_judged_and_shown(tmp_path: Path) -> None:
    did = judging.reported(tmp_path, 8_000)
    page = (tmp_path / "report.html").read_text()
    assert did["html_bytes"] == len(page.encode())
    assert did["mb"] > 0
    assert "order-capture" in page


def test_more_workers_send_more_and_a_dearer_request_less() -> None:
    one = distributing.sustained(0.001, workers=1, seed=1)
    assert distributing.sustained(0.001, workers=4, seed=1) > 3 * one
    assert distributing.sustained(0.002, workers=1, seed=1) < one


def test_the_table_has_a_line_a_row_and_its_figures_are_json() -> None:
    row = Row("a", "b", "c", "d", Held.YES, figures={"x": 1.0})
    assert len(bench.table([row, row]).splitlines()) == 4
    assert json.dumps(dict(row.figures)) == '{"x": 1.0}'
