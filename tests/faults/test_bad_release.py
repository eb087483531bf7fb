"""A bad release on a real PostgreSQL: what it hurts, where it is found to begin, how it is undone."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import psycopg
import pytest

from harness.errors import FaultError, PlatformError
from harness.faults import bad_release
from harness.faults.bad_release import Release
from harness.recovery import last_good
from tests.recovery.books import ORDERS, Books, books, server

__all__ = ["books", "server"]  # fixtures

QUICK = Release(over_s=0.0)
NO_TIME = "1970-01-01T00:00:00.000000+00:00"


def test_it_hurts_the_shares_that_were_asked_for_and_leaves_the_totals(books: Books) -> None:
    before = {row[0]: row[1:] for row in books.content()}
    done = bad_release.deploy(books.dsn, Release(reprice_pct=20, delete_pct=5, over_s=0.0))
    after = {row[0]: row[1:] for row in books.content()}
    emptied = {order for order, (_, lines) in after.items() if lines == [None]}
    other = {order for order in after if after[order][1] != before[order][1]}
    assert (done.repriced_orders, done.emptied_orders) == (len(other - emptied), len(emptied))
    assert len(emptied) == ORDERS * 5 // 100
    assert len(other) == ORDERS * 25 // 100
    assert all(after[order][0] == before[order][0] for order in after), "a total was changed"
    assert bad_release.differs(books.dsn)


def test_undo_puts_every_row_back_and_leaves_nothing_and_twice_is_harmless(books: Books) -> None:
    before = books.content()
    bad_release.deploy(books.dsn, QUICK)
    assert books.content() != before
    assert not bad_release.is_undone(books.dsn)
    for _ in range(2):
        bad_release.undo(books.dsn)
        assert books.content() == before
        assert bad_release.is_undone(books.dsn)
        assert not bad_release.differs(books.dsn)
    assert books.ask("SELECT count(*) FROM pg_class WHERE relname LIKE 'pd_undo%%'") == 0


def test_undo_when_idle_changes_nothing(books: Books) -> None:
    before = books.content()
    bad_release.undo(books.dsn)
    assert books.content() == before


def test_undo_after_a_restore_to_before_the_deed_only_drops_the_side_table(books: Books) -> None:
    """The side table is made before the first damage, so such a restore brings it back empty."""
    books.database.execute(bad_release._SIDE_TABLE)
    books.database.execute("UPDATE sale_order_line SET price_unit = 99 WHERE id = 1")
    before = books.content()
    bad_release.undo(books.dsn)
    assert books.content() == before
    assert bad_release.is_undone(books.dsn)


def test_killed_halfway_the_side_table_holds_exactly_what_is_hurt(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, hurt, batches = books.content(), bad_release._hurt, []

    def dies_at_the_fourth(*given: object) -> None:
        batches.append(given)
        if len(batches) == 4:
            raise KeyboardInterrupt
        hurt(*given)

    monkeypatch.setattr(bad_release, "_hurt", dies_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        bad_release.deploy(books.dsn, QUICK)
    assert books.content() != before
    assert bad_release.differs(books.dsn), "an original without its damage"
    bad_release.undo(books.dsn)
    assert books.content() == before


def test_what_was_sold_meanwhile_survives_the_undo(books: Books) -> None:
    bad_release.deploy(books.dsn, QUICK)
    late = books.order()
    bad_release.undo(books.dsn)
    assert last_good.damaged_orders(books.database) == 0
    assert books.ask("SELECT count(*) FROM sale_order_line WHERE order_id = %s", late) == 2


def test_a_busy_order_is_waited_for_not_given_up(books: Books) -> None:
    """The application holds an order that is to be hurt, and lets go after a while."""
    busy = psycopg.connect(books.dsn)
    busy.execute("SELECT FROM sale_order WHERE mod(id::bigint * 37, 100) < 20 FOR UPDATE", ())
    release = threading.Timer(0.5, busy.commit)
    release.start()
    done = bad_release.deploy(books.dsn, QUICK)
    release.join()
    busy.close()
    assert last_good.damaged_orders(books.database) == done.repriced_orders + done.emptied_orders


@pytest.mark.parametrize(("reprice", "delete"), [(0, 5), (20, 0), (99, 2)])
def test_shares_that_are_none_are_refused(reprice: int, delete: int) -> None:
    with pytest.raises(FaultError, match="bad release"):
        Release(reprice, delete)


def test_without_orders_nothing_is_broken(books: Books) -> None:
    books.database.execute("DELETE FROM sale_order")
    with pytest.raises(FaultError, match="nothing was broken"):
        bad_release.deploy(books.dsn, QUICK)
    assert bad_release.is_undone(books.dsn)


def test_the_damage_is_found_to_begin_at_its_first_transaction(books: Books) -> None:
    first = first_transaction(books)
    found = last_good.last_good(books.database)
    assert found.before_xid == first
    assert found.damaged_orders == last_good.damaged_orders(books.database) > 0
    assert found.damaged_utc == committed(books, first)


def test_honest_work_on_damaged_orders_does_not_move_the_instant(books: Books) -> None:
    """Before the damage and after it, and more orders all the while; one old order is left."""
    first = first_transaction(books, before=books.confirm)
    books.order(20)
    damaged = [row[0] for row in books.database.execute(last_good._DAMAGED).fetchall()]
    for order in sorted(damaged)[1:]:
        books.database.execute(
            "UPDATE sale_order_line SET qty_delivered = 1 WHERE order_id = %s", (order,)
        )
    assert last_good.last_good(books.database).before_xid == first


def test_a_sound_database_has_no_instant_to_go_back_to(books: Books) -> None:
    books.confirm(books.order())
    assert last_good.damaged_orders(books.database) == 0
    with pytest.raises(PlatformError, match="no damage"):
        last_good.last_good(books.database)


def test_the_tail_is_the_newest_records_before_the_instant_and_is_missed(books: Books) -> None:
    cut = datetime.fromisoformat(str(books.ask("SELECT clock_timestamp()::text")))
    newer = books.order(3)
    late = (cut + timedelta(hours=1)).isoformat()
    tail = last_good.tail_before(books.database, late)
    assert newer == tail[0].id
    assert list(tail) == sorted(tail, key=lambda row: row.committed_utc, reverse=True)
    assert last_good.loads(last_good.dumps(tail)) == tail
    assert last_good.missing_of(books.database, tail) == ()
    books.database.execute("DELETE FROM sale_order WHERE id = %s", (newer,))
    assert last_good.missing_of(books.database, tail) == (tail[0],)
    assert newer not in {row.id for row in last_good.tail_before(books.database, cut.isoformat())}
    assert last_good.tail_before(books.database, NO_TIME) == ()


def test_an_id_that_was_given_out_again_is_missing_all_the_same(books: Books) -> None:
    """After a restore the sequence goes back: the next customer gets the lost order's id."""
    order = books.order()
    (row, *_) = last_good.tail_before(books.database, "2999-01-01T00:00:00+00:00")
    assert row.id == order
    books.database.execute("DELETE FROM sale_order WHERE id = %s", (order,))
    books.database.execute("SELECT setval('sale_order_id_seq', %s, false)", (order,))
    assert books.order() == order
    assert last_good.missing_of(books.database, (row,)) == (row,)


def first_transaction(books: Books, before=lambda _order: None) -> int:
    """Release badly; the transaction of the oldest repriced order, by its own word."""
    oldest = books.ask("SELECT min(id) FROM sale_order WHERE mod(id::bigint * 37, 100) < 20")
    before(int(str(oldest)))
    bad_release.deploy(books.dsn, QUICK)
    return int(str(books.ask("SELECT xmin::text FROM sale_order WHERE id = %s", oldest)))


def committed(books: Books, xid: int) -> str:
    at = books.ask("SELECT pg_xact_commit_timestamp(%s::text::xid)", xid)
    assert isinstance(at, datetime)
    return last_good.utc(at)
