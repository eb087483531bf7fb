"""The six workloads: what one customer asks for, call by call.

Each function is one arrival's chain. The last call of it carries FINAL; a call that is not
acknowledged ends the chain, and with it the arrival. One order arrival in twenty is somebody who
asks for an order that was acknowledged earlier, one finance arrival in five is the report.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

from harness.core.operation import (
    Detail,
    Flag,
    Kind,
    Outcome,
    Stage,
    document_bytes,
)
from load.baskets import Basket, invoice, sale_order
from load.classify import Answer
from load.desk import Arrival, Desk, done, new_id
from load.recorder import What
from load.stream import MARKETPLACE_STREAM

CANCELLED_SHARE = 0.02
READ_SHARE = 0.05
REPORT_EVERY = 5
_CONFIRM = What(Kind.ADVANCE, Stage.CONFIRMED)


def order_capture(arrival: Arrival) -> None:
    """A customer orders, pays, and gets a document; one in fifty changes their mind."""
    desk = arrival.desk
    cancelled = arrival.rng.random() < CANCELLED_SHARE
    if arrival.rng.random() < READ_SHARE and desk.acknowledged:
        look_up(arrival)
        return
    order = _create_order(arrival, arrival.basket())
    _confirm(arrival, order)
    _attach(arrival, order, Flag.NONE if cancelled else Flag.FINAL)
    if cancelled:
        arrival.call(
            What(Kind.CANCEL, Stage.CANCELLED, Flag.FINAL),
            lambda _key: done(_of_order(desk, "action_cancel", order)),
        )
    if arrival.record is not None:
        desk.acknowledged.append(arrival.record)


def stock_reservation(arrival: Arrival) -> None:
    """An order of its own, and its goods set aside."""
    order = _create_order(arrival, arrival.basket())
    _confirm(arrival, order)
    pickings = _pickings(arrival, order)
    arrival.call(
        What(Kind.ADVANCE, Stage.RESERVED, Flag.FINAL),
        lambda _key: done(arrival.desk.odoo.call("stock.picking", "action_assign", [pickings])),
    )


def fulfilment(arrival: Arrival) -> None:
    """An order of its own, picked and shipped."""
    order = _create_order(arrival, arrival.basket())
    _confirm(arrival, order)
    pickings = _pickings(arrival, order)
    _pick(arrival, pickings)
    arrival.call(
        What(Kind.ADVANCE, Stage.DONE, Flag.FINAL),
        lambda _key: done(arrival.desk.odoo.call("stock.picking", "button_validate", [pickings])),
    )


def marketplace(arrival: Arrival) -> None:
    """A marketplace pushes an order: its acknowledgement is the queue's.

    Where the platform has no queue, the same partner calls create and confirm.
    """
    basket = arrival.basket()
    stream = arrival.desk.stream
    if stream is None:
        order = _create_order(arrival, basket)
        _confirm(arrival, order, Flag.FINAL)
        return
    arrival.create(
        basket,
        lambda key: stream.add(MARKETPLACE_STREAM, "order", pushed_order(basket, key)),
        stage=Stage.CONFIRMED,
        flags=Flag.FINAL,
    )


def finance_reporting(arrival: Arrival) -> None:
    """An invoice, posted; every few of them somebody wants the report instead."""
    if arrival.number % REPORT_EVERY == REPORT_EVERY - 1:
        report(arrival)
        return
    desk, basket = arrival.desk, arrival.basket()
    made = arrival.create(
        basket,
        lambda key: new_id(desk.odoo.call("account.move", "create", [invoice(basket, key)])),
    )
    arrival.call(
        What(Kind.ADVANCE, Stage.CONFIRMED, Flag.FINAL),
        lambda _key: done(desk.odoo.call("account.move", "action_post", [[made.result]])),
    )


def look_up(arrival: Arrival) -> None:
    """Ask for an order that was acknowledged earlier: an answer without it is stale."""
    desk = arrival.desk
    arrival.record = arrival.rng.choice(desk.acknowledged)

    def ask(key: str) -> Answer:
        domain = [["client_order_ref", "=", key]]
        fields = {"fields": ["state"], "limit": 1}
        answer = desk.odoo.call("sale.order", "search_read", [domain], fields)
        if not answer.acked:
            return answer
        if not isinstance(answer.result, list):
            return answer.doubted()
        found = Detail.FOUND if answer.result else Detail.NOT_FOUND
        return Answer(Outcome.ACKED, found, answer.result)

    arrival.call(What(Kind.READ, flags=Flag.FINAL), ask)


def report(arrival: Arrival) -> None:
    """How many invoices of this run are posted, as finance would ask."""
    desk = arrival.desk
    domain = [["ref", "=like", f"pd-{desk.plan.run_id}-%"], ["state", "=", "posted"]]

    def ask(_key: str) -> Answer:
        if desk.version >= 19:
            args: list[Any] = [domain, ["state"], ["__count"]]
            return counted(desk.odoo.call("account.move", "formatted_read_group", args))
        args = [domain, ["amount_total:sum"], ["state"]]
        answer = desk.odoo.call("account.move", "read_group", args, {"lazy": False})
        return counted(answer)

    arrival.call(What(Kind.REPORT, flags=Flag.FINAL), ask)


def counted(answer: Answer) -> Answer:
    """The sum of a grouped answer's counts; no group is a count of 0."""
    if not answer.acked:
        return answer
    try:
        total = sum(int(group["__count"]) for group in answer.result)
    except (TypeError, KeyError, ValueError):
        return answer.doubted()
    return Answer(answer.outcome, answer.detail, total)


