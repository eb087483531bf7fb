"""A canary per workload: the smallest real operation, on a fixed grid, with a time-out of its own.

Its product, partner, journal and transfers are its own, so it waits for nobody and can be
taken away by its key. It is counted in RTO and LOST and left out of money, rates and backlog.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from harness.core.operation import Flag, Kind, Stage, Workload
from load.baskets import Basket, invoice, sale_order, type_json
from load.catalogue import Transfer
from load.chains import pushed_order
from load.classify import Answer
from load.desk import Arrival, done, new_id
from load.odoo import Written
from load.recorder import What
from load.stream import MARKETPLACE_STREAM


def order_canary(arrival: Arrival) -> None:
    """A quotation."""
    basket = arrival.basket()
    args = _ordered(basket)
    arrival.create(
        basket,
        lambda key: new_id(_call(arrival, "sale.order", "create", args(key))),
        flags=Flag.FINAL,
    )


def stock_canary(arrival: Arrival) -> None:
    """Reserve a transfer that only canaries touch: again and again, a different one each time."""
    picking = _transfer(arrival).picking_id
    arrival.call(
        What(Kind.TOUCH, flags=Flag.FINAL),
        lambda _key: done(_call(arrival, "stock.picking", "action_assign", [[picking]])),
    )


def fulfilment_canary(arrival: Arrival) -> None:
    """Mark a move of such a transfer as picked."""
    transfer = _transfer(arrival)
    model, ids = "stock.move", transfer.moves
    values: dict[str, type_json] = {"picked": True}
    if arrival.desk.version < 17:
        model, ids, values = "stock.move.line", transfer.move_lines, {"qty_done": 1}
    arrival.call(
        What(Kind.TOUCH, flags=Flag.FINAL),
        lambda _key: _call(arrival, model, "write", [list(ids), values]),
    )


def marketplace_canary(arrival: Arrival) -> None:
    """An order pushed to the queue; a quotation where there is no queue."""
    stream = arrival.desk.stream
    if stream is None:
        order_canary(arrival)
        return
    basket = arrival.basket()
    arrival.create(
        basket,
        lambda key: stream.add(
            MARKETPLACE_STREAM,
            "order",
            pushed_order(basket, key),
            timeout_s=arrival.desk.canary_limit_s,
        ),
        stage=Stage.CONFIRMED,
        flags=Flag.FINAL,
    )


def finance_canary(arrival: Arrival) -> None:
    """A draft invoice in the canary's journal."""
    basket, journal = arrival.basket(), arrival.desk.catalogue.canary_journal
    args = _invoiced(basket, journal)
    arrival.create(
        basket,
        lambda key: new_id(_call(arrival, "account.move", "create", args(key))),
        flags=Flag.FINAL,
    )


def _transfer(arrival: Arrival) -> Transfer:
    transfers = arrival.desk.catalogue.transfers
    return transfers[arrival.number % len(transfers)]


@lru_cache(maxsize=8)
def _ordered(basket: Basket) -> Callable[[str], Written]:
    return Written.around(lambda key: [sale_order(basket, key)])


@lru_cache(maxsize=8)
def _invoiced(basket: Basket, journal: int | None) -> Callable[[str], Written]:
    return Written.around(lambda key: [invoice(basket, key, journal)])


def _call(arrival: Arrival, model: str, method: str, args: list[type_json] | Written) -> Answer:
    return arrival.desk.odoo.call(model, method, args, timeout_s=arrival.desk.canary_limit_s)


CANARIES = {
    Workload.ORDER_CAPTURE: order_canary,
    Workload.STOCK_RESERVATION: stock_canary,
    Workload.FULFILMENT: fulfilment_canary,
    Workload.MARKETPLACE: marketplace_canary,
    Workload.FINANCE: finance_canary,
}
"""Point of sale is not here: its canary is a sale at a till, see tills.py."""
