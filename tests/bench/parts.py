"""What one request of the load costs, part by part: processor time on a warm core, the best of five.

    python -m tests.bench.parts FOLDER

It prints microseconds as JSON. No part sleeps: what a request of an open loop costs beyond their sum
is going to sleep and waking up, on a core whose caches others had meanwhile.
"""

from __future__ import annotations

import gevent.monkey

gevent.monkey.patch_all()

import json  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import timeit  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import Any  # noqa: E402

from harness.core.operation import Kind, Outcome, Stage, Workload  # noqa: E402
from harness.ledger.writer import LedgerWriter  # noqa: E402
from load.answer_stream import AnswerStream  # noqa: E402
from load.baskets import Basket, sale_order  # noqa: E402
from load.canaries import order_canary  # noqa: E402
from load.classify import Answer, of_response  # noqa: E402
from load.connections import Connections  # noqa: E402
from load.deadlines import Deadlines  # noqa: E402
from load.desk import Arrival, Desk  # noqa: E402
from load.hands import Hands  # noqa: E402
from load.odoo import Odoo, Written  # noqa: E402
from load.plan import Application  # noqa: E402
from load.recorder import Recorder  # noqa: E402

TIMES, AT_ONCE = 4000, 8
CONTENT = b'{"jsonrpc":"2.0","id":7,"result":7}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
ANSWER = HEAD % len(CONTENT) + CONTENT


def us(once: Callable[[], Any], *, each: int = 1) -> float:
    """Microseconds of this thread's processor time."""
    runs = timeit.repeat(once, timer=time.thread_time, number=TIMES // each, repeat=5)
    return round(min(runs) / (TIMES // each) / each * 1e6, 2)


def parts(folder: Path) -> dict[str, float]:
    answer, deadlines = Answer(Outcome.ACKED, result=7), Deadlines(5.0)
    recorded, traded = _ledger(folder, answer)
    return {
        "arrival, chain, and the record's key": round(max(traded - recorded, 0.0), 2),
        "an intent and an outcome on record": recorded,
        "body and head": _request(folder, answer),
        "a limit of time": us(lambda: deadlines.begin().close()),
        "a greenlet that is kept": _hand(),
        **_wire(),
        "HTTP parsed": us(_parsed),
        "JSON-RPC read and judged": us(lambda: of_response(200, CONTENT, 7)),
    }


def _parsed() -> bytes:
    stream = AnswerStream()
    stream.feed(ANSWER)
    return stream.body


def _ledger(folder: Path, answer: Answer) -> tuple[float, float]:
    """Two entries alone, and a canary's whole chain with them, answered out of hand."""
    file = folder / "worker-0.slots"
    ledger = LedgerWriter(file, run_id="bench", worker=0)

    def both() -> None:
        seq = ledger.intent(
            intended_ns=1, sent_ns=2, workload=Workload.ORDER_CAPTURE, kind=Kind.CREATE,
            stage=Stage.CREATED, digest=3, value_cents=4800,
        )  # fmt: skip
        ledger.outcome(seq, done_ns=4, outcome=Outcome.ACKED)

    application = SimpleNamespace(canary_limit_s=5.0, version=19)
    plan: Any = SimpleNamespace(application=application, of=lambda _: None)
    catalogue: Any = SimpleNamespace(canary_partner=7, canary_product=3)
    odoo: Any = SimpleNamespace(call=lambda *_words, **_more: answer)
    desk = Desk(plan, catalogue, Recorder(ledger, run_id="bench", worker=0), odoo, None)
    who = Workload.ORDER_CAPTURE
    try:
        return us(both), us(
            lambda: order_canary(Arrival(desk, who, number=1, intended_ns=2, canary=True))
        )
    finally:
        ledger.close()
        file.unlink()


def _request(folder: Path, answer: Answer) -> float:
    """All of a call but its exchange."""
    word = folder / "password"
    word.write_text("secret")
    application = Application("http://127.0.0.1:1", "shop", "admin", word, 19, 5.0)
    odoo: Any = Odoo(application, application.password(), uid=2)
    odoo._exchange = lambda _request, _number, _timeout_s: answer
    order = sale_order(Basket(7, ((3, 1, 100),)), "pd-bench-0-1")
    args = Written(json.dumps([order]))
    return us(lambda: odoo.call("sale.order", "create", args))


def _hand() -> float:
    hands: Hands[int] = Hands(lambda _: None)

    def some() -> None:
        for job in range(AT_ONCE):
            hands.give(job)
        gevent.sleep(0)

    return us(some, each=AT_ONCE)


def _wire() -> dict[str, float]:
    """On loopback; the other end is the same thread, and its share is taken away."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections = Connections("127.0.0.1", listener.getsockname()[1])
        connection = connections.take()
        peer, _ = listener.accept()
        call_back = gevent.get_hub().loop.run_callback

        def there_and_back() -> None:
            connection.send(ANSWER)
            peer.recv(65536)
            call_back(peer.send, ANSWER)
            connection.first()

        def peer_s() -> None:
            peer.send(ANSWER)
            connection.recv(65536)

        whole, half = us(there_and_back), us(peer_s)
        connections.keep(connection)
        taken = us(lambda: connections.keep(connections.take()))
        connections.close()
        peer.close()
    return {
        "a connection taken and kept": taken,
        "sent, waited for, received": round(max(whole - half, 0.0), 2),
    }


if __name__ == "__main__":
    print(json.dumps(parts(Path(sys.argv[1]))), flush=True)
