"""Before the load: find what it trades with, make what is missing, write catalogue.json.

    python -m load.prepare <run>/load/plan.json

Idempotent, by codes and references (PD-0001, PD-CUST-001, PD-CANARY, journal PDCAN), so a
second run only reads. It works on a shop that was seeded with them and on an Odoo that was
not; what cannot be made over RPC (a chart of accounts, a point of sale with its payment
methods) is asked for by name. Nothing of it is in the ledger, and a call whose answer did not
come is repeated: one that makes something only after a look whether it was made.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.core.operation import Detail, Outcome, Workload
from load.catalogue import Catalogue, PosSession, Transfer
from load.classify import Answer
from load.odoo import Odoo
from load.plan import LoadPlan

PRODUCTS, PARTNERS, TRANSFERS = 20, 10, 16  # as many are made; more are used where they exist
ON_HAND = 1_000_000
CANARY_ORDERS = "peakdrill-canary-"
_PATIENCE_S = 20.0


class CannotPrepare(Exception):
    """What is missing, and what a person can do about it."""


class Shelf:
    """The application, for set-up: an answer or an error, and patience with a cold start."""

    def __init__(self, odoo: Odoo, version: int, *, tills: bool) -> None:
        self._odoo, self.version, self.tills = odoo, version, tills

    def log_in(self, login: str) -> int:
        answer = self._patiently(self._odoo.authenticate)
        if not answer.result:
            raise CannotPrepare(f"the application does not know the login {login!r}")
        self._odoo.as_user(int(answer.result))
        return int(answer.result)

    def ask(
        self, model: str, method: str, args: list[Any], options: dict[str, Any] | None = None
    ) -> Any:
        answer = self._patiently(lambda: self._odoo.call(model, method, args, options))
        return answer.result

    def ids(self, model: str, domain: list[Any], limit: int = 0) -> list[int]:
        """Ids that match, in rising order."""
        options: dict[str, Any] = {"order": "id"} | ({"limit": limit} if limit else {})
        return [int(i) for i in self.ask(model, "search", [domain], options)]

    def make(self, model: str, values: dict[str, Any], known_by: list[Any], **context: Any) -> int:
        """A new record. `known_by` finds it: a create that was not answered may have happened."""
        options = {"context": context} if context else {}

        def made_meanwhile() -> Answer | None:
            found = self.ids(model, known_by)
            return Answer(Outcome.ACKED, result=found[-1]) if found else None

        answer = self._patiently(
            lambda: self._odoo.call(model, "create", [values], options), made_meanwhile
        )
        made = answer.result
        return int(made[0] if isinstance(made, list) else made)

    def _patiently(
        self, send: Callable[[], Answer], done: Callable[[], Answer | None] | None = None
    ) -> Answer:
        until = time.monotonic() + _PATIENCE_S
        answer = send()
        while not answer.acked:
            by_rule = Detail.USER_ERROR <= answer.detail < Detail.SERIALIZATION_FAILURE
            if by_rule or time.monotonic() > until:
                raise CannotPrepare(f"the application answered {answer.detail.name}")
            time.sleep(0.2)
            answer = (done() if done else None) or send()
        return answer


def prepare(plan: LoadPlan) -> Catalogue:
    """Everything that the plan's workloads need, by id."""
    application = plan.application
    odoo = Odoo(application, application.password())
    try:
        tills = plan.of(Workload.POINT_OF_SALE) is not None
        shelf = Shelf(odoo, application.version, tills=tills)
        uid = shelf.log_in(application.login)
        canary_product = _product(shelf, "PD-CANARY", "PD Canary", 1.0)
        canary_partner = _partner(shelf, "PD-CANARY", "PD Canary")
        sessions = _sessions(shelf) if tills else [("", PosSession(0, 0))]
        return Catalogue(
            uid=uid,
            products=tuple(_products(shelf)),
            partners=tuple(_partners(shelf)),
            canary_product=canary_product,
            canary_partner=canary_partner,
            canary_journal=_journal(shelf),
            pricelist=_pricelist(shelf) if tills else None,
            sessions=tuple(s for name, s in sessions if "Canary" not in name) or (sessions[0][1],),
            canary_session=next((s for name, s in sessions if "Canary" in name), sessions[-1][1]),
            transfers=tuple(_transfers(shelf, canary_partner, canary_product)),
        )
    finally:
        odoo.close()


def _products(shelf: Shelf) -> list[int]:
    found = shelf.ids("product.product", [["default_code", "=like", "PD-0%"]])
    for number in range(len(found) + 1, PRODUCTS + 1):
        code = f"PD-{number:04}"
        found.append(_product(shelf, code, f"PD Product {number}", 10.0 + number))
    return found


