"""Which call is lied about, and what becomes of it; and the proxy that tells it."""

from __future__ import annotations

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.errors import UsageError
from harness.selftest.liar import lying
from harness.selftest.lies import SAID, Lies, request_of

PREFIX = "pd-r1-"
ORDER = {"client_order_ref": "pd-r1-0-1", "order_line": [[0, 0, {"product_uom_qty": 2}]]}


def call(model: str, method: str, *args: object, number: int = 5) -> bytes:
    params = {
        "service": "object",
        "method": "execute_kw",
        "args": ["db", 2, "pw", model, method, list(args), {}],
    }
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "call", "params": params}).encode()


def lies(*wanted: str) -> Lies:
    """Those that lie at the very first call."""
    made = Lies(seed=1, prefix=PREFIX, wanted=wanted)
    made._skip = dict.fromkeys(SAID, 0)
    return made


def decided(made: Lies, content: bytes):
    request = request_of(content)
    assert request is not None
    return made.decide(request)


def told(content: bytes | None):
    assert content is not None
    return json.loads(content)


def test_a_lost_write_is_answered_and_goes_nowhere() -> None:
    made = lies("one-lost-write")
    lie = decided(made, call("sale.order", "create", ORDER))
    assert lie.forward == ()
    assert told(lie.answer)["id"] == 5
    made_up = told(lie.answer)["result"]
    later = decided(made, call("sale.order", "action_confirm", [made_up]))
    assert later.forward == ()
    assert told(later.answer)["error"]["data"]["name"] == "odoo.exceptions.UserError"
    assert made.told == [("one-lost-write", "pd-r1-0-1")]


def test_each_defect_is_planted_once_and_on_a_record_of_its_own() -> None:
    made = lies("one-lost-write", "duplicate", "ghost", "altered-line")
    for number in range(20):
        decided(
            made, call("sale.order", "create", {**ORDER, "client_order_ref": f"pd-r1-0-{number}"})
        )
    assert sorted(name for name, _ in made.told) == [
        "altered-line",
        "duplicate",
        "ghost",
        "one-lost-write",
    ]
    assert len(made.keys) == 4


def test_what_is_not_of_this_run_is_never_lied_about() -> None:
    made = lies(*SAID)
    for content in (
        call("sale.order", "create", {**ORDER, "client_order_ref": "pd-r2-0-1"}),
        call("sale.order", "create", {**ORDER, "client_order_ref": "a customer's own"}),
        call("res.partner", "create", {"name": "pd-r1-0-9"}),
        call("account.move", "create", {"ref": "INV/1"}),
    ):
        assert decided(made, content) is None
    assert not made.told


def test_a_duplicate_is_the_same_call_twice() -> None:
    lie = decided(lies("duplicate"), call("sale.order", "create", ORDER))
    first, second = lie.forward
    assert (
        json.loads(first) == json.loads(second) == json.loads(call("sale.order", "create", ORDER))
    )
    assert lie.answer is None


def test_a_ghost_is_written_and_refused() -> None:
    lie = decided(lies("ghost"), call("sale.order", "create", ORDER))
    assert len(lie.forward) == 1
    assert "error" in told(lie.answer)


def test_an_altered_line_has_one_piece_more() -> None:
    lie = decided(lies("altered-line"), call("sale.order", "create", ORDER))
    (body,) = lie.forward
    assert json.loads(body)["params"]["args"][5][0]["order_line"][0][2] == {"product_uom_qty": 3}


def test_half_a_document_is_whole_base64() -> None:
    import base64

    whole = base64.b64encode(bytes(range(100))).decode()
    lie = decided(
        lies("truncated-document"),
        call("ir.attachment", "create", {"name": "pd-r1-0-1", "datas": whole}),
    )
    (body,) = lie.forward
    left = base64.b64decode(json.loads(body)["params"]["args"][5][0]["datas"], validate=True)
    assert 0 < len(left) < 100
    assert bytes(range(100)).startswith(left)


@pytest.mark.parametrize("method", ["sync_from_ui", "create_from_ui"])
def test_a_sale_is_paid_twice(method: str) -> None:
    if method == "sync_from_ui":
        sale = {
            "pos_reference": "pd-r1-0-1",
            "payment_ids": [[0, 0, {"amount": 9, "uuid": "a-b-cccc"}]],
        }
    else:
        sale = {"id": "u", "data": {"name": "pd-r1-0-1", "statement_ids": [[0, 0, {"amount": 9}]]}}
    (body,) = decided(lies("double-payment"), call("pos.order", method, [sale])).forward
    paid = json.loads(body)["params"]["args"][5][0][0]
    paid = paid.get("data", paid)
    payments = paid.get("payment_ids") or paid.get("statement_ids")
    assert [p[2]["amount"] for p in payments] == [9, 9]
    assert len({p[2].get("uuid", n) for n, p in enumerate(payments)}) == 2


