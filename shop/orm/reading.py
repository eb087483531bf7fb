"""read, search and their kin: one statement each, answers shaped like Odoo's."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from shop.errors import BadValue
from shop.orm.domain import column, compile_domain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shop.database.session import Session
    from shop.orm.fields import Field, Model, Registry

Record = dict[str, object]

NUMBERS = ("float", "monetary")


def selected(registry: Registry, model: Model, name: str, *, bare: bool = False) -> str:
    """A field in a SELECT list, already in the form of the wire where SQL can do it."""
    spec = model.fields[name]
    source = column(model, name)
    if spec.type in NUMBERS:
        return f"{source}::float8"
    if spec.type == "datetime":
        return f"to_char({source}, 'YYYY-MM-DD HH24:MI:SS')"
    if spec.type == "date":
        return f"to_char({source}, 'YYYY-MM-DD')"
    if spec.type == "many2one" and not bare:
        target = registry.models[spec.relation]
        return (
            f"(SELECT json_build_array(r.id, {target.rec_name.format(t='r')})"
            f" FROM {target.table} r WHERE r.id = {source})"
        )
    return source


def on_wire(spec: Field, value: object) -> object:
    """NULL is false, but 0 for numbers and [] for lists."""
    if value is None:
        if spec.type in ("one2many", "many2many"):
            return []
        if spec.type in NUMBERS:
            return 0.0
        return 0 if spec.type == "integer" else False
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value) if isinstance(value, dt.date) else value


def checked_fields(registry: Registry, model: Model, names: Sequence[object] | None) -> list[str]:
    """The fields asked for, or all of them; an unknown one is an error."""
    if not names:
        return [name for name in model.fields if name != "id"]
    for name in names:
        if name not in model.fields:
            where = "on" if registry.dialect >= 18 else "on model"
            raise BadValue(f"Invalid field {name!r} {where} {model.name!r}")
    return [str(name) for name in names if name != "id"]


async def select(
    session: Session,
    registry: Registry,
    model: Model,
    fields: Sequence[object] | None,
    *,
    where: str,
    parameters: Sequence[object],
    tail: str = "",
    bare: bool = False,
) -> list[Record]:
    """Records as dictionaries, `id` first and the rest in the order asked for."""
    names = checked_fields(registry, model, fields)
    columns = ", ".join(["t.id", *(selected(registry, model, n, bare=bare) for n in names)])
    rows = await session.rows(
        f"SELECT {columns} FROM {model.table} t WHERE {where} {tail}", parameters
    )
    specs = [model.fields[name] for name in names]
    return [
        {
            "id": row[0],
            **{n: on_wire(s, v) for n, s, v in zip(names, specs, row[1:], strict=True)},
        }
        for row in rows
    ]


def ordering(model: Model, order: object) -> str:
    """ORDER BY from Odoo's `order`, with only the model's own fields in it."""
    text = str(order or model.order)
    terms: list[str] = []
    for term in text.split(","):
        words = term.split()
        direction = words[1].upper() if len(words) > 1 else "ASC"
        if not words or words[0] not in model.fields or direction not in ("ASC", "DESC"):
            raise BadValue(f"Invalid order: {text!r}")
        terms.append(f"{column(model, words[0])} {direction}")
    return "ORDER BY " + ", ".join(terms)


def paging(limit: object, offset: object) -> str:
    tail = f" LIMIT {int(str(limit))}" if limit else ""
    return tail + (f" OFFSET {int(str(offset))}" if offset else "")


def with_active(model: Model, domain: object, context: dict[str, object]) -> object:
    """Archived records stay hidden unless the domain or the context asks for them."""
    if "active" not in model.fields or context.get("active_test") is False:
        return domain
    leaves = domain if isinstance(domain, (list, tuple)) else []
    if any(isinstance(leaf, (list, tuple)) and leaf and leaf[0] == "active" for leaf in leaves):
        return domain
    return [*leaves, ["active", "=", True]]


async def search(
    session: Session,
    registry: Registry,
    model: Model,
    domain: object,
    *,
    offset: object = 0,
    limit: object = None,
    order: object = None,
) -> list[int]:
    condition = compile_domain(registry, model, domain)
    rows = await session.rows(
        f"SELECT t.id FROM {model.table} t WHERE {condition.sql}"
        f" {ordering(model, order)}{paging(limit, offset)}",
        condition.parameters,
    )
    return [int(str(row[0])) for row in rows]


async def count(session: Session, registry: Registry, model: Model, domain: object) -> int:
    condition = compile_domain(registry, model, domain)
    value = await session.value(
        f"SELECT count(*) FROM {model.table} t WHERE {condition.sql}", condition.parameters
    )
    return int(str(value))


def describe(model: Model, names: Sequence[object] | None, attributes: object) -> Record:
    """fields_get: what a field is, in Odoo's words."""
    wanted = set(attributes) if isinstance(attributes, (list, tuple)) else None
    answer: Record = {}
    for name, spec in model.fields.items():
        if names and name not in names:
            continue
        facts: Record = {
            "type": spec.type,
            "string": spec.string,
            "required": spec.required,
            "readonly": bool(spec.sql),
            "store": spec.stored,
            "name": name,
        }
        if spec.relation:
            facts["relation"] = spec.relation
        if spec.selection:
            facts["selection"] = [list(pair) for pair in spec.selection]
        if spec.inverse:
            facts["relation_field"] = spec.inverse
        answer[name] = {k: v for k, v in facts.items() if wanted is None or k in wanted}
    return answer
