"""What every model can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shop.business.methods import ANY_MODEL, Environment, as_ids, in_kind, method, values_of
from shop.errors import AccessError, UserError
from shop.orm import grouping, reading, writing
from shop.orm.domain import compile_domain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Values = dict[str, object]


@method(ANY_MODEL, writes=False)
async def read(
    env: Environment,
    ids: object,
    fields: Sequence[str] | None = None,
    load: object = "_classic_read",
) -> list[Values]:
    wanted = as_ids(ids)
    records = await reading.select(
        env.session, env.registry, env.model, fields,
        where="t.id = ANY(%s)", parameters=[wanted], bare=not load,
    )  # fmt: skip
    by_id = {record["id"]: record for record in records}
    return [by_id[record] for record in wanted if record in by_id]


@method(ANY_MODEL, writes=False, records=False)
async def search(
    env: Environment, domain: object, offset: object = 0, limit: object = None, order: object = None
) -> list[int]:
    domain = reading.with_active(env.model, domain, dict(env.context))
    return await reading.search(
        env.session, env.registry, env.model, domain, offset=offset, limit=limit, order=order
    )


@method(ANY_MODEL, writes=False, records=False)
async def search_count(env: Environment, domain: object, limit: object = None) -> int:
    domain = reading.with_active(env.model, domain, dict(env.context))
    found = await reading.count(env.session, env.registry, env.model, domain)
    return min(found, int(str(limit))) if limit else found


@method(ANY_MODEL, writes=False, records=False)
async def search_read(
    env: Environment,
    domain: object = None,
    fields: Sequence[str] | None = None,
    offset: object = 0,
    limit: object = None,
    order: object = None,
    load: object = "_classic_read",
) -> list[Values]:
    domain = reading.with_active(env.model, domain, dict(env.context))
    condition = compile_domain(env.registry, env.model, domain)
    tail = f"{reading.ordering(env.model, order)}{reading.paging(limit, offset)}"
    return await reading.select(
        env.session, env.registry, env.model, fields,
        where=condition.sql, parameters=condition.parameters, tail=tail, bare=not load,
    )  # fmt: skip


@method(ANY_MODEL, writes=False, records=False)
async def name_search(
    env: Environment, name: str = "", args: object = None, operator: str = "ilike",
    limit: object = 100, domain: object = None,
) -> list[list[object]]:  # fmt: skip
    condition = compile_domain(env.registry, env.model, args or domain or [])
    shown = env.model.rec_name.format(t="t")
    rows = await env.session.rows(
        f"SELECT t.id, {shown} FROM {env.model.table} t WHERE {condition.sql}"
        f" AND {shown} ILIKE %s {reading.ordering(env.model, None)}{reading.paging(limit, 0)}",
        [*condition.parameters, f"%{name}%"],
    )
    return [[row[0], row[1]] for row in rows]


@method(ANY_MODEL, writes=False, records=False)
async def fields_get(
    env: Environment, allfields: Sequence[str] | None = None, attributes: object = None
) -> Values:
    return reading.describe(env.model, allfields, attributes)


@method(ANY_MODEL, writes=False, records=False)
async def default_get(env: Environment, fields: Sequence[str]) -> Values:
    return {
        name: env.model.fields[name].default.strip("'")
        for name in fields
        if name in env.model.fields and env.model.fields[name].default.startswith("'")
    }


@method(ANY_MODEL, atomic=True, records=False)
async def create(env: Environment, vals_list: object) -> object:
    if env.model.closed:
        raise AccessError(
            f"You are not allowed to create '{env.model.description}' ({env.model.name}) records."
        )
    made = [
        await writing.create_one(env.session, env.registry, env.model, values, env.uid)
        for values in values_of(vals_list)
    ]
    return in_kind(vals_list, made)


@method(ANY_MODEL, atomic=True)
async def write(env: Environment, ids: object, vals: Mapping[str, object]) -> bool:
    await writing.write_many(env.session, env.registry, env.model, as_ids(ids), vals, env.uid)
    return True


@method("product.category", "write", atomic=True)
async def write_category(env: Environment, ids: object, vals: Mapping[str, object]) -> bool:
    if vals.get("parent_id") in as_ids(ids):
        raise UserError("Recursion Detected.")
    return bool(await write(env, ids, vals))


@method(ANY_MODEL, atomic=True)
async def unlink(env: Environment, ids: object) -> bool:
    await writing.unlink_many(env.session, env.model, as_ids(ids), env.uid)
    return True


@method(ANY_MODEL, writes=False, records=False)
async def read_group(
    env: Environment, domain: Sequence[object], fields: Sequence[object], groupby: object,
    offset: object = 0, limit: object = None, orderby: object = False, lazy: bool = True,
) -> list[Values]:  # fmt: skip
    keys = [groupby] if isinstance(groupby, str) else groupby
    assert isinstance(keys, list)
    return await grouping.read_group(
        env.session, env.registry, env.model, domain, fields, keys,
        offset=offset, limit=limit, lazy=lazy,
    )  # fmt: skip


@method(ANY_MODEL, writes=False, records=False, since=19)
async def formatted_read_group(
    env: Environment, domain: Sequence[object], groupby: Sequence[object] = (),
    aggregates: Sequence[object] = (), having: object = (), offset: object = 0,
    limit: object = None, order: object = None,
) -> list[Values]:  # fmt: skip
    return await grouping.formatted_read_group(
        env.session, env.registry, env.model, domain, groupby, aggregates,
        offset=offset, limit=limit,
    )  # fmt: skip
