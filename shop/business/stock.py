"""Reservation, fulfilment, inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shop.business.methods import Environment, as_ids, in_kind, method, values_of
from shop.errors import missing
from shop.orm import writing

if TYPE_CHECKING:
    from collections.abc import Mapping

Values = dict[str, object]

BACKORDER = ("Create Backorder?", "stock.backorder.confirmation", 960)
IMMEDIATE = ("Immediate Transfer?", "stock.immediate.transfer", 801)


async def _each(env: Environment, function: str, ids: object, *more: object) -> None:
    """One statement for all records, in the order of their ids."""
    places = ", ".join(["x", *(["%s"] * len(more)), "%s"])
    await env.session.rows(
        f"SELECT {function}({places}) FROM unnest(%s::int4[]) AS u (x)",
        [*more, env.uid, sorted(as_ids(ids))],
    )


@method("stock.picking")
async def action_assign(env: Environment, ids: object) -> bool:
    await _each(env, "shop_picking_assign", ids)
    return True


@method("stock.picking")
async def do_unreserve(env: Environment, ids: object) -> None:
    await _each(env, "shop_picking_unreserve", ids, "confirmed")


@method("stock.picking", "action_cancel")
async def cancel_picking(env: Environment, ids: object) -> bool:
    await _each(env, "shop_picking_cancel", ids)
    return True


@method("stock.picking")
async def button_validate(env: Environment, ids: object) -> object:
    pickings = as_ids(ids)
    if env.context.get("skip_backorder"):
        await _done(env, pickings, as_ids(env.context.get("picking_ids_not_to_backorder")))
        return True
    question = await env.session.value(
        "SELECT shop_picking_validate(%s::int4[], %s, %s)", [pickings, env.dialect, env.uid]
    )
    if question == "backorder":
        return _wizard(env, pickings, *BACKORDER)
    if question == "immediate":
        return _wizard(env, pickings, *IMMEDIATE)
    return True


async def _done(env: Environment, pickings: list[int], without_backorder: list[int]) -> None:
    await env.session.rows(
        "SELECT shop_picking_done(x, x <> ALL (%s::int4[]), %s, %s)"
        " FROM unnest(%s::int4[]) AS u (x)",
        [without_backorder, env.dialect, env.uid, pickings],
    )


def _wizard(env: Environment, pickings: list[int], title: str, model: str, view: int) -> Values:
    """The window action with which a client asks its user."""
    return {
        "name": title,
        "type": "ir.actions.act_window",
        "view_mode": "form",
        "res_model": model,
        "views": [[view, "form"]],
        "view_id": view,
        "target": "new",
        "context": {
            **env.context,
            "button_validate_picking_ids": pickings,
            "default_show_transfers": False,
            "default_pick_ids": [[4, picking] for picking in pickings],
        },
    }


async def _process(env: Environment, *, backorder: bool) -> bool:
    pickings = as_ids(env.context.get("button_validate_picking_ids"))
    await _done(env, pickings, [] if backorder else pickings)
    return True


@method("stock.backorder.confirmation", atomic=True)
async def process(env: Environment, ids: object) -> bool:
    return await _process(env, backorder=True)


@method("stock.backorder.confirmation", atomic=True)
async def process_cancel_backorder(env: Environment, ids: object) -> bool:
    return await _process(env, backorder=False)


@method("stock.immediate.transfer", "process", atomic=True, until=16)
async def process_immediate(env: Environment, ids: object) -> bool:
    return await _process(env, backorder=False)


@method("stock.move", "write", atomic=True)
async def write_move(env: Environment, ids: object, vals: Mapping[str, object]) -> bool:
    """Counting and picking go through the reservation; the rest is an ordinary write."""
    writing.check_names(env.registry, env.model, vals, "write")
    counted = {"quantity", "picked", "quantity_done"} & vals.keys()
    if counted:
        done = vals.get("quantity_done")
        picked = vals.get("picked", bool(done) if done is not None else None)
        await _set_moves(env, as_ids(ids), vals.get("quantity", done), picked)
    rest = {name: value for name, value in vals.items() if name not in counted}
    if rest:
        await writing.write_many(env.session, env.registry, env.model, as_ids(ids), rest, env.uid)
    return True


@method("stock.move.line", "write", atomic=True)
async def write_move_line(env: Environment, ids: object, vals: Mapping[str, object]) -> bool:
    """A line stands for its move here: every move has one line."""
    writing.check_names(env.registry, env.model, vals, "write")
    counted = {"quantity", "picked", "qty_done"} & vals.keys()
    if counted:
        rows = await env.session.rows(
            "SELECT move_id FROM stock_move_line WHERE id = ANY(%s)", [as_ids(ids)]
        )
        if not rows:
            raise missing(env.model.name, as_ids(ids)[0], env.uid)
        done = vals.get("qty_done")
        picked = vals.get("picked", bool(done) if done is not None else None)
        moves = [int(str(row[0])) for row in rows]
        await _set_moves(env, moves, vals.get("quantity", done), picked)
    rest = {name: value for name, value in vals.items() if name not in counted}
    if rest:
        await writing.write_many(env.session, env.registry, env.model, as_ids(ids), rest, env.uid)
    return True


async def _set_moves(env: Environment, moves: list[int], quantity: object, picked: object) -> None:
    found = await env.session.value("SELECT count(*) FROM stock_move WHERE id = ANY(%s)", [moves])
    if found != len(set(moves)):
        raise missing("stock.move", moves[0], env.uid)
    await env.session.rows(
        "SELECT shop_move_set(%s::int4[], %s::numeric, %s::bool, %s)",
        [moves, quantity, None if picked is None else bool(picked), env.uid],
    )


@method("stock.quant", "create", atomic=True, records=False)
async def create_quant(env: Environment, vals_list: object) -> object:
    """In inventory mode a quant is a count: the one row of its product and place."""
    wanted = values_of(vals_list)
    made: list[object] = []
    for values in wanted:
        writing.check_names(env.registry, env.model, values, "create")
        made.append(
            await env.session.value(
                "INSERT INTO stock_quant (product_id, location_id, quantity, inventory_quantity,"
                " inventory_quantity_set, create_uid, write_uid)"
                " VALUES (%s::int4, %s::int4, %s::numeric, %s::numeric, %s, %s, %s)"
                " ON CONFLICT (product_id, location_id) DO UPDATE SET"
                " inventory_quantity = excluded.inventory_quantity,"
                " inventory_quantity_set = excluded.inventory_quantity_set RETURNING id",
                [
                    values.get("product_id"),
                    values.get("location_id", 1),
                    values.get("quantity", 0),
                    values.get("inventory_quantity", 0),
                    "inventory_quantity" in values,
                    env.uid,
                    env.uid,
                ],
            )
        )
    return in_kind(vals_list, made)


@method("stock.quant")
async def action_apply_inventory(env: Environment, ids: object) -> None:
    """What was counted is what there is, but never less than what is promised."""
    await env.session.rows(
        "UPDATE stock_quant SET quantity = greatest(inventory_quantity, reserved_quantity),"
        " inventory_quantity = 0, inventory_quantity_set = false,"
        " write_date = now() at time zone 'UTC'"
        " WHERE id = ANY(%s) AND inventory_quantity_set",
        [as_ids(ids)],
    )