def test_orders_are_known_by_their_ids() -> None:
    made = lies("acknowledged-before-commit", "lost-reservation", "resurrected-order")
    heard(made, call("sale.order", "create", ORDER), 77)
    heard(made, call("sale.order", "create", {**ORDER, "client_order_ref": "pd-r1-0-2"}), 78)
    heard(made, call("sale.order", "create", {**ORDER, "client_order_ref": "pd-r1-0-3"}), 79)
    heard(made, call("sale.order", "read", [78]), [{"id": 78, "picking_ids": [5]}])
    assert decided(made, call("sale.order", "action_confirm", [77])).forward == ()
    reservation = decided(made, call("stock.picking", "action_assign", [5]))
    assert [json.loads(b)["params"]["args"][4] for b in reservation.forward] == [
        "action_assign",
        "do_unreserve",
    ]
    assert told(reservation.answer)["result"] is True
    assert decided(made, call("sale.order", "action_cancel", [79])).forward == ()
    assert dict(made.told) == {
        "acknowledged-before-commit": "pd-r1-0-1",
        "lost-reservation": "pd-r1-0-2",
        "resurrected-order": "pd-r1-0-3",
    }


def heard(made: Lies, content: bytes, result: object) -> None:
    request = request_of(content)
    assert request is not None
    made.heard(request, json.dumps({"jsonrpc": "2.0", "id": 5, "result": result}).encode())


def test_the_tail_is_lost_from_an_instant_on() -> None:
    made = lies("lost-tail")
    assert decided(made, call("account.move", "create", {"ref": "pd-r1-0-1"})) is None
    made.tail = True
    for number in (2, 3):
        assert (
            decided(made, call("account.move", "create", {"ref": f"pd-r1-0-{number}"})).forward
            == ()
        )
    assert made.told == [("lost-tail", "pd-r1-0-2"), ("lost-tail", "pd-r1-0-3")]


def test_a_stale_read_shows_nothing() -> None:
    made = lies("stale-read")
    lie = decided(made, call("sale.order", "search_read", [["client_order_ref", "=", "pd-r1-0-1"]]))
    assert told(lie.answer)["result"] == []


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff", b'{"params": {"args": []}}', b"[" * 99_999]
)
def test_what_is_no_call_is_passed_on(content: bytes) -> None:
    assert request_of(content) is None


class _Application(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(body)  # type: ignore[attr-defined]
        answer = json.dumps({"jsonrpc": "2.0", "id": 5, "result": len(self.server.seen)}).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Own", "kept")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def application():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Application)
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def asked(liar, content: bytes) -> tuple[int, bytes, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", liar.server_address[1], timeout=10)
    try:
        connection.request("POST", "/jsonrpc", content)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("X-Own")
    finally:
        connection.close()


def test_the_liar_tells_the_truth_but_for_its_lies(application) -> None:
    url = f"http://127.0.0.1:{application.server_address[1]}"
    made = lies("duplicate", "one-lost-write")
    with lying(url, made) as liar:
        honest = call("res.partner", "read", [1])
        assert asked(liar, honest) == (200, b'{"jsonrpc": "2.0", "id": 5, "result": 1}', "kept")
        assert application.seen == [honest]
        asked(liar, call("sale.order", "create", ORDER))
        asked(liar, call("sale.order", "create", {**ORDER, "client_order_ref": "pd-r1-0-2"}))
        assert len(application.seen) == 3, "one was lost, the other was sent twice"
    assert {name for name, _ in made.told} == {"duplicate", "one-lost-write"}


def test_an_application_that_is_gone_is_a_broken_connection() -> None:
    with (
        lying("http://127.0.0.1:9", lies()) as liar,
        pytest.raises((OSError, http.client.HTTPException)),
    ):
        asked(liar, call("res.partner", "read", [1]))


def test_the_liar_speaks_plain_http() -> None:
    with pytest.raises(UsageError, match="plain HTTP"), lying("https://shop.example", lies()):
        pass
