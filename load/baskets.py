"""What a customer buys, and how each Odoo version wants to be told. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.operation import content_digest, order_content, pos_uuid
from load.catalogue import PosSession

type_json = Any
NOMINAL_CENTS = 4800  # what an order costs where the plan declares no revenue


@dataclass(frozen=True, slots=True)
class Basket:
    """A partner and lines of (product_id, quantity, price_cents)."""

    partner_id: int
    lines: tuple[tuple[int, int, int], ...]
    digest: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        content = order_content(self.partner_id, list(self.lines))
        object.__setattr__(self, "digest", content_digest(content))

    @property
    def total_cents(self) -> int:
        """The order's worth: the sum of its lines. It is the money behind the record."""
        return sum(quantity * price for _, quantity, price in self.lines)


def draw_basket(
    rng: random.Random,
    *,
    partners: Sequence[int],
    products: Sequence[int],
    revenue_cents: int,
) -> Basket:
    """One to three lines that are worth about `revenue_cents`: 60 to 140 percent of it.

    >>> basket = draw_basket(random.Random(1), partners=[7], products=[1, 2, 3], revenue_cents=4800)
    >>> 2800 < basket.total_cents < 6800
    True
    """
    count = min(rng.choice((1, 1, 2, 2, 3)), len(products))
    share = (revenue_cents or NOMINAL_CENTS) * rng.uniform(0.6, 1.4) / count
    lines = []
    for product in rng.sample(products, count):
        quantity = rng.choice((1, 1, 1, 2, 3))
        lines.append((product, quantity, max(1, round(share / quantity))))
    return Basket(rng.choice(partners), tuple(lines))


def sale_order(basket: Basket, key: str) -> dict[str, type_json]:
    """The price is sent along: a pricelist of the shop must not decide what was agreed."""
    return {
        "partner_id": basket.partner_id,
        "client_order_ref": key,
        "order_line": [
            [0, 0, {"product_id": p, "product_uom_qty": q, "price_unit": c / 100}]
            for p, q, c in basket.lines
        ],
    }


def invoice(basket: Basket, key: str, journal: int | None = None) -> dict[str, type_json]:
    values: dict[str, type_json] = {
        "move_type": "out_invoice",
        "partner_id": basket.partner_id,
        "ref": key,
        "invoice_line_ids": [
            [0, 0, {"product_id": p, "quantity": q, "price_unit": c / 100}]
            for p, q, c in basket.lines
        ],
    }
    return values if journal is None else values | {"journal_id": journal}


def pos_method(version: int) -> str:
    return "sync_from_ui" if version >= 18 else "create_from_ui"


def pos_order(
    basket: Basket,
    key: str,
    session: PosSession,
    *,
    version: int,
    user_id: int,
    pricelist: int | None,
    at: dt.datetime,
) -> dict[str, type_json]:
    """A paid order as the till sends it; its uuid follows from its key, the parts' from its own.

    The receipt number is the key itself, so that a read-back finds the order by the run's stamp.
    """
    order_uuid = pos_uuid(key)
    stamp = at.strftime("%Y-%m-%d %H:%M:%S")
    total = basket.total_cents / 100
    common: dict[str, type_json] = {
        "name": key,  # up to 17 this is the receipt number
        "user_id": user_id,
        "partner_id": basket.partner_id,
        "fiscal_position_id": False,
        "amount_paid": total,
        "amount_total": total,
        "amount_tax": 0,
        "amount_return": 0,
        "to_invoice": False,
        "sequence_number": 1,
        "lines": _pos_lines(basket, order_uuid, version),
    }
    payment = {"name": stamp, "payment_method_id": session.payment_method_id, "amount": total}
    if version >= 18:
        paid = payment | {"uuid": _part(order_uuid, "payment")}
        return common | {
            "uuid": order_uuid,
            "session_id": session.session_id,
            "pricelist_id": pricelist or False,
            "date_order": stamp,
            "state": "paid",
            "payment_ids": [[0, 0, paid]],
            "last_order_preparation_change": "{}",
            "access_token": _part(order_uuid, "access"),
            "pos_reference": key,
        }
    data = common | {
        "uid": order_uuid,
        "server_id": False,  # 14 looks for a known order only where this is in the payload
        "pos_session_id": session.session_id,
        "pricelist_id": pricelist or False,
        "creation_date": stamp,
        "statement_ids": [[0, 0, payment]],
    }
    return {"id": order_uuid, "to_invoice": False, "data": data}


def _pos_lines(basket: Basket, order_uuid: str, version: int) -> list[type_json]:
    lines: list[type_json] = []
    for number, (product, quantity, cents) in enumerate(basket.lines, start=1):
        subtotal = quantity * cents / 100
        line = {
            "product_id": product,
            "qty": quantity,
            "price_unit": cents / 100,
            "price_subtotal": subtotal,
            "price_subtotal_incl": subtotal,
            "discount": 0,
            "tax_ids": [[6, 0, []]],
            "pack_lot_ids": [],
        }
        mark: dict[str, type_json] = {"id": number, "full_product_name": f"product {product}"}
        if version >= 18:
            mark = {"uuid": _part(order_uuid, f"line {number}")}
        lines.append([0, 0, line | mark])
    return lines


def _part(order_uuid: str, name: str) -> str:
    """A uuid that follows from the order's. As uuid5 would be, at a tenth of its cost."""
    h = hashlib.sha1(f"{order_uuid}/{name}".encode(), usedforsecurity=False).hexdigest()
    return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-a{h[17:20]}-{h[20:32]}"
