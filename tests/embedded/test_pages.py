"""Pages that are damaged on disk, on a plain server of our own: found, made, and not made up."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from harness.errors import FaultError, PlatformError
from harness.platforms.embedded import backup_pages, corruption, damage, namespace, pages, programs
from harness.platforms.embedded.corruption import Copy
from harness.platforms.embedded.credentials import SecretFiles
from harness.platforms.embedded.disk import LocalDisk
from harness.platforms.embedded.pages import PAGE_BYTES, DamagedPage
from tests.shop.stand import Postgres, postgres

pytestmark = pytest.mark.skipif(
    namespace.problem_here() is not None, reason="this machine makes no user namespaces"
)
LSN_BYTES = 8


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("pages")) as made:
        made.create("postgres_of_shop")
        with made.connect("postgres") as connection:
            connection.execute("CREATE ROLE postgres SUPERUSER LOGIN")
            connection.execute("ALTER DATABASE postgres_of_shop RENAME TO shop")
        yield made


@pytest.fixture
def table(server: Postgres) -> Iterator[str]:
    """2,000 rows on some fifty pages, and an index."""
    with server.connect("shop") as connection:
        connection.execute("DROP TABLE IF EXISTS goods")
        connection.execute(
            "CREATE TABLE goods AS SELECT n, repeat('x', 180) AS told FROM generate_series(1,2000) n"
        )
        connection.execute("CREATE INDEX goods_n ON goods (n)")
        connection.execute("CHECKPOINT")
    yield "goods"
    with server.connect("shop") as connection:
        connection.execute("DROP TABLE goods")
        connection.execute("CHECKPOINT")


@pytest.fixture
def copy(server: Postgres) -> Copy:
    folder = pgdata(server)
    files = SecretFiles(folder.parent)
    return Copy("a", server.port, LocalDisk(folder), files, server.port)


def pgdata(server: Postgres) -> Path:
    with server.connect("shop") as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row
    return Path(row[0])


def spoil(server: Postgres, relation: str, block: int, *, keep: int = 0) -> DamagedPage:
    """Random bytes; the first `keep` stay (the LSN is eight)."""
    with server.connect("shop") as connection:
        row = connection.execute(
            "SELECT pg_relation_filepath(%s::regclass), pg_relation_filenode(%s::regclass),"
            " (SELECT oid::int FROM pg_database WHERE datname = 'shop')",
            [relation, relation],
        ).fetchone()
    assert row
    with (pgdata(server) / row[0]).open("r+b") as file:
        file.seek(block * PAGE_BYTES + keep)
        file.write(os.urandom(PAGE_BYTES - keep))
    return DamagedPage(row[2], row[1], "", block)


def test_every_damaged_page_is_found_and_no_other(server: Postgres, table: str) -> None:
    found, count = pages.damaged_pages(pgdata(server))
    assert found == ()
    assert count > 1000
    spoiled = {
        spoil(server, table, 3), spoil(server, table, 4, keep=LSN_BYTES),
        spoil(server, table, 40), spoil(server, "goods_n", 2),
    }  # fmt: skip
    found, again = pages.damaged_pages(pgdata(server))
    assert set(found) == spoiled
    assert again == count


def test_a_page_at_another_place_is_damaged(server: Postgres, table: str) -> None:
    """Whole and sound in itself, and yet not the page that belongs there."""
    damaged = spoil(server, table, 7)
    file = next((pgdata(server) / "base").glob(f"*/{damaged.filenode}"))
    content = file.read_bytes()
    with file.open("r+b") as stream:
        stream.seek(7 * PAGE_BYTES)
        stream.write(content[8 * PAGE_BYTES : 9 * PAGE_BYTES])
    assert pages.damaged_pages(pgdata(server))[0] == (damaged,)


def test_a_server_that_writes_all_the_time_is_sound(server: Postgres, table: str) -> None:
    over = threading.Event()

    def write() -> None:
        with server.connect("shop") as connection:
            while not over.is_set():
                connection.execute("UPDATE goods SET told = told || 'y'")
                connection.execute("CHECKPOINT")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            assert pages.damaged_pages(pgdata(server))[0] == ()
    finally:
        over.set()
        writer.join()
    damaged = spoil(server, table, 0)
    assert pages.damaged_pages(pgdata(server))[0] == (damaged,)


def test_damage_is_made_seen_and_named(server: Postgres, table: str, copy: Copy) -> None:
    assert corruption.damages(copy) == ()
    before = corruption.checksum_failures(copy)
    made = damage.corrupt_page(copy, table)
    assert made.earliest_ns < made.latest_ns
    with server.connect("shop") as connection, pytest.raises(psycopg.errors.DataCorrupted):
        connection.execute("SELECT count(*) FROM goods")
    assert corruption.checksum_failures(copy) > before
    told = corruption.damages(copy)
    assert all("shop.public.goods: " in sentence for sentence in told), told
    assert any("invalid page in block" in sentence for sentence in told)
    assert any("not what its checksum says" in sentence for sentence in told)
    with pytest.raises(FaultError, match="damaged already"):
        damage.corrupt_page(copy, table)


def test_damage_under_a_dirty_buffer_is_no_effect(
    server: Postgres, table: str, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wrong order: what was written meanwhile goes over the garbage."""
    settle = damage.settle

    def settle_and_write(connection: psycopg.Connection, name: str) -> None:
        settle(connection, name)
        connection.execute("UPDATE goods SET told = told")

    monkeypatch.setattr(damage, "settle", settle_and_write)
    with pytest.raises(FaultError, match="still reads well"):
        damage.corrupt_page(copy, table)
    assert corruption.damages(copy) == ()
    with server.connect("shop") as connection:
        assert connection.execute("SELECT count(*) FROM goods").fetchone() == (2000,)


