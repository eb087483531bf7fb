"""A restore as plain processes, with a PostgreSQL that is really there: what a container does."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
import pytest
from memory_store import Store

from harness.errors import PlatformError
from harness.platforms.capabilities import Wanted
from harness.platforms.embedded import (
    archive,
    backup,
    credentials,
    ports,
    postgres,
    process,
    programs,
    restore,
    wal_names,
)
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.node import Part, clean_environment
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.reference.inside import in_place, places
from harness.platforms.reference.inside.child_server import ChildServer
from harness.platforms.reference.inside.settings import Settings

KEY = bytes(range(32))
PATIENCE_S = 60.0


@dataclass(frozen=True)
class World:
    """A store with one base backup and the WAL that followed; the passwords of now."""

    layout: Layout
    store: Store
    backup_id: str
    xids: tuple[int, ...]
    port: int


def server_part(folder: Path, pgdata: Path, port: int) -> Part:
    words = [f"--port={port}", "--listen_addresses=127.0.0.1", "--unix_socket_directories="]
    return Part(
        name="postgres",
        argv=[programs.postgres("postgres"), "-D", str(pgdata), *words],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(folder / "postgres.log"),
        stop_signal=signal.SIGINT,
    )


@contextmanager
def running(layout: Layout, folder: Path, pgdata: Path, port: int) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    server = ChildServer(folder)
    server.start(server_part(folder, pgdata, port))
    try:
        await_ready(
            "the database",
            lambda: postgres.takes_writes(port, files_of(layout)),
            within_s=PATIENCE_S,
            next_step=str(folder / "postgres.log"),
        )
        yield
        assert server.stop(PATIENCE_S)
    finally:
        server.kill()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Rows 1 to 4 after the base backup, one transaction each."""
    layout, store = Layout(tmp_path_factory.mktemp("origin")), Store()
    layout.make()
    old = credentials.generate(layout)
    pgdata = layout.pgdata("a")
    word = layout.secrets / "initdb"
    word.write_text(old.postgres)
    postgres.initdb(pgdata, word)
    with pgdata.joinpath("postgresql.conf").open("a") as file:
        file.write(
            postgres.as_configuration({**postgres.parameters(), "archive_command": "/bin/true"})
        )
    with ports.reserved() as chosen:
        port = chosen["pg_a"]
    with running(layout, layout.node("a") / "server", pgdata, port):
        access = backup.Access(port, files_of(layout).superuser_pass)
        with postgres.connected(port, files_of(layout)) as connection:
            postgres.roles(connection, old)
        with postgres.connected(port, files_of(layout), database="shop") as connection:
            connection.execute("CREATE TABLE told (number int)")
        backup.take(layout.backup, access, layout.home)
        record = backup.upload(layout.backup, backup.new_id(), store, KEY)
        with postgres.connected(port, files_of(layout), database="shop") as connection:
            asked = "INSERT INTO told VALUES (%s) RETURNING pg_current_xact_id()::text"
            xids = tuple(int(connection.execute(asked, [n]).fetchone()[0]) for n in range(1, 5))
            connection.execute("SELECT pg_switch_wal()")
        uploader = archive.Uploader(store, KEY, "t", {"a": pgdata / "pg_wal"}, layout.root / "no")
        for name in sorted(path.name for path in (pgdata / "pg_wal").iterdir()):
            if wal_names.is_segment(name) and name >= record.first_segment:
                assert uploader.answer(f"t a {name}") == "ok"
    credentials.generate(layout)  # what the restored data shall know
    return World(layout, store, record.backup_id, xids, port)


@dataclass(frozen=True)
class Container:
    """The folder that a held database container would have."""

    settings: Settings
    world: World

    @property
    def data(self) -> Path:
        return self.settings.data

    def order(self, wanted: Wanted, **changed: object) -> in_place.Order:
        told = {
            "backup_id": self.world.backup_id, **asdict(wanted), "backup_key": KEY.hex(),
            "secrets": asdict(credentials.load(self.world.layout)), **changed,
        }  # fmt: skip
        return in_place.order_of(json.dumps(told).encode())

    def rows(self) -> list[int]:
        """By a database that is started on what was restored, with the passwords of now."""
        layout, port = self.world.layout, self.world.port
        pgdata = places.pgdata(self.data)
        with (
            running(layout, self.data / "asking", pgdata, port),
            postgres.connected(port, files_of(layout), database="shop") as connection,
        ):
            return [r[0] for r in connection.execute("SELECT number FROM told ORDER BY 1")]


