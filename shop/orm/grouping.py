"""read_group and formatted_read_group: aggregates that PostgreSQL really computes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shop.errors import BadValue
from shop.orm.domain import column, compile_domain
from shop.orm.reading import on_wire, paging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shop.database.session import Row, Session
    from shop.orm.fields import Field, Model, Registry

Record = dict[str, object]

FUNCTIONS = ("sum", "avg", "min", "max", "count", "count_distinct")
STEPS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
TITLES = {"day": "%d %b %Y", "week": "W%V %G", "month": "%B %Y", "year": "%Y"}


@dataclass(frozen=True, slots=True)
class Key:
    """One term of GROUP BY: `field` or `field:month`."""

    text: str
    name: str
    step: str
    spec: Field
    sql: str


@dataclass(frozen=True, slots=True)
class Aggregate:
    text: str  # as asked for: balance:sum
    name: str  # the field
    sql: str


def parse_keys(model: Model, groupby: Sequence[object]) -> list[Key]:
    keys: list[Key] = []
    for item in groupby:
        name, _, step = str(item).partition(":")
        if name not in model.fields:
            raise BadValue(f"Invalid field {name!r} on model {model.name!r}")
        spec, sql = model.fields[name], column(model, name)
        if spec.type in ("date", "datetime"):
            step = step or "month"
            if step not in STEPS:
                raise BadValue(f"Unknown granularity {step!r}")
            sql = f"date_trunc('{step}', {sql})::date"
        keys.append(Key(str(item), name, step, spec, sql))
    return keys


def parse_aggregates(model: Model, wanted: Sequence[object]) -> list[Aggregate]:
    aggregates: list[Aggregate] = []
    for item in wanted:
        name, _, function = str(item).partition(":")
        if name == "__count":
            continue
        if name not in model.fields:
            raise BadValue(f"Invalid field {name!r} on model {model.name!r}")
        function = function.partition("(")[0] or "sum"
        if function not in FUNCTIONS:
            raise BadValue(f"Invalid aggregate {item!r}")
        source = column(model, name)
        inner = f"DISTINCT {source}" if function == "count_distinct" else source
        sql = f"{function.removesuffix('_distinct')}({inner})"
        aggregates.append(Aggregate(str(item), name, sql))
    return aggregates


async def grouped_rows(
    session: Session,
    registry: Registry,
    model: Model,
    domain: object,
    keys: Sequence[Key],
    aggregates: Sequence[Aggregate],
    tail: str = "",
) -> list[Row]:
    """(key values..., count, aggregates...), a many2one key as [id, name]."""
    condition = compile_domain(registry, model, domain)
    inner = [f"{key.sql} AS k{n}" for n, key in enumerate(keys)]
    inner.append("count(*) AS n")
    inner += [f"{aggregate.sql} AS a{n}" for n, aggregate in enumerate(aggregates)]
    group = f"GROUP BY {', '.join(str(n + 1) for n in range(len(keys)))}" if keys else ""
    outer = [_shown(registry, key, f"g.k{n}") for n, key in enumerate(keys)]
    outer.append("g.n")
    outer += [f"g.a{n}" for n in range(len(aggregates))]
    ranks = [_rank(registry, key, f"g.k{n}") for n, key in enumerate(keys)]
    order = f"ORDER BY {', '.join(f'{rank} NULLS LAST' for rank in ranks)}" if keys else ""
    return await session.rows(
        f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM {model.table} t"
        f" WHERE {condition.sql} {group}) g {order} {tail}",
        condition.parameters,
    )


def _shown(registry: Registry, key: Key, source: str) -> str:
    if key.spec.type != "many2one":
        return source
    target = registry.models[key.spec.relation]
    return (
        f"(SELECT json_build_array(r.id, {target.rec_name.format(t='r')})"
        f" FROM {target.table} r WHERE r.id = {source})"
    )


def _rank(registry: Registry, key: Key, source: str) -> str:
    """Groups stand in the order of the records that they are named after."""
    if key.spec.type != "many2one":
        return source
    target = registry.models[key.spec.relation]
    terms = ", ".join(column(target, term.split()[0], "r") for term in target.order.split(","))
    return f"(SELECT ROW({terms}) FROM {target.table} r WHERE r.id = {source})"


def _span(key: Key, value: dt.date) -> tuple[str, str]:
    """The first day of a period and the first day after it."""
    after = value + dt.timedelta(days=STEPS[key.step])
    if key.step in ("month", "quarter"):
        after = after.replace(day=1)
    elif key.step == "year":
        after = after.replace(month=1, day=1)
    return value.isoformat(), after.isoformat()


def key_domain(key: Key, value: object) -> list[object]:
    """The domain that picks exactly this group's records."""
    if isinstance(value, dt.date):
        first, after = _span(key, value)
        return [[key.name, ">=", first], [key.name, "<", after]]
    bare = value[0] if isinstance(value, list) else value
    return [[key.name, "=", False if bare is None else bare]]


