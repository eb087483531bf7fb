"""What the first boot sets, and how synchronous mode begins, without a database."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.platforms.embedded import credentials, first_boot, patroni, postgres
from harness.platforms.embedded.blueprint import Blueprint, Commands
from harness.platforms.embedded.cluster import DatabaseNode
from harness.platforms.embedded.layout import ALL_NODES, DATABASE_NODES, Layout, Options
from harness.platforms.embedded.ports import NAMES
from harness.platforms.embedded.start import Start
from harness.progress import Silent


def plan(root: Path, *, synchronous: bool) -> Blueprint:
    layout = Layout(root)
    layout.make()
    for name in DATABASE_NODES:
        layout.pgdata(name).mkdir()
        (layout.pgdata(name) / "postgresql.conf").write_text("", encoding="utf-8")
    ports = {name: 20_000 + at for at, name in enumerate(NAMES)}
    options = Options(synchronous=synchronous)
    return Blueprint(layout, ports, credentials.generate(layout), options, Commands())


@pytest.mark.parametrize("synchronous", [True, False])
def test_the_primary_acknowledges_nothing_alone_where_that_was_asked_for(
    tmp_path: Path, synchronous: bool
) -> None:
    made = plan(tmp_path / "platform", synchronous=synchronous)
    said = {}
    for name in DATABASE_NODES:
        first_boot.prepare(made, name)
        (file,) = made.layout.pgdata(name).glob("*first-boot*")
        said[name] = "synchronous_standby_names = 'pg2'" in file.read_text(encoding="utf-8")
    assert said == {first_boot.PRIMARY: synchronous, first_boot.STANDBY: False}


def test_the_replicas_wait_for_the_primary_and_for_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(tmp_path / "platform", synchronous=True)
    begun = Start(made, Silent(), fresh=False)
    answers = iter([False, False, True])
    seen = []

    def takes_writes(*_: object) -> bool:
        seen.append([made.layout.gate(name, "app").exists() for name in ALL_NODES])
        return next(answers)

    monkeypatch.setattr(postgres, "takes_writes", takes_writes)
    begun._await_primary()
    assert seen == [[False] * len(ALL_NODES)] * 3
    assert all(made.layout.gate(name, "app").exists() for name in ALL_NODES)
    assert made.layout.gate(first_boot.PRIMARY, "patroni").exists()
    assert not made.layout.gate(first_boot.STANDBY, "patroni").exists()


@contextmanager
def patronis(
    *names: str,
) -> Iterator[tuple[tuple[DatabaseNode, ...], list[tuple[str, str, bytes]]]]:
    """Servers that note what they were asked to change."""
    heard: list[tuple[str, str, bytes]] = []

    class Noting(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, self.headers["Authorization"][:6], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing to tell."""

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Noting) for _ in names]
    threads = [threading.Thread(target=one.serve_forever, daemon=True) for one in servers]
    for thread in threads:
        thread.start()
    try:
        yield (
            tuple(
                DatabaseNode(name, f"pg-{name}", 0, one.server_address[1])
                for name, one in zip(names, servers, strict=True)
            ),
            heard,
        )
    finally:
        for one in servers:
            one.shutdown()
            one.server_close()


def test_synchronous_mode_is_told_to_whoever_answers(tmp_path: Path) -> None:
    known = plan(tmp_path / "platform", synchronous=True).secrets
    with patronis("a", "b") as (both, heard):
        patroni.synchronise(both, known)
        patroni.nudge(both, known)
    assert [(path, kind) for path, kind, _ in heard] == [("/config", "Basic ")] * 4
    told = [json.loads(body) for *_, body in heard]
    assert told == [{"synchronous_mode": True}] * 2 + [{"loop_wait": patroni.LOOP_WAIT_S}] * 2
