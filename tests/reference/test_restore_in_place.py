"""A restore as plain processes, with a PostgreSQL that is really there: what a container does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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
# a server that says what it does, has a family, and is deaf to politeness where it is told to be
FAMILY = """
import signal, subprocess, sys, time
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("ready", child.pid, flush=True)
try:
    time.sleep(600)
except KeyboardInterrupt:
    child.kill(); child.wait()
"""
BEGIN = """
import json, sys
from pathlib import Path
from harness.platforms.embedded.node import Part
from harness.platforms.reference.inside.child_server import ChildServer
ChildServer(Path(sys.argv[1])).start(Part(**json.loads(sys.argv[2])))
"""
HOLDS = """
import sys, time
from pathlib import Path
from harness.platforms.reference.inside import in_place
with in_place._alone(Path(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(600)
"""


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


def family(folder: Path, *words: str) -> Part:
    return Part(
        name="family",
        argv=[sys.executable, "-c", FAMILY, *words],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(folder / "log"),
        stop_signal=signal.SIGINT,
    )


def both(folder: Path) -> tuple[process.ProcessId, ...]:
    """The server and its child, as soon as it has said so."""

    def look() -> tuple[process.ProcessId, ...] | None:
        log = folder / "log"
        main = process.from_stat_file(folder / "server.pid")
        if main is None or not log.exists() or "ready" not in log.read_text():
            return None
        found = (main, *process.descendants(main.pid))
        return found if len(found) > 1 else None

    return await_ready("the server", look, within_s=PATIENCE_S)


def begun_here(folder: Path, *words: str) -> ChildServer:
    server = ChildServer(folder)
    server.start(family(folder, *words))
    return server


def begun_by_one_who_died(folder: Path, *words: str) -> ChildServer:
    told = json.dumps(asdict(family(folder, *words)))
    subprocess.run([sys.executable, "-c", BEGIN, str(folder), told], check=True, timeout=PATIENCE_S)
    return ChildServer(folder)


def test_a_server_is_asked_to_end_by_the_signal_that_it_knows(tmp_path: Path) -> None:
    server = begun_here(tmp_path, "polite")
    found = both(tmp_path)
    with pytest.raises(PlatformError, match=r"runs in .* already"):
        server.start(family(tmp_path))
    assert server.stop(PATIENCE_S)
    assert not any(process.is_alive(them) for them in found)
    assert server.stop(0.0) is False  # nothing ran that could have ended by itself


def test_a_deaf_server_is_killed_with_its_family(tmp_path: Path) -> None:
    server = begun_here(tmp_path, "deaf")
    found = both(tmp_path)
    assert not server.stop(0.3)
    assert not any(process.is_alive(them) for them in found)


@pytest.mark.parametrize("begin", [begun_here, begun_by_one_who_died])
def test_whoever_comes_later_kills_a_server_with_its_family(
    tmp_path: Path, begin: Callable[..., ChildServer]
) -> None:
    starter = begin(tmp_path, "deaf")
    found = both(tmp_path)
    for _ in range(2):
        ChildServer(tmp_path).kill()
        assert not any(process.is_alive(them) for them in found)
    starter.kill()


def test_another_process_with_that_number_is_left_alone(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        text = Path(f"/proc/{bystander.pid}/stat").read_text().split()
        text[21] = str(int(text[21]) - 1)  # it started at another time
        tmp_path.joinpath("server.pid").write_text(" ".join(text))
        ChildServer(tmp_path).kill()
        time.sleep(0.1)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_second_restore_ends_the_first(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "mine\n"
        with in_place._alone(tmp_path):
            assert first.wait(PATIENCE_S) == -signal.SIGKILL
    finally:
        first.kill()
        first.communicate()


def test_a_place_builds_beside_and_keeps_its_log(tmp_path: Path, world: World) -> None:
    place = in_place.place(tmp_path, credentials.load(world.layout))
    assert place.workshop.parent == place.pgdata.parent == tmp_path
    assert tmp_path / "log" in place.log.parents
    restore.clear(place)  # harmless where nothing is
    with pytest.raises(psycopg.OperationalError), postgres.connected(1, files_of(world.layout)):
        pytest.fail("nobody listens there")
