"""When is a recovery over? By what its database logs, and not by what it tells a client."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.errors import PlatformError
from harness.platforms.capabilities import Wanted
from harness.platforms.embedded import restore
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.node import Part

AT = "2026-11-28 06:57:28.966 UTC"
TURNED_AWAY = (
    f"{AT} dead-end client backend FATAL:  the database system is not accepting connections\n"
    f"{AT} dead-end client backend DETAIL:  Hot standby mode is disabled.\n"
    f"{AT} client backend FATAL:  pg_hba.conf rejects connection for host\n"
)
REPLAYED = f"{AT} startup LOG:  last completed transaction was at log time {AT[:-4]}+00\n"
READY = f"{AT} postmaster LOG:  database system is ready to accept connections\n"
DIED = f"{AT} startup FATAL:  requested timeline 3 is not a child of this server's history\n"
SHORT = f"{AT} startup FATAL:  recovery ended before configured recovery target was reached\n"


@dataclass
class Server:
    """Logs what it is given, a start after the other."""

    log: Path
    lives: list[str]
    configurations: list[str] = field(default_factory=list)
    killed: int = 0

    def start(self, part: Part) -> None:
        file = next(w for w in part.argv if w.startswith("--config-file=")).split("=", 1)[1]
        self.configurations.append(Path(file).read_text(encoding="utf-8"))
        with self.log.open("a", encoding="utf-8") as log:
            log.write(self.lives.pop(0))

    def stop(self, within_s: float) -> bool:
        return True

    def kill(self) -> None:
        self.killed += 1


def recovery(folder: Path, *lives: str) -> tuple[Server, restore.Place]:
    server = Server(folder / "restore.log", list(lives))
    (folder / "pgdata").mkdir()
    secrets = Secrets(**dict.fromkeys(Secrets.__dataclass_fields__, "a word"))
    place = restore.Place(folder / "served", folder, folder / "restore.log", 5432, secrets, server)
    return server, place


def recover(place: restore.Place, wanted: Wanted) -> str:
    return restore._recover(place, place.workshop / "pgdata", "false", wanted)


def test_a_client_that_is_turned_away_ends_no_recovery(tmp_path: Path) -> None:
    server, place = recovery(tmp_path, TURNED_AWAY + REPLAYED + READY)
    assert REPLAYED in recover(place, Wanted(before_xid=7))
    assert server.killed == 1


def test_only_a_prefix_that_names_the_process_tells_them_apart(tmp_path: Path) -> None:
    server, place = recovery(tmp_path, READY)
    recover(place, Wanted())
    assert "log_line_prefix = '%m %b '" in server.configurations[0]


@pytest.mark.parametrize("kind", ["startup", "postmaster", "checkpointer", "not initialized"])
def test_whoever_dies_of_the_server_itself_ends_it_and_is_told(tmp_path: Path, kind: str) -> None:
    death = DIED.replace("startup", kind)
    server, place = recovery(tmp_path, TURNED_AWAY + death)
    with pytest.raises(PlatformError) as caught:
        recover(place, Wanted(before_xid=7))
    assert "requested timeline 3" in caught.value.what
    assert "not accepting" not in caught.value.what
    assert server.killed == 1


def test_an_archive_that_ends_early_is_no_death(tmp_path: Path) -> None:
    _, place = recovery(tmp_path, TURNED_AWAY + REPLAYED + SHORT)
    assert SHORT in recover(place, Wanted(before_xid=7))