@pytest.fixture
def container(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Container:
    monkeypatch.setattr(in_place, "S3Client", lambda *_, **__: world.store)
    monkeypatch.setattr(places, "PG_PORT", world.port)
    settings = Settings(
        {
            "PEAKDRILL_NAME": "database-0",
            "PEAKDRILL_STORE": "127.0.0.1:1",
            "PEAKDRILL_DATA": str(tmp_path),
        }
    )
    hold = places.hold(tmp_path)
    hold.asked.touch()
    hold.held.touch()
    return Container(settings, world)


def test_back_to_just_before_a_transaction_and_again_from_what_was_restored(
    container: Container, world: World
) -> None:
    restored = in_place.run(container.settings, container.order(Wanted(before_xid=world.xids[2])))
    assert restored.complete
    assert restored.backup_id == world.backup_id
    assert "reached" in restored.told
    status = places.pgdata(container.data) / "pg_wal" / "archive_status"
    assert [path.name for path in status.glob("*.history.ready")] == ["00000002.history.ready"]
    assert not places.pgdata(container.data).joinpath("patroni.dynamic.json").exists()
    assert container.rows() == [1, 2]
    assert not container.data.joinpath("restore").exists()

    onward = in_place.run(container.settings, container.order(Wanted()))
    assert container.rows() == [1, 2, 3, 4]
    assert onward.reached_utc > restored.reached_utc
    kept = container.data / "replaced" / "pgdata"
    assert kept.joinpath("PG_VERSION").exists()


def test_what_fails_leaves_the_data_that_were_there(container: Container, world: World) -> None:
    before = places.pgdata(container.data)
    before.mkdir()
    before.joinpath("mark").touch()
    refused = {
        "no record that can be read": container.order(Wanted(), backup_id="20000101T000000"),
        "does not bear our stamp": container.order(Wanted(), backup_key=bytes(32).hex()),
    }
    for why, order in refused.items():
        with pytest.raises(PlatformError, match=why):
            in_place.run(container.settings, order)
    hold = places.hold(container.data)
    hold.asked.unlink()
    with pytest.raises(PlatformError, match="database-0 is not held"):
        in_place.run(container.settings, container.order(Wanted()))
    assert [path.name for path in before.iterdir()] == ["mark"]
    assert not container.data.joinpath("replaced").exists()


def test_a_restore_that_died_in_its_recovery_may_be_repeated(
    container: Container, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        """Stands in for a SIGKILL: nothing of ours runs after it."""

    left: list[tuple[process.ProcessId, ...]] = []
    dead: list[ChildServer] = []

    def dies(self: ChildServer, within_s: float) -> bool:
        left.append(self._family())
        dead.append(self)
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(ChildServer, "stop", dies)
        patched.setattr(ChildServer, "kill", lambda _: None)
        with pytest.raises(Died):
            in_place.run(container.settings, container.order(Wanted()))
    assert process.is_alive(left[0][0])
    assert not places.pgdata(container.data).exists()
    in_place.run(container.settings, container.order(Wanted(before_xid=world.xids[1])))
    assert not any(process.is_alive(them) for them in left[0])
    dead[0].kill()  # only buries it
    assert container.rows() == [1]


def test_an_archive_that_ends_before_is_said(container: Container, world: World) -> None:
    far = container.order(Wanted(until_utc="2099-01-01T00:00:00+00:00"))
    restored = in_place.run(container.settings, far)
    assert not restored.complete
    assert "NOT reached" in restored.told
    assert container.rows() == [1, 2, 3, 4]


def test_a_place_builds_beside_and_keeps_its_log(tmp_path: Path, world: World) -> None:
    place = in_place.place(tmp_path, credentials.load(world.layout))
    assert place.workshop.parent == place.pgdata.parent == tmp_path
    assert tmp_path / "log" in place.log.parents
    restore.clear(place)  # harmless where nothing is
    with pytest.raises(psycopg.OperationalError), postgres.connected(1, files_of(world.layout)):
        pytest.fail("nobody listens there")
