"""Keys read back as bits, on a real database: against plain counting, and against the rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from harness.core.presence import Presence, presence_of
from harness.platforms.capabilities import Endpoints
from harness.readback import keys, store_rows
from harness.readback.survivors import look
from tests.drill_unit.test_read_back import endpoints, order, sale, taken

RUN = "r1"
_SEQ = st.one_of(
    st.integers(0, 150),
    st.sampled_from([63, 64, 127, 128, 2_097_151, 2_097_152, 999_999_999]),
    st.integers(0, 999_999_999),
)
_OURS = st.lists(st.tuples(st.sampled_from([0, 1, 10, 9999]), _SEQ), max_size=40)
# of another run, of nobody, and what a number is spelt like by others
_STRANGE = [
    "pd-r2-0-1", "pd-r10-0-1", "pd-r1", "S00042", "", None, "xpd-r1-0-1", "PD-r1-0-1",
]  # fmt: skip
_FOREIGN = [
    "pd-r1-", "pd-r1-0", "pd-r1-0-", "pd-r1--1", "pd-r1-0-x", "pd-r1-0-01", "pd-r1-00-1",
    "pd-r1-0-1-", "pd-r1-0-1-copy", "pd-r1-0-+1", "pd-r1-0- 1", "pd-r1-0-1 ", "pd-r1-0-1\n",
    "pd-r1-10000-1", "pd-r1-65536-1", "pd-r1-0-1000000000", "pd-r1-0-2147483647",
    "pd-r1-0-2147483648", "pd-r1-0-4294967297", "pd-r1-99999999999-1", "pd-r1-0-1_000",
    "pd-r1-0-0x1", "pd-r1-0-0xFFFFF", "pd-r1-0-0XFFFFF", "pd-r1-0-0xFFFFFF", "pd-r1-0-0xFFFFFFF",
    "pd-r1-0x1-1", "pd-r1-0-0b11", "pd-r1-0-0o17", "pd-r1-0-1.0", "pd-r1-0-1e5", "pd-r1-0-٣",
]  # fmt: skip


@pytest.fixture(scope="module")
def table(server) -> psycopg.Connection:
    server.create("keys_alone")
    with server.connect("keys_alone") as connection:
        connection.execute("CREATE TABLE sale_order (id serial, client_order_ref text)")
        connection.execute("CREATE TABLE account_move (id serial, ref text, move_type text)")
        yield connection


def put(table: psycopg.Connection, refs: list[str | None]) -> None:
    table.execute("TRUNCATE sale_order")
    with table.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO sale_order (client_order_ref) VALUES (%s)", [(ref,) for ref in refs]
        )


def ref(key: tuple[int, int]) -> str:
    return f"pd-{RUN}-{key[0]}-{key[1]}"


def of(found: list[tuple[int, int]]) -> Presence:
    workers, seqs = zip(*found, strict=True) if found else ((), ())
    return presence_of(np.array(workers, np.uint16), np.array(seqs, np.uint32))


def read(table: psycopg.Connection, run_id: str = RUN) -> keys.Found:
    with table.transaction():
        return keys.of_store(table, "orders", run_id)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    _OURS, st.lists(st.sampled_from(_STRANGE), max_size=5),
    st.lists(st.sampled_from(_FOREIGN), max_size=2), st.randoms(),
)  # fmt: skip
def test_what_is_there_is_what_counting_says(
    table: psycopg.Connection, ours: list, strange: list, foreign: list, chance
) -> None:
    """Repeats, gaps, several workers, what is none of ours, and what nobody writes."""
    refs = [*map(ref, ours), *strange, *foreign]
    chance.shuffle(refs)
    put(table, refs)
    found = read(table)
    assert found.there.same_as(of(ours))
    assert found.foreign == len(foreign)


@pytest.mark.parametrize("spelling", _FOREIGN)
def test_no_other_spelling_of_a_number_is_a_key(table: psycopg.Connection, spelling: str) -> None:
    """Each alone, beside keys whose lengths could make up for it."""
    ours = [(0, 1), (0, 1), (1, 10), (10, 1_048_575), (0, 16_777_215), (0, 999_999_999)]
    put(table, [*map(ref, ours), spelling])
    found = read(table)
    assert found.there.same_as(of(ours))
    assert found.foreign == 1


def test_the_database_may_ask_with_several_workers(table: psycopg.Connection) -> None:
    table.execute("TRUNCATE sale_order")
    table.execute(
        "INSERT INTO sale_order (client_order_ref)"
        " SELECT 'pd-r1-' || n % 3 || '-' || n / 3 FROM generate_series(0, 29999) n"
    )
    table.execute("ANALYZE sale_order")
    for name, value in (
        ("parallel_setup_cost", 0), ("parallel_tuple_cost", 0), ("min_parallel_table_scan_size", 0),
    ):  # fmt: skip
        table.execute(sql.SQL("SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    plan = keys.key_queries.blocks_of(keys.key_queries.quickly("orders", RUN))
    explained = table.execute(sql.SQL("EXPLAIN {}").format(plan)).fetchall()
    assert any("Partial" in line for (line,) in explained), explained
    assert read(table).there.same_as(of([(n % 3, n // 3) for n in range(30_000)]))
    table.execute("RESET ALL")


def test_every_key_twice_and_one_a_thousand_times(table: psycopg.Connection) -> None:
    ours = [(worker, seq) for worker in (0, 7) for seq in range(300)] * 2 + [(3, 64)] * 1000
    put(table, list(map(ref, ours)))
    assert read(table).there.same_as(of(ours))


def test_more_rows_in_a_block_than_its_count_can_say(table: psycopg.Connection) -> None:
    table.execute("TRUNCATE sale_order")
    table.execute(
        "INSERT INTO sale_order (client_order_ref) SELECT 'pd-r1-0-5' FROM generate_series(1, 40000)"
    )
    found = read(table).there
    assert (found.distinct, found.rows, found.times.tolist()) == (1, 40_000, [40_000])


@pytest.mark.parametrize(("run_id", "beside"), [("r_1", 1), ("r%1", 2)])
def test_a_name_that_like_takes_for_more_is_held_against_the_pattern(
    table: psycopg.Connection, run_id: str, beside: int
) -> None:
    put(table, [f"pd-{run_id}-0-1", "pd-rx1-0-2", "pd-r1-0-3"])
    found = read(table, run_id)
    assert found.there.same_as(of([(0, 1)]))
    assert found.foreign == beside


def test_an_entry_that_is_no_invoice_is_no_key_of_the_store(table: psycopg.Connection) -> None:
    table.execute("TRUNCATE account_move")
    for kind, seq in (("out_invoice", 1), ("entry", 2), (None, 3)):
        table.execute(
            "INSERT INTO account_move (ref, move_type) VALUES (%s, %s)", [ref((0, seq)), kind]
        )
    with table.transaction():
        assert keys.of_store(table, "invoices", RUN).there.same_as(of([(0, 1)]))


def test_keys_in_columns_of_their_own(table: psycopg.Connection) -> None:
    source = sql.SQL("SELECT n % 4 << 31 | n / 4, 0 FROM generate_series(1, 999::bigint) n")
    assert keys.of_numbers(table, source).same_as(of([(n % 4, n // 4) for n in range(1, 1000)]))


@pytest.mark.parametrize(
    ("by_key", "by_row", "told"),
    [
        ([(0, 1)], [(0, 1)], ""),
        ([(0, 1), (2, 70)], [(0, 1)], "2 keys 1 is not among its rows, pd-r1-2-70 the first"),
        ([], [(0, 5), (0, 9)], "0 keys 2 is among its rows alone, pd-r1-0-5 the first"),
        ([(0, 1), (0, 1)], [(0, 1)], "orders: 2 rows by key, 1 by row"),
    ],
)
def test_rows_that_are_not_those_of_the_keys_are_told(
    by_key: list, by_row: list, told: str
) -> None:
    said = keys.contradiction("orders", of(by_key), of(by_row), RUN)
    assert told in said
    assert bool(said) == bool(told)


@pytest.mark.parametrize("at_once", [1, 2, 3, 250_000])
def test_a_large_run_is_read_a_stretch_at_a_time_and_the_same(
    store: psycopg.Connection, dsn: str, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """With a gap between ids, orders of nobody in it, one key twice, and a sale of its own."""
    for seq in (1, 2, 3):
        order(store, seq)
    store.execute(
        "INSERT INTO sale_order (name, partner_id) SELECT 'x', 101 FROM generate_series(1, 5)"
    )
    order(store, 4, done=True)
    store.execute(
        "UPDATE sale_order SET client_order_ref = 'pd-r1-0-1' WHERE client_order_ref = 'pd-r1-0-2'"
    )
    sale(store, 7)
    whole = np.sort(taken(dsn).rows, order=["store", "id"])
    assert Counter(whole["seq"].tolist()) == {1: 2, 3: 1, 4: 1, 7: 1}
    monkeypatch.setattr(store_rows, "_AT_ONCE", at_once)
    asked: list[range | None] = []
    for_run = store_rows.queries.for_run
    monkeypatch.setattr(
        store_rows.queries, "for_run",
        lambda *a, ids=None, **k: asked.append(ids) or for_run(*a, ids=ids, **k),
    )  # fmt: skip
    assert np.array_equal(np.sort(taken(dsn).rows, order=["store", "id"]), whole)
    assert (asked[0] is None) == (at_once > 4)


def test_a_stretch_that_is_left_out_is_no_loss_but_no_look(
    store: psycopg.Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seq in (1, 2, 3):
        order(store, seq)
    monkeypatch.setattr(store_rows, "_AT_ONCE", 1)
    stretches = store_rows._stretches
    monkeypatch.setattr(store_rows, "_stretches", lambda *a: list(stretches(*a))[:-1])
    found = once(endpoints(dsn))
    assert not found.complete
    assert "orders: of 3 keys 1 is not among its rows, pd-r1-0-3" in found.why_incomplete
    assert not len(found.rows)


def test_a_stretch_that_is_read_twice_is_no_duplicate_but_no_look(
    store: psycopg.Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(store, 1)
    monkeypatch.setattr(store_rows, "_stretches", lambda *_: [None, None])
    found = once(endpoints(dsn))
    assert not found.complete
    assert "orders: 1 rows by key, more by row" in found.why_incomplete


def test_a_row_that_lacks_a_value_is_no_row_less(
    store: psycopg.Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(store, 1)
    broken = store_rows.queries.ORDERS.replace("THEN 15 ELSE 9 END", "THEN NULL::int ELSE 9 END")
    monkeypatch.setitem(store_rows._QUERY, "orders", broken)
    found = once(endpoints(dsn))
    assert not found.complete
    assert "of 1 rows 1 lack a value" in found.why_incomplete


def once(where: Endpoints) -> object:
    return look("first", where, RUN, filestore=None, clock=lambda: 0, settled=False)
