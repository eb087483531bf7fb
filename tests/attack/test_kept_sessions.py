"""Real servers: a renewed password alone shuts one way in; the session that was kept is the other."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.attack import database, stream
from harness.attack.leaked import Leaked
from harness.attack.told import ACCEPTED, BY_KEPT_SESSION, Denied, Down
from harness.attack.ways import TwoWays
from harness.platforms.embedded import programs
from tests.attack.prey import MARKER
from tests.shop.stand import Postgres, free_port, postgres, wait_until

OLD, NEW = "an-old-password", "a-new-password"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL that asks the role `clerk` for a password."""
    folder = tmp_path_factory.mktemp("pg")
    with postgres(folder / "server") as running:
        rules = folder / "server" / "data" / "pg_hba.conf"
        rules.write_text("host all clerk 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        rename(running, OLD)
        yield running


def rename(server: Postgres, password: str) -> None:
    with server.connect("postgres") as connection:
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP ROLE IF EXISTS clerk")
        connection.execute(f"CREATE ROLE clerk LOGIN PASSWORD '{password}'")


def ends_sessions(server: Postgres) -> None:
    with server.connect("postgres") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'clerk'"
        )


@pytest.fixture
def thief_of() -> Iterator[Callable[[Postgres], TwoWays]]:
    """A thief of the role `clerk` at a server; what he keeps ends with the test."""
    with contextlib.ExitStack() as kept:
        yield lambda server: kept.enter_context(contextlib.closing(thief_at(server)))


def thief_at(server: Postgres) -> TwoWays:
    where = f"host=127.0.0.1 port={server.port} dbname=postgres target_session_attrs=read-write"
    return database.database_role(Leaked("database-role", where, "clerk", "", OLD), MARKER)


def test_a_database_session_that_was_kept_survives_a_new_password(
    server: Postgres, thief_of
) -> None:
    rename(server, OLD)
    use = thief_of(server)
    assert [use(0), use(1)] == [ACCEPTED, ACCEPTED]
    with server.connect("postgres") as connection:
        seen = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [MARKER]
        ).fetchone()
        assert seen == (1,)  # the kept one; the others were closed
        connection.execute(f"ALTER ROLE clerk PASSWORD '{NEW}'")
    assert use(2) == BY_KEPT_SESSION
    ends_sessions(server)
    for number in (3, 4):
        with pytest.raises(Denied, match="28P01"):
            use(number)


def test_a_role_that_is_gone_or_may_not_log_in_is_a_refusal(server: Postgres, thief_of) -> None:
    rename(server, OLD)
    with server.connect("postgres") as connection:
        connection.execute("ALTER ROLE clerk NOLOGIN")
    with pytest.raises(Denied, match="28000"):
        thief_of(server)(0)


def test_another_session_is_kept_when_the_kept_one_broke(server: Postgres, thief_of) -> None:
    rename(server, OLD)
    use = thief_of(server)
    assert use(0) == ACCEPTED
    ends_sessions(server)
    assert use(1) == ACCEPTED
    with server.connect("postgres") as connection:
        connection.execute(f"ALTER ROLE clerk PASSWORD '{NEW}'")
    assert use(2) == BY_KEPT_SESSION


def test_a_database_that_stops_proves_nothing(tmp_path: Path, thief_of) -> None:
    with postgres(tmp_path / "server") as server:
        rename(server, OLD)
        use = thief_of(server)
        assert use(0) == ACCEPTED
        server.stop("immediate")
        with pytest.raises(Down):
            use(1)


class Valkey:
    """The queue, with a door for its owner."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        folder.mkdir(exist_ok=True)
        configuration = folder / "valkey.conf"
        configuration.write_text(f'bind 127.0.0.1\nport {self.port}\nsave ""\nrequirepass {OLD}\n')
        self.process = subprocess.Popen(
            [programs.valkey(), str(configuration)], cwd=folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(self.listens, "the queue listens")

    def listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def say(self, password: str, *commands: str) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as talk:
            talk.settimeout(5)
            heard = talk.makefile("rb")
            replies = []
            for command in (f"AUTH {password}", *commands):
                talk.sendall(f"{command}\r\n".encode())
                replies.append(heard.readline())
            return replies[-1]


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    running = Valkey(tmp_path / "valkey")
    yield running
    running.process.kill()
    running.process.wait()


def test_a_queue_session_that_was_kept_survives_a_new_password(valkey: Valkey) -> None:
    where = f"redis://127.0.0.1:{valkey.port}/0"
    use = stream.queue(Leaked("queue", where, "", "", OLD), MARKER)
    assert [use(0), use(1)] == [ACCEPTED, ACCEPTED]
    assert valkey.say(OLD, f"XLEN attack:{MARKER}") == b":3\r\n"  # the second try went both ways
    assert valkey.say(OLD, f"CONFIG SET requirepass {NEW}") == b"+OK\r\n"
    assert use(2) == BY_KEPT_SESSION
    assert valkey.say(NEW, "CLIENT KILL TYPE normal SKIPME yes").startswith(b":")
    for number in (3, 4):
        with pytest.raises(Denied, match="WRONGPASS"):
            use(number)
    valkey.process.kill()
    valkey.process.wait()
    with pytest.raises(Down):
        use(5)
    use.close()
