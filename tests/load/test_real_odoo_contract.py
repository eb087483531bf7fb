"""What the load asks, held against what real servers of 14, 18 and 19 were asked and answered.

odoo_said.json is derived from recorded transcripts (tests/shop/said.py). No server answers here:
each chain is run against the recorded answers of its version, and what it sends may hold no key
that no server of that version was seen to take.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core.operation import Kind, Outcome, Workload, document_bytes, key_of, pos_uuid
from harness.platforms.documents import DocumentFolder
from harness.platforms.odoo import detect, rpc
from harness.readback import documents
from load import chains
from load.catalogue import Catalogue, PosSession
from load.classify import Answer, of_response
from load.desk import Arrival, ChainEnded, Desk
from load.prepare import Shelf
from load.recorder import What
from load.tills import Tills

SAID = json.loads(Path(__file__).with_name("odoo_said.json").read_text())
VERSIONS = (14, 18, 19)
CATALOGUE = Catalogue(
    uid=2, products=(3, 4, 5), partners=(7,), canary_product=9, canary_partner=8,
    canary_journal=None, pricelist=1, sessions=(PosSession(1, 3),),
    canary_session=PosSession(1, 3), transfers=(),
)  # fmt: skip
# what a server of that version answered to each call, in the order in which it is asked
ANSWERED = {
    ("sale.order", "create"): "order.create",
    ("sale.order", "action_confirm"): "order.confirm",
    ("sale.order", "action_cancel"): "order.cancel",
    ("sale.order", "read"): "order.read_confirmed",
    ("sale.order", "search_read"): "order.search_by_ref",
    ("stock.picking", "action_assign"): "stock.action_assign",
    ("stock.picking", "button_validate"): "fulfil.button_validate",
    ("stock.move.line", "search_read"): "fulfil.move_lines",
    ("stock.move.line", "write"): "fulfil.set_qty_done",
    ("stock.move", "search"): "fulfil.move_ids",
    ("stock.move", "write"): "fulfil.set_picked",
    ("pos.order", "create_from_ui"): "pos.sync",
    ("pos.order", "sync_from_ui"): "pos.sync",
    ("ir.attachment", "create"): "doc.create",
    ("account.move", "create"): "fin.invoice_create",
    ("account.move", "action_post"): "fin.invoice_post",
    ("account.move", "read_group"): "fin.read_group_account",
    ("account.move", "formatted_read_group"): "fin.formatted_read_group",
}


def recorded(version: int, case: str) -> Answer:
    """As the client classifies what came back on the wire."""
    told = SAID[str(version)][case]
    body = told["body"]
    raw = json.dumps({**body, "id": 1}) if isinstance(body, dict) else str(body)
    return of_response(told["status"], raw.encode(), 1)


@dataclass
class RecordedOdoo:
    """Answers each call as a server of its version did; a call that none was asked fails."""

    version: int
    instead: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    asked: list[tuple[str, str, list, dict]] = field(default_factory=list)

    def call(self, model, method, args, options=None, *, timeout_s=None) -> Answer:
        self.asked.append((model, method, args, options or {}))
        cases = self.instead.get((model, method))
        return recorded(self.version, cases.pop(0) if cases else ANSWERED[model, method])

    def methods(self) -> list[str]:
        return [f"{model}.{method}" for model, method, _, _ in self.asked]


class Ledger:
    """Keys as the recorder stamps them; every call and what it came to."""

    def __init__(self) -> None:
        self.calls: list[tuple[What, int | None, Answer]] = []

    def key(self, record: int) -> str:
        return key_of("r1", 0, record)

    def call(self, workload, what, send, *, intended_ns=None, record=None):
        seq = len(self.calls)
        answer = send(self.key(seq if record is None else record))
        self.calls.append((what, record, answer))
        return seq, answer


def at_a_desk(odoo: RecordedOdoo) -> tuple[Desk, Ledger]:
    application = SimpleNamespace(version=odoo.version, canary_limit_s=1.0)
    plan = SimpleNamespace(seed=1, run_id="r1", application=application, of=lambda _: None)
    ledger = Ledger()
    return Desk(plan, CATALOGUE, ledger, odoo, None), ledger  # type: ignore[arg-type]


def arrives(desk: Desk, workload: Workload, number: int = 0) -> Arrival:
    return Arrival(desk, workload, number=number, intended_ns=0)


def keys(value: object, at: str = "") -> Iterator[str]:
    """Every key that a request holds, with the path to it; the places in a list are one."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{at}.{name}"
            yield from keys(inner, f"{at}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, f"{at}[]")


def taken(version: int, model: str, method: str) -> set[str]:
    """Every key that a server of this version was seen to take for a call."""
    asked = [case["asked"] for case in SAID[str(version)].values()]
    return {key for told in asked if told[:2] == [model, method] for key in keys(told[2:])}


WORK = {
    "order-capture": (chains.order_capture, Workload.ORDER_CAPTURE),
    "stock-reservation": (chains.stock_reservation, Workload.STOCK_RESERVATION),
    "fulfilment": (chains.fulfilment, Workload.FULFILMENT),
    "marketplace": (chains.marketplace, Workload.MARKETPLACE),
    "finance": (chains.finance_reporting, Workload.FINANCE),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("work", WORK)
def test_every_call_of_a_chain_is_one_that_a_real_server_took(version: int, work: str) -> None:
    odoo = RecordedOdoo(version)
    desk, ledger = at_a_desk(odoo)
    chain, workload = WORK[work]
    chain(arrives(desk, workload))
    assert ledger.calls
    assert all(answer.acked for _, _, answer in ledger.calls)
    for model, method, args, options in odoo.asked:
        strange = set(keys([args, options])) - taken(version, model, method)
        assert not strange, (model, method, strange)


@pytest.mark.parametrize("version", VERSIONS)
def test_picked_or_qty_done(version: int) -> None:
    odoo = RecordedOdoo(version)
    desk, _ = at_a_desk(odoo)
    chains.fulfilment(arrives(desk, Workload.FULFILMENT))
    (write,) = [asked for asked in odoo.asked if asked[1] == "write"]
    if version == 14:  # as many as the recorded line had reserved
        assert write[:3] == ("stock.move.line", "write", [[26], {"qty_done": 5.0}])
    else:
        (found,) = SAID[str(version)]["fulfil.move_ids"]["body"]["result"]
        assert write[:3] == ("stock.move", "write", [[found], {"picked": True}])


def test_an_odoo_14_that_asks_for_a_wizard_has_shipped_nothing() -> None:
    validated = ("stock.picking", "button_validate")
    odoo = RecordedOdoo(14, {validated: ["fulfil.validate_without_done"]})
    desk, ledger = at_a_desk(odoo)
    with pytest.raises(ChainEnded):
        chains.fulfilment(arrives(desk, Workload.FULFILMENT))
    assert ledger.calls[-1][2].outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("version", VERSIONS)
def test_a_till_s_sale_is_one_however_often_it_is_handed_over(version: int) -> None:
    method = "create_from_ui" if version == 14 else "sync_from_ui"
    down = "error.jsonrpc.order_create.pg_down"
    odoo = RecordedOdoo(version, {("pos.order", method): [down, "pos.sync_resent"]})
    desk, ledger = at_a_desk(odoo)
    tills = Tills(desk)
    with pytest.raises(ChainEnded):
        tills.sell(arrives(desk, Workload.POINT_OF_SALE))
    assert tills.backlog == 1
    (kept,) = [kept for till in tills._kept for kept in till]
    assert tills._taken(kept)  # `[]`, empty lists or the order again: it is there
    first, second = (asked[2] for asked in odoo.asked)
    assert first == second  # under the same uuid, to the byte
    assert odoo.methods() == [f"pos.order.{method}"] * 2
    assert [what.kind for what, _, _ in ledger.calls] == [Kind.CREATE, Kind.RESYNC]
    assert not set(keys([first, {}])) - taken(version, "pos.order", method)
    ((order,),) = first
    key = ledger.key(0)
    assert pos_uuid(key) == (order["data"]["uid"] if version == 14 else order["uuid"])
    if version == 14:
        assert "server_id" in order["data"]  # without it 14 sells twice


@pytest.mark.parametrize("version", VERSIONS)
def test_the_key_is_what_a_server_stores_as_the_receipt_s_number(version: int) -> None:
    """The read-back finds a sale by it: which field it is taken from differs."""
    told = SAID[str(version)]
    ((sent,),) = told["pos.sync"]["asked"][2]
    (stored,) = told["pos.read_by_uuid"]["body"]["result"]
    fields = sent["data"] if version == 14 else sent
    source = {14: "name", 18: "name", 19: "pos_reference"}[version]
    assert stored["pos_reference"] == fields[source]
    assert {14: True, 18: True, 19: False}[version] == (fields["name"] == stored["pos_reference"])
    odoo = RecordedOdoo(version)
    desk, ledger = at_a_desk(odoo)
    Tills(desk).sell(arrives(desk, Workload.POINT_OF_SALE))
    ((ours,),) = odoo.asked[0][2]
    assert (ours["data"] if version == 14 else ours)[source] == ledger.key(0)


def shelf(odoo: RecordedOdoo, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setattr("load.prepare.time.sleep", lambda _: None)
    return Shelf(odoo, odoo.version, tills=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reference_is_looked_for_before_it_is_sent_again(
    version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real Odoo makes two orders of one reference: the transcripts show two ids."""
    told = SAID[str(version)]
    ids = [told[case]["body"]["result"] for case in ("order.create", "order.create_same_ref")]
    assert ids[0] != ids[1]
    down = "error.jsonrpc.order_create.pg_down"
    values, known_by = {"client_order_ref": "GOLD"}, [["client_order_ref", "=", "GOLD"]]
    for found, creates in (("order.search_by_ref", 1), ("order.search_unknown_ref", 2)):
        odoo = Searching(version, {("sale.order", "create"): [down]}, found=found)
        made = shelf(odoo, monkeypatch).make("sale.order", values, known_by)
        assert Counter(odoo.methods()) == {"sale.order.create": creates, "sale.order.search": 1}
        assert odoo.asked[1][2] == [known_by]  # between the two
        assert made == (ids[0] if creates == 2 else ids[1])


@dataclass
class Searching(RecordedOdoo):
    """`search` is answered with the ids of a recorded `search_read`."""

    found: str = ""

    def call(self, model, method, args, options=None, *, timeout_s=None) -> Answer:
        if method != "search":
            return super().call(model, method, args, options, timeout_s=timeout_s)
        self.asked.append((model, method, args, options or {}))
        rows = recorded(self.version, self.found).result
        return Answer(Outcome.ACKED, result=[row["id"] for row in rows])


def test_no_customer_sends_an_order_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever got no answer leaves: what became of it is the read-back's question."""
    down = "error.jsonrpc.order_create.pg_down"
    for version in VERSIONS:
        odoo = RecordedOdoo(version, {("sale.order", "create"): [down]})
        desk, _ = at_a_desk(odoo)
        with pytest.raises(ChainEnded):
            chains.order_capture(arrives(desk, Workload.ORDER_CAPTURE))
        assert odoo.methods() == ["sale.order.create"]


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_that_is_said_during_an_outage_is_an_acknowledgement(version: int) -> None:
    """14 answers pages, 18 and 19 errors with HTTP 200; in none of them is a create refused."""
    cases = [case for case in SAID[str(version)] if ".pg_down" in case and "health" not in case]
    assert len(cases) >= 4
    for case in cases:
        assert recorded(version, case).outcome is Outcome.UNKNOWN, case


@pytest.mark.parametrize("version", VERSIONS)
def test_a_report_is_counted(version: int) -> None:
    odoo = RecordedOdoo(version)
    desk, ledger = at_a_desk(odoo)
    chains.report(arrives(desk, Workload.FINANCE))
    assert odoo.methods() == [
        f"account.move.{'formatted_read_group' if version == 19 else 'read_group'}"
    ]
    groups = SAID[str(version)][ANSWERED[odoo.asked[0][:2]]]["body"]["result"]
    assert ledger.calls[-1][2].result == sum(group["__count"] for group in groups)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_document_is_read_back_by_its_bytes_where_a_real_server_puts_them(
    version: int, tmp_path: Path
) -> None:
    told = SAID[str(version)]
    (row,) = told["doc.read_meta"]["body"]["result"]
    content = base64.b64decode(told["doc.create"]["asked"][2][0]["datas"])
    sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    assert (row["checksum"], row["store_fname"]) == (sha1, f"{sha1[:2]}/{sha1}")
    stored = (row["res_id"], row["store_fname"], row["checksum"])
    folder = DocumentFolder(tmp_path).contents
    assert not documents.read([stored], folder)[row["res_id"]].whole  # the file is missing
    file = tmp_path / row["store_fname"]
    file.parent.mkdir()
    file.write_bytes(content)
    found = documents.read([stored], folder)[row["res_id"]]
    assert (found.whole, found.digest) == (True, int(sha1[:16], 16))
    file.write_bytes(content[:-1])  # truncated: Odoo serves it with 200
    assert documents.read([stored], folder)[row["res_id"]].digest != int(sha1[:16], 16)
    odoo = RecordedOdoo(version)
    desk, ledger = at_a_desk(odoo)
    chains._attach(arrives_known(desk), 1, flags=0)  # type: ignore[arg-type]
    ((values,),) = [asked[2] for asked in odoo.asked]
    assert base64.b64decode(values["datas"]) == document_bytes(ledger.key(0))


def arrives_known(desk: Desk) -> Arrival:
    arrival = arrives(desk, Workload.ORDER_CAPTURE)
    arrival.record = 0
    return arrival


@pytest.mark.parametrize("version", VERSIONS)
def test_an_odoo_is_of_the_version_that_it_says(
    version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = SAID[str(version)]["health.jsonrpc_version.up"]["body"]["result"]
    answered = rpc.Told(rpc.How.ANSWERED, said)
    monkeypatch.setattr(rpc, "version", lambda _options, timeout_s: answered)
    options = SimpleNamespace(url="http://odoo", version=None)
    full = detect._version(options)  # type: ignore[arg-type]
    assert detect._major(options, full) == version  # type: ignore[arg-type]
