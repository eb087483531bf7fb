"""Invoices, payments, and invoices made from orders."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shop.business.methods import Environment, as_ids, in_kind, method, values_of
from shop.business.orders import as_json, lines_of, plain
from shop.errors import UserError
from shop.orm import writing

if TYPE_CHECKING:
    from collections.abc import Mapping

Values = dict[str, object]

LINES = ("invoice_line_ids", "line_ids")


@method("account.move", "create", records=False)
async def create_move(env: Environment, vals_list: object) -> object:
    wanted = values_of(vals_list)
    parameters: list[object] = []
    for values in wanted:
        own = {name: value for name, value in values.items() if name not in LINES}
        parameters += [
            as_json(plain(env, own, "")),
            as_json(lines_of(env, "account.move.line", values.get("invoice_line_ids"))),
            as_json(lines_of(env, "account.move.line", values.get("line_ids"))),
            env.dialect,
            env.uid,
        ]
    calls = ", ".join(["shop_move_create(%s::jsonb, %s::jsonb, %s::jsonb, %s, %s)"] * len(wanted))
    row = await env.session.row(f"SELECT {calls}", parameters)
    made = list(row or ())
    return in_kind(vals_list, made)


@method("account.move")
async def action_post(env: Environment, ids: object) -> object:
    moves = as_ids(ids)
    await env.session.rows(
        "SELECT shop_move_post(%s::int4[], %s, %s)", [moves, env.dialect, env.uid]
    )
    if env.dialect < 15:
        return f"account.move({', '.join(str(move) for move in moves)}{',' * (len(moves) == 1)})"
    return False


@method("account.move", "write", atomic=True)
async def write_move(env: Environment, ids: object, vals: Mapping[str, object]) -> bool:
    if {"line_ids", "invoice_line_ids", "move_type"} & vals.keys():
        posted = await env.session.value(
            "SELECT count(*) FROM account_move WHERE id = ANY(%s) AND state = 'posted'",
            [as_ids(ids)],
        )
        if posted:
            raise UserError("You cannot modify a posted entry of this journal.")
    await writing.write_many(env.session, env.registry, env.model, as_ids(ids), vals, env.uid)
    return True


@method("account.move", "unlink", atomic=True)
async def unlink_move(env: Environment, ids: object) -> bool:
    posted = await env.session.value(
        "SELECT count(*) FROM account_move WHERE id = ANY(%s) AND state = 'posted'", [as_ids(ids)]
    )
    if posted:
        raise UserError("You can't delete a posted journal item.")
    await writing.unlink_many(env.session, env.model, as_ids(ids), env.uid)
    return True


@method("account.payment.register", "create", atomic=True, records=False)
async def create_payment_wizard(env: Environment, vals_list: object) -> object:
    return await _wizard(env, vals_list)


@method("sale.advance.payment.inv", "create", atomic=True, records=False)
async def create_invoice_wizard(env: Environment, vals_list: object) -> object:
    return await _wizard(env, vals_list)


async def _wizard(env: Environment, vals_list: object) -> object:
    """A wizard remembers the records that it was opened on."""
    values = values_of(vals_list)[0]
    known = {name: value for name, value in values.items() if name in env.model.fields}
    active = as_json(as_ids(env.context.get("active_ids")))
    record = await writing.create_one(
        env.session, env.registry, env.model, {**known, "active_ids": active}, env.uid
    )
    return in_kind(vals_list, [record])


@method("account.payment.register", atomic=True)
async def action_create_payments(env: Environment, ids: object) -> Values:
    payment = await env.session.value(
        "SELECT shop_move_pay(ARRAY(SELECT jsonb_array_elements_text(active_ids::jsonb)::int4"
        " FROM account_payment_register WHERE id = ANY(%s)), %s)",
        [as_ids(ids), env.uid],
    )
    return {
        "name": "Payments",
        "type": "ir.actions.act_window",
        "res_model": "account.payment",
        "context": {"create": False},
        "view_mode": "form",
        "res_id": payment,
    }


@method("sale.advance.payment.inv", atomic=True)
async def create_invoices(env: Environment, ids: object) -> Values:
    rows = await env.session.rows(
        "SELECT shop_order_invoice(x::int4, %s, %s) FROM sale_advance_payment_inv w,"
        " jsonb_array_elements_text(w.active_ids::jsonb) AS u (x) WHERE w.id = ANY(%s)",
        [env.dialect, env.uid, as_ids(ids)],
    )
    made = [row[0] for row in rows if row[0] is not None]
    if not made:
        raise UserError("There is nothing to invoice!")
    return await _invoice_action(env, int(str(made[0])))


@cache
def _actions() -> dict[str, Values]:
    """The window action that shows an invoice, with all the fields that a client may read."""
    path = Path(__file__).with_name("invoice_action.json")
    loaded: dict[str, Values] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


async def _invoice_action(env: Environment, move: int) -> Values:
    row = await env.session.row(
        "SELECT partner_id, invoice_origin FROM account_move WHERE id = %s", [move]
    )
    assert row is not None
    action = _actions()["18" if env.dialect < 19 else "19"]
    context = action["context"]
    assert isinstance(context, dict)
    live = {"default_partner_id": row[0], "default_partner_shipping_id": row[0]}
    if "default_invoice_origin" in context:
        live["default_invoice_origin"] = row[1]
    return {**action, "res_id": move, "context": {**context, **live}}
