"""Quotations and sales orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from shop.business.methods import Environment, as_ids, in_kind, method, values_of
from shop.errors import BadValue, UserError
from shop.orm import writing

if TYPE_CHECKING:
    from collections.abc import Mapping

Values = dict[str, object]


def as_json(value: object) -> str:
    return orjson.dumps(value).decode()


def lines_of(env: Environment, relation: str, commands: object) -> list[Values]:
    """The values of (0, 0, values) commands, their names checked."""
    child = env.registry.models[relation]
    lines: list[Values] = []
    for command in commands if isinstance(commands, (list, tuple)) else []:
        if command[0] != writing.CREATE:
            raise BadValue(f"Wrong value for {env.model.name}: {command!r}")
        writing.check_names(env.registry, child, command[2], "create")
        lines.append({k: None if v is False else v for k, v in command[2].items()})
    return lines


def plain(env: Environment, values: Mapping[str, object], lines_field: str) -> Values:
    """The record's own values, checked, with false as null."""
    writing.check_names(env.registry, env.model, values, "create")
    return {
        name: writing.to_column(env.model, name, env.model.fields[name], value)
        for name, value in values.items()
        if name != lines_field
    }


@method("sale.order", "create", records=False)
async def create_order(env: Environment, vals_list: object) -> object:
    wanted = values_of(vals_list)
    arguments: list[object] = []
    for values in wanted:
        lines = lines_of(env, "sale.order.line", values.get("order_line"))
        arguments += [as_json(plain(env, values, "order_line")), as_json(lines)]
    calls = ", ".join(["shop_order_create(%s::jsonb, %s::jsonb, %s)"] * len(wanted))
    parameters = [
        item
        for n in range(len(wanted))
        for item in (arguments[2 * n], arguments[2 * n + 1], env.uid)
    ]
    row = await env.session.row(f"SELECT {calls}", parameters)
    made = list(row or ())
    return in_kind(vals_list, made)


@method("sale.order")
async def action_confirm(env: Environment, ids: object) -> bool:
    await env.session.rows(
        "SELECT shop_order_confirm(%s::int4[], %s, %s)", [as_ids(ids), env.dialect, env.uid]
    )
    return True


@method("sale.order")
async def action_cancel(env: Environment, ids: object) -> bool:
    await env.session.rows("SELECT shop_order_cancel(%s::int4[], %s)", [as_ids(ids), env.uid])
    return True


@method("sale.order", "write", atomic=True)
async def write_order(env: Environment, ids: object, vals: Mapping[str, object]) -> bool:
    await writing.write_many(env.session, env.registry, env.model, as_ids(ids), vals, env.uid)
    if "order_line" in vals:
        for order in as_ids(ids):
            await _settle(env, order)
    return True


@method("sale.order", "unlink", atomic=True)
async def unlink_order(env: Environment, ids: object) -> bool:
    kept = await env.session.value(
        "SELECT count(*) FROM sale_order WHERE id = ANY(%s) AND state NOT IN ('draft', 'cancel')",
        [as_ids(ids)],
    )
    if kept:
        raise UserError(
            "You can not delete a sent quotation or a confirmed sales order."
            " You must first cancel it."
        )
    await writing.unlink_many(env.session, env.model, as_ids(ids), env.uid)
    return True


@method("sale.order.line", "create", atomic=True, records=False)
async def create_line(env: Environment, vals_list: object) -> object:
    wanted = values_of(vals_list)
    made: list[int] = []
    for values in wanted:
        writing.check_names(env.registry, env.model, values, "create")
        order = await env.session.value("SELECT %s::int4", [values.get("order_id") or None])
        await env.session.value("SELECT %s::int4", [values.get("product_id") or None])
        if order is None:
            raise writing.required_error(env.model, "order_id", env.model.fields["order_id"])
        await env.session.rows(
            "SELECT shop_order_lines(%s::int4, %s::jsonb, %s)",
            [order, as_json([values]), env.uid],
        )
        await _settle(env, int(str(order)))
        newest = await env.session.value(
            "SELECT max(id) FROM sale_order_line WHERE order_id = %s", [order]
        )
        made.append(int(str(newest)))
    return in_kind(vals_list, made)


@method("sale.order.line", "write", atomic=True)
async def write_line(env: Environment, ids: object, vals: Mapping[str, object]) -> bool:
    await writing.write_many(env.session, env.registry, env.model, as_ids(ids), vals, env.uid)
    rows = await env.session.rows(
        "SELECT DISTINCT order_id FROM sale_order_line WHERE id = ANY(%s)", [as_ids(ids)]
    )
    for (order,) in rows:
        await _settle(env, int(str(order)))
    return True


async def _settle(env: Environment, order: int) -> None:
    """Lines have changed: their sums and the order's follow."""
    await env.session.rows(
        "UPDATE sale_order_line SET price_subtotal = s.total, price_total = s.total"
        " FROM (SELECT id, round(product_uom_qty * price_unit * (1 - discount / 100), 2) AS total"
        " FROM sale_order_line WHERE order_id = %s) s"
        " WHERE sale_order_line.id = s.id AND price_total IS DISTINCT FROM s.total",
        [order],
    )
    await env.session.rows("SELECT shop_order_total(%s)", [order])