def _product(shelf: Shelf, code: str, name: str, price: float) -> int:
    """A storable product with plenty on hand and no taxes."""
    found = shelf.ids("product.product", [["default_code", "=", code]], 1)
    if found:
        return found[0]
    values: dict[str, Any] = {"name": name, "default_code": code, "list_price": price}
    values |= {"taxes_id": [[6, 0, []]]} | ({"available_in_pos": True} if shelf.tills else {})
    values |= {"type": "consu", "is_storable": True} if shelf.version >= 18 else {"type": "product"}
    product = shelf.make("product.product", values, [["default_code", "=", code]])
    stock = shelf.ids("stock.location", [["usage", "=", "internal"]], 1)[0]
    quant = shelf.make(
        "stock.quant",
        {"product_id": product, "location_id": stock, "inventory_quantity": ON_HAND},
        [["product_id", "=", product], ["location_id", "=", stock]],
        inventory_mode=True,
    )
    if shelf.version >= 15:
        shelf.ask("stock.quant", "action_apply_inventory", [[quant]])
    return product


def _partners(shelf: Shelf) -> list[int]:
    found = shelf.ids("res.partner", [["ref", "=like", "PD-CUST-%"]])
    for number in range(len(found) + 1, PARTNERS + 1):
        found.append(_partner(shelf, f"PD-CUST-{number:03}", f"PD Customer {number}"))
    return found


def _partner(shelf: Shelf, ref: str, name: str) -> int:
    found = shelf.ids("res.partner", [["ref", "=", ref]], 1)
    if found:
        return found[0]
    return shelf.make("res.partner", {"name": name, "ref": ref}, [["ref", "=", ref]])


def _journal(shelf: Shelf) -> int | None:
    """The canary's own journal; without the right to make one it uses the default."""
    known_by = [["code", "=", "PDCAN"]]
    found = shelf.ids("account.journal", known_by, 1)
    if found:
        return found[0]
    values = {"name": "PD Canary", "code": "PDCAN", "type": "sale"}
    try:
        return shelf.make("account.journal", values, known_by)
    except CannotPrepare:
        return None


def _pricelist(shelf: Shelf) -> int | None:
    """Point of sale wants one up to 17; from 18 on there may be none."""
    if shelf.version >= 18:
        return None
    found = shelf.ids("product.pricelist", [], 1)
    return found[0] if found else None


def _sessions(shelf: Shelf) -> list[tuple[str, PosSession]]:
    """Open sessions by the name of their shop; one is opened where there is none."""
    if not shelf.ids("pos.session", [["state", "=", "opened"]], 1):
        _open_session(shelf)
    rows = shelf.ask(
        "pos.session",
        "search_read",
        [[["state", "=", "opened"]]],
        {"fields": ["config_id"], "order": "id", "limit": 8},
    )
    sessions = []
    for row in rows:
        config, name = row["config_id"][0], row["config_id"][1]
        methods = shelf.ask("pos.config", "read", [[config]], {"fields": ["payment_method_ids"]})
        if methods[0]["payment_method_ids"]:
            method = int(methods[0]["payment_method_ids"][0])
            sessions.append((str(name), PosSession(int(row["id"]), method)))
    if not sessions:
        raise CannotPrepare("no open point-of-sale session: open one by hand and run again")
    return sessions


def _open_session(shelf: Shelf) -> None:
    configs = shelf.ids("pos.config", [], 1)
    if not configs:
        raise CannotPrepare("no point of sale: make one, with a payment method, and run again")
    one = [["config_id", "=", configs[0]], ["state", "!=", "closed"]]
    session = shelf.make("pos.session", {"config_id": configs[0]}, one)
    if shelf.version >= 16:
        shelf.ask("pos.session", "set_opening_control", [[session], 0, ""])
    else:
        shelf.ask("pos.session", "action_pos_session_open", [[session]])


def _transfers(shelf: Shelf, partner: int, product: int) -> list[Transfer]:
    """Transfers for the canaries: confirmed orders of the canary's partner, never shipped."""
    domain: list[Any] = [["client_order_ref", "=like", CANARY_ORDERS + "%"], ["state", "=", "sale"]]
    orders = shelf.ids("sale.order", domain)
    for number in range(len(orders), TRANSFERS):
        line = {"product_id": product, "product_uom_qty": 1, "price_unit": 1.0}
        values = {
            "partner_id": partner,
            "client_order_ref": f"{CANARY_ORDERS}{number}",
            "order_line": [[0, 0, line]],
        }
        reference = [["client_order_ref", "=", values["client_order_ref"]]]
        orders.append(shelf.make("sale.order", values, reference))
        shelf.ask("sale.order", "action_confirm", [[orders[-1]]])
    rows = shelf.ask("sale.order", "read", [orders], {"fields": ["picking_ids"]})
    return [_transfer(shelf, int(row["picking_ids"][0])) for row in rows if row["picking_ids"]]


def _transfer(shelf: Shelf, picking: int) -> Transfer:
    here = [["picking_id", "=", picking]]
    if shelf.version >= 17:
        return Transfer(picking, tuple(shelf.ids("stock.move", here)), ())
    return Transfer(picking, (), tuple(shelf.ids("stock.move.line", here)))


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python -m load.prepare PLAN.json", file=sys.stderr)
        return 2
    plan = LoadPlan.read(Path(sys.argv[1]))
    try:
        prepare(plan).write(plan.catalogue_file)
    except CannotPrepare as error:
        print(f"load.prepare: {error}", file=sys.stderr)
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