@pytest.mark.parametrize(("wrong", "why"), [("moon", "no table"), ("goods_n", "no table")])
def test_what_is_no_table_is_refused(table: str, copy: Copy, wrong: str, why: str) -> None:
    assert table
    with pytest.raises(FaultError, match=why):
        damage.corrupt_page(copy, wrong)


def test_damage_on_disk_under_a_sound_buffer_is_named(
    server: Postgres, table: str, copy: Copy
) -> None:
    """The server still answers, and pg_amcheck finds nothing: the files do not lie."""
    with server.connect("shop") as connection:
        connection.execute("SELECT sum(n) FROM goods")
    spoil(server, table, 5)
    assert corruption.damages(copy) == ("shop.public.goods: block 5 is not what its checksum says",)


def test_a_backup_that_carries_damage_is_refused_where_pg_basebackup_is_not_told(
    server: Postgres, table: str, tmp_path: Path
) -> None:
    """Garbage whose LSN looks new: pg_basebackup and pg_verifybackup both say yes to it."""
    backed_up(server, tmp_path / "sound")
    assert backup_pages.damage_in(tmp_path / "sound") == ()
    damaged = spoil(server, table, 5)
    backed_up(server, tmp_path / "bad")
    (told,) = backup_pages.damage_in(tmp_path / "bad")
    assert told.endswith(f"/{damaged.filenode}: block 5 is not what its checksum says")


def backed_up(server: Postgres, folder: Path) -> None:
    words = [
        "pg_basebackup", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-D",
        str(folder), "--format=tar", "--compress=client-gzip:1", "--wal-method=fetch",
        "--checkpoint=fast", "--no-sync",
    ]  # fmt: skip
    for command in (words, ["pg_verifybackup", "--no-parse-wal", "--format=tar", str(folder)]):
        whole = [*namespace.as_user(), programs.postgres(command[0]), *command[1:]]
        subprocess.run(whole, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def test_a_folder_without_a_page_is_not_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers, and its files are looked for in another place."""
    for folder in ("global", "base/1"):
        tmp_path.joinpath(folder).mkdir(parents=True)
    monkeypatch.setattr(corruption, "_walked", lambda _: ())
    nobody = SecretFiles(*[tmp_path] * len(SecretFiles.__dataclass_fields__))
    with pytest.raises(PlatformError, match="node a: no page"):
        corruption.damages(Copy("a", 1, LocalDisk(tmp_path), nobody, None))