def title(key: Key, value: object) -> object:
    if not isinstance(value, dt.date):
        return on_wire(key.spec, value)
    if key.step == "quarter":
        return f"Q{(value.month + 2) // 3} {value.year}"
    return value.strftime(TITLES[key.step])


def conjunction(*parts: Sequence[object]) -> list[object]:
    """Leaves and domains, joined by written-out '&' as Odoo joins them."""
    leaves = [leaf for part in parts for leaf in part]
    operators = sum(1 for leaf in leaves if leaf in ("|", "&"))
    return ["&"] * (len(leaves) - operators - 1 - operators) + leaves if leaves else []


def nested(*parts: Sequence[object]) -> list[object]:
    """17 and 18: every part keeps its own '&', and as many again stand before them."""
    given = [part for part in parts if part]
    joined = [item for part in given for item in conjunction(part)]
    return ["&"] * (len(given) - 1) + joined if given else []


async def read_group(
    session: Session,
    registry: Registry,
    model: Model,
    domain: Sequence[object],
    fields: Sequence[object],
    groupby: Sequence[object],
    *,
    offset: object = 0,
    limit: object = None,
    lazy: bool = True,
) -> list[Record]:
    """Odoo's older report call; lazy means: only the first key, the rest in __context."""
    keys = parse_keys(model, groupby[:1] if lazy else groupby)
    later = list(groupby[1:]) if lazy else []
    aggregates = parse_aggregates(
        model, [f for f in fields if str(f).partition(":")[0] not in groupby]
    )
    rows = await grouped_rows(
        session, registry, model, domain, keys, aggregates, paging(limit, offset)
    )
    counted = f"{keys[0].name}_count" if lazy and keys else "__count"
    return [_group(registry, domain, keys, aggregates, row, counted, later) for row in rows]


def _group(
    registry: Registry,
    domain: Sequence[object],
    keys: Sequence[Key],
    aggregates: Sequence[Aggregate],
    row: Row,
    counted: str,
    later: list[object],
) -> Record:
    values, total, sums = row[: len(keys)], row[len(keys)], row[len(keys) + 1 :]
    record: Record = {key.text: title(key, value) for key, value in zip(keys, values, strict=True)}
    record[counted] = total
    old = registry.dialect < 17
    for aggregate, value in zip(aggregates, sums, strict=True):
        empty = None if old else False
        record[aggregate.name] = empty if value is None else float(str(value))
    if old and not keys:
        return {"id": None, **record}
    own = [leaf for key, value in zip(keys, values, strict=True) for leaf in key_domain(key, value)]
    if old:
        record["__domain"] = conjunction(own, domain)
    elif registry.dialect < 19:
        record["__domain"] = nested(
            domain, *(key_domain(key, value) for key, value in zip(keys, values, strict=True))
        )
    else:
        record["__domain"] = conjunction(domain, own)
    dated = [(key, value) for key, value in zip(keys, values, strict=True) if key.step]
    if dated and not old:
        record["__range"] = {
            key.text: dict(zip(("from", "to"), _span(key, value), strict=True))
            if isinstance(value, dt.date)
            else False
            for key, value in dated
        }
    if later:
        record["__context"] = {"group_by": later}
    return record


async def formatted_read_group(
    session: Session,
    registry: Registry,
    model: Model,
    domain: Sequence[object],
    groupby: Sequence[object],
    aggregates: Sequence[object],
    *,
    offset: object = 0,
    limit: object = None,
) -> list[Record]:
    """19's report call: aggregates under the names they were asked by."""
    keys = parse_keys(model, groupby)
    parsed = parse_aggregates(model, aggregates)
    rows = await grouped_rows(session, registry, model, domain, keys, parsed, paging(limit, offset))
    records: list[Record] = []
    for row in rows:
        values, total = row[: len(keys)], row[len(keys)]
        sums = dict(zip((a.text for a in parsed), row[len(keys) + 1 :], strict=True))
        record: Record = {}
        for key, value in zip(keys, values, strict=True):
            shown = title(key, value)
            dated = isinstance(value, dt.date)
            record[key.text] = [str(value), shown] if dated else shown
        record["__extra_domain"] = conjunction(
            [
                leaf
                for key, value in zip(keys, values, strict=True)
                for leaf in key_domain(key, value)
            ]
        )
        for item in aggregates:
            value = total if item == "__count" else sums[str(item)]
            plain = value is None or isinstance(value, int)
            record[str(item)] = (False if value is None else value) if plain else float(str(value))
        records.append(record)
    return records