def pushed_order(basket: Basket, key: str) -> str:
    """A marketplace's order on the queue."""
    return json.dumps(
        {
            "client_order_ref": key,
            "partner_id": basket.partner_id,
            "lines": [[p, q, c / 100] for p, q, c in basket.lines],
            "document": False,
        }
    )


def _create_order(arrival: Arrival, basket: Basket) -> int:
    odoo = arrival.desk.odoo
    made = arrival.create(
        basket, lambda key: new_id(odoo.call("sale.order", "create", [sale_order(basket, key)]))
    )
    return int(made.result)


def _confirm(arrival: Arrival, order: int, flags: Flag = Flag.NONE) -> None:
    what = What(Kind.ADVANCE, Stage.CONFIRMED, flags) if flags else _CONFIRM
    arrival.call(what, lambda _key: done(_of_order(arrival.desk, "action_confirm", order)))


def _attach(arrival: Arrival, order: int, flags: Flag) -> None:
    """The document's bytes follow from the record's key, so nobody need keep them."""
    key = arrival.desk.recorder.key(arrival.record or 0)
    content = document_bytes(key)
    sha1 = hashlib.sha1(content, usedforsecurity=False).digest()
    values = {
        "name": key,
        "datas": base64.b64encode(content).decode("ascii"),
        "res_model": "sale.order",
        "res_id": order,
        "mimetype": "application/octet-stream",
    }
    odoo = arrival.desk.odoo
    arrival.call(
        What(Kind.ATTACH, flags=flags, digest=int.from_bytes(sha1[:8], "big")),
        lambda _key: new_id(odoo.call("ir.attachment", "create", [values])),
    )


def _pickings(arrival: Arrival, order: int) -> list[int]:
    """The transfers that the order's confirmation made."""
    options = {"fields": ["picking_ids"]}

    def ask(_key: str) -> Answer:
        answer = arrival.desk.odoo.call("sale.order", "read", [[order]], options)
        rows = answer.result
        if answer.acked and not (isinstance(rows, list) and rows and rows[0].get("picking_ids")):
            return answer.doubted()
        return answer

    rows = arrival.call(What(Kind.TOUCH), ask).result
    return [int(picking) for picking in rows[0]["picking_ids"]]


def _pick(arrival: Arrival, pickings: list[int]) -> None:
    """Say that the goods are in the box: `picked` from 17 on, `qty_done` before."""
    odoo, domain = arrival.desk.odoo, [["picking_id", "in", pickings]]
    if arrival.desk.version >= 17:
        found = arrival.call(
            What(Kind.TOUCH), lambda _key: odoo.call("stock.move", "search", [domain])
        )
        arrival.call(
            What(Kind.TOUCH),
            lambda _key: odoo.call("stock.move", "write", [found.result, {"picked": True}]),
        )
        return
    reserved = "reserved_uom_qty" if arrival.desk.version == 16 else "product_uom_qty"
    options = {"fields": [reserved]}
    found = arrival.call(
        What(Kind.TOUCH),
        lambda _key: odoo.call("stock.move.line", "search_read", [domain], options),
    )
    for quantity, lines in by_quantity(found.result, reserved).items():
        values = {"qty_done": quantity}
        arrival.call(What(Kind.TOUCH), _write(arrival.desk, "stock.move.line", lines, values))


def by_quantity(rows: list[dict[str, Any]], field: str) -> dict[float, list[int]]:
    """Ids by the quantity that they have set aside: one write a quantity.

    >>> by_quantity([{"id": 1, "q": 2.0}, {"id": 2, "q": 1.0}, {"id": 3, "q": 2.0}], "q")
    {2.0: [1, 3], 1.0: [2]}
    """
    groups: dict[float, list[int]] = {}
    for row in rows:
        groups.setdefault(float(row[field]), []).append(int(row["id"]))
    return groups


def _write(
    desk: Desk, model: str, ids: list[int], values: dict[str, Any]
) -> Callable[[str], Answer]:
    return lambda _key: desk.odoo.call(model, "write", [ids, values])


def _of_order(desk: Desk, method: str, order: int) -> Answer:
    return desk.odoo.call("sale.order", method, [[order]])
