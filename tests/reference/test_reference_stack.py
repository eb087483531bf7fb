"""What a reference stack is, seen from outside: by its doors, and by what its site says."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pytest

from harness.errors import PlatformError
from harness.platforms.embedded import credentials
from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.embedded.pages import DamagedPage
from harness.platforms.reference import whole
from harness.platforms.reference.database import AgentDisk, database
from harness.platforms.reference.endpoints import endpoints
from harness.platforms.reference.ingress import ingress
from harness.platforms.reference.ports import Ports
from tests.reference.local_site import LocalSite

AGENT = ("python3", "-m", "harness.platforms.reference.inside.agent")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    found = Layout(tmp_path / "platform")
    found.make()
    credentials.generate(found)
    return found


@pytest.fixture
def nobody() -> Ports:
    """Ports at which nothing answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Ports(*[port] * len(fields(Ports)))


def test_members_have_their_own_doors_and_the_nodes_of_the_site(
    layout: Layout, tmp_path: Path
) -> None:
    ports = Ports(1, 2, 3, 4, 5, 6, 7, 8, 9)
    found = database(layout, ports, Options(), LocalSite(tmp_path))
    assert [(n.name, n.member, n.pg_port, n.patroni_port) for n in found.cluster] == [
        ("left", "database-0", 1, 3), ("right", "database-1", 2, 4),
    ]  # fmt: skip
    assert " port=1,2 " in found.application_dsn()
    assert " port=2 " in found.superuser_dsn("right")
    with pytest.raises(PlatformError, match="no database node 'database-0' here"):
        found.superuser_dsn("database-0")


def test_endpoints_hold_no_secret_and_name_every_door(layout: Layout) -> None:
    found = endpoints(layout, Ports(1, 2, 3, 4, 5, 6, 7, 8, 9), Options(dialect=18))
    text = repr(found)
    secrets = json.loads(credentials.files_of(layout).all.read_text()).values()
    assert not [word for word in secrets if word in text]
    assert (found.application_url, found.queue_url) == (
        "http://127.0.0.1:5", "redis://127.0.0.1:6/0",
    )  # fmt: skip
    assert (found.s3_url, found.partners_url) == ("http://127.0.0.1:8", "http://127.0.0.1:9")
    assert found.version == 18
    assert found.filestore is None  # nobody outside has the volume
    assert found.password_file.read_text() == credentials.load(layout).admin_password


def test_a_stack_that_cannot_be_asked_is_not_whole(
    layout: Layout, nobody: Ports, tmp_path: Path
) -> None:
    site = LocalSite(tmp_path, dead={"database-1", "application-0"})
    found = whole.look(layout, nobody, Options(), site, "b1")
    assert not found.whole
    assert found.missing == (
        "database-1 does not run",
        "1 of 2 replicas of the application run",
        "no database takes writes",
        "the ingress holds 0 of 2 replicas for healthy",
        "the application does not answer through the ingress",
        "the queue does not answer at its door",
        "the integration partners do not answer",
        "S3 does not answer",
    )


def test_a_site_that_does_not_answer_is_a_sentence_too(
    layout: Layout, nobody: Ports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> str:
        raise PlatformError("the cluster does not answer", next_step="see whether it runs")

    monkeypatch.setattr(LocalSite, "is_running", silent)
    monkeypatch.setattr(LocalSite, "node_of", silent)
    found = whole.look(layout, nobody, Options(), LocalSite(tmp_path), "b1")
    assert found.missing[:2] == ("the cluster does not answer",) * 2


def test_a_door_that_was_only_told_is_neither_open_nor_closed(
    layout: Layout, nobody: Ports, tmp_path: Path
) -> None:
    site = LocalSite(tmp_path)
    door = ingress(layout, nobody, site)
    door.close()
    assert site.closed == (True, False)
    assert not door.is_closed()  # nobody was turned away by it
    door.open()
    assert site.closed == (False, False)
    assert not door.is_open()


def test_the_queues_sessions_end_by_a_word_that_no_argument_list_holds(
    layout: Layout, nobody: Ports, tmp_path: Path
) -> None:
    heard: list[bytes] = []

    def answer(_part: str, _words: Sequence[str], stdin: bytes) -> bytes:
        heard.append(stdin)
        return b""

    site = LocalSite(tmp_path, answer=answer)
    ingress(layout, nobody, site).close(queue=True)
    password = credentials.load(layout).valkey
    assert json.loads(heard[0]) == {"password": password}
    assert password not in " ".join(word for words in site.asked for word in words)


def test_a_members_files_are_told_by_its_agent(tmp_path: Path) -> None:
    told = {"pages": 7, "damaged": [{"database_oid": 5, "filenode": 9, "fork": "", "block": 3}]}
    answers = {"page-checksums": told, "marked": {"marked": True}}

    def answer(_part: str, words: Sequence[str], _stdin: bytes) -> bytes:
        return json.dumps(answers.get(words[3], {})).encode()

    site = LocalSite(tmp_path, answer=answer)
    disk = AgentDisk(site, "database-1")
    assert disk.damaged_pages() == ((DamagedPage(5, 9, "", 3),), 7)
    assert disk.is_marked()
    disk.write_garbage("base/5/9", 3)
    assert site.asked[-1] == ("database-1", *AGENT, "write-garbage", "base/5/9", "3")


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"pages": 1, "damaged": [{"x": 1}]}'])
def test_an_agent_that_says_nothing_clear_says_nothing_sound(tmp_path: Path, answer: bytes) -> None:
    disk = AgentDisk(LocalSite(tmp_path, answer=lambda *_: answer), "database-0")
    with pytest.raises(PlatformError, match="cannot be understood"):
        disk.damaged_pages()
    with pytest.raises(PlatformError, match="cannot be understood"):
        disk.is_marked()
