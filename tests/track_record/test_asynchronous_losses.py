"""Asynchronous mode, Patroni's default: what was acknowledged can be gone after a failover."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from harness.core.operation import Outcome
from harness.core.timeline import MarkName
from harness.evidence import events, layout
from harness.platforms.embedded import EmbeddedPlatform, patroni
from harness.platforms.embedded.waiting import await_ready
from tests.track_record.conftest import ROOT, peakdrill
from tests.track_record.freezing import frozen, of_node
from tests.track_record.stall import stop_sender
from tests.track_record.till import Till

pytestmark = [pytest.mark.track_record, pytest.mark.platform, pytest.mark.timeout(600)]
HERE = ROOT / "tests" / "track_record"
BACK_S = 120
TAIL, LIMIT_S = 20, 15.0
TABLE = "peakdrill_split_brain"


def test_acknowledged_orders_are_gone_after_a_failover(
    asynchronous: EmbeddedPlatform, tmp_path: Path
) -> None:
    """By hand: so many orders while replication stands still, and the node is lost."""
    old = asynchronous.database.leader()
    assert old is not None
    till = Till(asynchronous, tmp_path, "trackrecordtail")
    assert till.order(LIMIT_S).outcome is Outcome.ACKED
    time.sleep(1)
    stop_sender(asynchronous, old)
    answers = [till.order(LIMIT_S) for _ in range(TAIL)]
    assert {answer.outcome for answer in answers} == {Outcome.ACKED}
    asynchronous.nodes.kill(old)
    await_ready(
        "another leader",
        lambda: asynchronous.database.leader() not in (None, old),
        within_s=90,
    )
    asynchronous.nodes.start(old)
    await_ready("the lost node", lambda: follows(asynchronous, old), within_s=BACK_S)
    judged = till.judged()
    print(f"{int(judged.classes.lost.sum())} of {len(judged.records)} acknowledged orders lost")
    assert len(judged.records) == TAIL + 1
    assert int(judged.classes.lost.sum()) == TAIL


def test_a_drill_says_that_the_tail_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))
    code, out, err = peakdrill(
        "run", "node-loss", "--size", "smoke", "--json", "--out", str(tmp_path / "runs"),
        "--platform", str(HERE / "asynchronous.yaml"),
        "--experiment", str(HERE / "node-loss-behind.yaml"),
    )  # fmt: skip
    assert out, f"exit {code}: {err}"
    report = json.loads(out)
    assert (code, report["verdict"]) == (1, "missed"), report["reasons"]
    lost = {name: w["rpo"]["lost"] for name, w in report["workloads"].items()}
    print(report["verdict"], report["reasons"][:2], lost)
    assert lost["order-capture"] > 0
    marks = events.read(tmp_path / "runs" / report["run_id"] / layout.EVENTS).timeline
    assert marks.first(MarkName.FAILED_OVER) is not None  # as Patroni sees it, all went well


def follows(platform: EmbeddedPlatform, node: str) -> bool:
    members = patroni.members(platform.database.cluster)
    return any(m.node == node and m.state == "streaming" for m in members)


class Client(threading.Thread):
    """One client without a deadline of his own: a row, its acknowledgement, the next row."""

    def __init__(self, dsn: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[tuple[int, int]] = []  # number, when
        self.told = ""
        self._dsn = dsn
        self._over = threading.Event()

    def run(self) -> None:
        number = 0
        try:
            with psycopg.connect(self._dsn, autocommit=True) as database:
                while not self._over.is_set():
                    database.execute(f"INSERT INTO {TABLE} VALUES (%s)", (number,))
                    self.acknowledged.append((number, time.monotonic_ns()))
                    number += 1
        except psycopg.Error as error:
            self.told = str(error)

    def end(self) -> None:
        self._over.set()
        self.join(60)
        assert not self.is_alive()


@pytest.fixture
def table(asynchronous: EmbeddedPlatform) -> str:
    with leader(asynchronous) as database:
        database.execute(f"CREATE TABLE {TABLE} (told int)")
    node = asynchronous.database.leader()
    assert node is not None
    return node


@contextlib.contextmanager
def leader(platform: EmbeddedPlatform) -> Iterator[psycopg.Connection]:
    with psycopg.connect(platform.database.superuser_dsn(), autocommit=True) as database:
        yield database


def test_a_leader_that_was_frozen_acknowledges_what_its_successor_never_gets(
    asynchronous: EmbeddedPlatform, table: str
) -> None:
    """Split brain for a moment: the old leader wakes, and does not know yet that it is none."""
    client = Client(asynchronous.database.superuser_dsn(table))
    client.start()
    await_ready("a client that writes", lambda: len(client.acknowledged) > 50, within_s=30)
    with frozen(of_node(asynchronous, table)):
        successor = await_ready(
            "another leader",
            lambda: (now := asynchronous.database.leader()) != table and now,
            within_s=90,
        )
        before = len(client.acknowledged)
        thawed_ns = time.monotonic_ns()
    await_ready("the client's end", lambda: bool(client.told), within_s=60)
    client.end()
    await_ready(
        "the old leader as a standby", lambda: follows(asynchronous, table), within_s=BACK_S
    )
    assert asynchronous.database.leader() == successor  # nobody went back to the old one
    with leader(asynchronous) as database:
        there = {row[0] for row in database.execute(f"SELECT told FROM {TABLE}")}
    late = [number for number, at_ns in client.acknowledged if at_ns > thawed_ns]
    lost = {number for number, _ in client.acknowledged} - there
    print(f"{before} before the freeze, {len(late)} after the thaw, {len(lost)} lost")
    assert late, f"nothing was acknowledged after the thaw: {client.told}"
    assert set(late) <= lost
