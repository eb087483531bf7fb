"""Point of sale: what a till sends, and what it gets back."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shop.business.methods import Environment, method
from shop.business.orders import as_json
from shop.orm import reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Values = dict[str, object]

ANSWER_FILE = Path(__file__).with_name("pos_answer.json")
KEPT = (
    "uuid", "name", "session_id", "user_id", "partner_id", "date_order", "state",
    "sequence_number", "amount_tax", "amount_total", "amount_paid", "amount_return",
    "access_token", "pos_reference",
)  # fmt: skip
LINE = (
    "uuid", "product_id", "qty", "price_unit", "discount", "price_subtotal",
    "price_subtotal_incl", "full_product_name",
)  # fmt: skip
PAYMENT = ("uuid", "name", "amount", "payment_method_id")
RELATED = {"pos.payment": "pos_order_id", "pos.order.line": "order_id"}


@cache
def _templates() -> dict[str, Values]:
    """The fields of an answer, per dialect: a till expects every one of them."""
    loaded: dict[str, Values] = json.loads(ANSWER_FILE.read_text(encoding="utf-8"))
    return loaded


def _only(values: Mapping[str, object], names: Sequence[str]) -> Values:
    return {n: None if values[n] is False else values[n] for n in names if n in values}


def _commands(values: object) -> list[Mapping[str, object]]:
    return [command[2] for command in values or [] if command[0] == 0]  # type: ignore[attr-defined]


def sent_now(order: Mapping[str, object]) -> Values:
    """An order in the form of 18 and 19."""
    return {
        **_only(order, KEPT),
        "lines": [_only(line, LINE) for line in _commands(order.get("lines"))],
        "payments": [_only(line, PAYMENT) for line in _commands(order.get("payment_ids"))],
    }


def sent_then(envelope: Mapping[str, object]) -> Values:
    """An order in the form of 14 to 17, whose key is `uid` in `data`."""
    data = envelope["data"]
    assert isinstance(data, dict)
    return {
        **_only(data, KEPT),
        "uuid": data.get("uid") or envelope.get("id"),
        "session_id": data.get("pos_session_id"),
        "date_order": data.get("creation_date"),
        "pos_reference": data.get("name"),
        "lines": [_only(line, LINE) for line in _commands(data.get("lines"))],
        "payments": [_only(line, PAYMENT) for line in _commands(data.get("statement_ids"))],
    }


async def _sync(env: Environment, orders: list[Values]) -> list[tuple[int, bool]]:
    """One statement: all the orders or none, and none of them twice."""
    rows = await env.session.rows(
        "SELECT order_, fresh FROM shop_pos_sync(%s::jsonb, %s, %s)",
        [as_json(orders), env.dialect, env.uid],
    )
    return [(int(str(order)), bool(fresh)) for order, fresh in rows]


@method("pos.order", records=False, since=18)
async def sync_from_ui(env: Environment, orders: Sequence[Mapping[str, object]]) -> Values:
    synced = await _sync(env, [sent_now(order) for order in orders])
    told = [order for order, fresh in synced if fresh or env.dialect >= 19]
    template = _templates()[str(env.dialect)]
    keys = template["keys"]
    assert isinstance(keys, list)
    answer: Values = {key: [] for key in keys}
    if told:
        answer["pos.order"] = await _told(env, "pos.order", "id", told)
        for model, link in RELATED.items():
            answer[model] = await _told(env, model, link, told)
    return answer


@method("pos.order", records=False, until=17)
async def create_from_ui(
    env: Environment, orders: Sequence[Mapping[str, object]], draft: object = False
) -> list[Values]:
    wanted = [sent_then(order) for order in orders]
    synced = await _sync(env, wanted)
    return [
        {"id": order, "pos_reference": sent["pos_reference"]}
        for (order, fresh), sent in zip(synced, wanted, strict=True)
        if fresh
    ]


async def _told(env: Environment, name: str, link: str, orders: list[int]) -> list[Values]:
    """What the till learns of its orders: what is kept here, laid over the full answer."""
    model = env.registry.models[name]
    template = _templates()[str(env.dialect)][name]
    assert isinstance(template, dict)
    live = [field for field in template if field in model.fields]
    records = await reading.select(
        env.session, env.registry, model, live,
        where=f't."{link}" = ANY(%s)', parameters=[orders], tail="ORDER BY t.id", bare=True,
    )  # fmt: skip
    return [{**template, **record} for record in records]
