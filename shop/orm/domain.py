"""Odoo's domains, compiled to SQL: prefix notation, nine families of operators, dotted paths."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shop.errors import BadValue

if TYPE_CHECKING:
    from shop.orm.fields import Field, Model, Registry

COMPARISONS = {"=": "=", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
LIKES = {
    "like": ("LIKE", "%{}%"),
    "ilike": ("ILIKE", "%{}%"),
    "not like": ("NOT LIKE", "%{}%"),
    "not ilike": ("NOT ILIKE", "%{}%"),
    "=like": ("LIKE", "{}"),
    "=ilike": ("ILIKE", "{}"),
}
OPERATORS = {*COMPARISONS, *LIKES, "in", "not in", "child_of", "=?"}
CASTS = {
    "integer": "int4",
    "many2one": "int4",
    "one2many": "int4",
    "many2many": "int4",
    "float": "numeric",
    "monetary": "numeric",
    "date": "date",
    "datetime": "timestamp",
    "boolean": "bool",
}
NEGATIVE = ("!=", "not in", "not like", "not ilike")


@dataclass(slots=True)
class Compiled:
    """A condition over the alias `t`, with its parameters in order."""

    sql: str = "true"
    parameters: list[object] = field(default_factory=list)


def column(model: Model, name: str, alias: str = "t") -> str:
    """The SQL of a field's value."""
    spec = model.fields[name]
    if spec.sql:
        return f"({spec.sql.format(t=alias)})"
    if spec.type in ("one2many", "many2many"):
        child = spec.relation.replace(".", "_")
        link = f"c.{spec.inverse} = {alias}.id"
        return f"ARRAY(SELECT c.id FROM {child} c WHERE {link} ORDER BY c.id)"
    return f'{alias}."{name}"'


def compile_domain(registry: Registry, model: Model, domain: object, alias: str = "t") -> Compiled:
    """The whole domain as one condition; leaves that stand side by side are and-ed."""
    if not domain:
        return Compiled()
    if not isinstance(domain, (list, tuple)):
        raise BadValue(f"Domain is not a list: {domain!r}")
    stack: list[Compiled] = []
    for item in reversed(domain):
        if item in ("&", "|"):
            left, right = stack.pop(), stack.pop()
            word = "AND" if item == "&" else "OR"
            stack.append(
                Compiled(f"({left.sql} {word} {right.sql})", left.parameters + right.parameters)
            )
        elif item == "!":
            inner = stack.pop()
            stack.append(Compiled(f"(NOT coalesce({inner.sql}, false))", inner.parameters))
        else:
            stack.append(_leaf(registry, model, item, alias))
    stack.reverse()
    return Compiled(
        " AND ".join(part.sql for part in stack),
        [parameter for part in stack for parameter in part.parameters],
    )


def _leaf(registry: Registry, model: Model, item: object, alias: str) -> Compiled:
    if not isinstance(item, (list, tuple)) or len(item) != 3 or not isinstance(item[0], (str, int)):
        raise BadValue(f"Invalid leaf {item!r}")
    path, operator, value = item
    if isinstance(path, int):
        return Compiled("true" if (path == value) == (operator == "=") else "false")
    word = "condition" if registry.dialect >= 19 else "leaf"
    shown = f"({path!r}, {operator!r}, {value!r})"
    name, _, rest = path.partition(".")
    if name not in model.fields:
        raise BadValue(f"Invalid field {model.name}.{path} in {word} {shown}")
    if operator not in OPERATORS:
        kind = "operator in condition" if registry.dialect >= 19 else "leaf"
        raise BadValue(f"Invalid {kind} {shown}")
    spec = model.fields[name]
    if rest:
        return _through(registry, spec, column(model, name, alias), (rest, operator, value), alias)
    return _condition(registry, model, name, operator, value, alias)


def _through(
    registry: Registry, spec: Field, source: str, leaf: tuple[str, str, object], alias: str
) -> Compiled:
    """A condition on the records that a relation points to."""
    target = registry.get(spec.relation)
    if target is None:
        raise BadValue(f"Invalid path {leaf[0]!r}")
    inner_alias = f"{alias}x"
    inner = _leaf(registry, target, list(leaf), inner_alias)
    link = (
        f"{inner_alias}.id = {source}"
        if spec.type == "many2one"
        else f"{inner_alias}.id = ANY({source})"
    )
    return Compiled(
        f"EXISTS (SELECT 1 FROM {target.table} {inner_alias} WHERE {link} AND {inner.sql})",
        inner.parameters,
    )


def _condition(
    registry: Registry, model: Model, name: str, operator: str, value: object, alias: str
) -> Compiled:
    spec = model.fields[name]
    source = column(model, name, alias)
    if operator in LIKES:
        like, pattern = LIKES[operator]
        if spec.type == "many2one":
            target = registry.models[spec.relation]
            source = (
                f"(SELECT {target.rec_name.format(t='n')} FROM {target.table} n"
                f" WHERE n.id = {source})"
            )
        sql = f"{source}::text {like} %s"
        if operator in NEGATIVE:
            sql = f"coalesce({sql}, true)"
        return Compiled(f"({sql})", [pattern.format(value)])
    if operator == "=?":
        if value is None or value is False:
            return Compiled()
        operator = "="
    if spec.type in ("one2many", "many2many"):
        return _among(source, operator, value)
    if spec.type == "many2one" and isinstance(value, str):
        return _condition(registry, model, name, "=ilike", value, alias)
    if operator in ("in", "not in", "child_of"):
        return _in(source, spec, operator, value)
    return _compare(source, spec, operator, value)


def _among(source: str, operator: str, value: object) -> Compiled:
    if value is False or value is None:
        empty = "=" if operator in ("=", "in") else "<>"
        return Compiled(f"(cardinality(coalesce({source}, '{{}}')) {empty} 0)")
    wanted = list(value) if isinstance(value, (list, tuple)) else [value]
    sql = f"(coalesce({source}, '{{}}') && %s::int4[])"
    return Compiled(f"(NOT {sql})" if operator in NEGATIVE else sql, [wanted])


def _in(source: str, spec: Field, operator: str, value: object) -> Compiled:
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    present = [item for item in values if item is not False and item is not None]
    cast = CASTS.get(spec.type, "varchar")
    parts: list[str] = []
    if present:
        parts.append(f"coalesce({source} = ANY(%s::{cast}[]), false)")
    if len(present) < len(values):
        parts.append(f"{source} IS NULL")
    sql = " OR ".join(parts) or "false"
    return Compiled(
        f"(NOT ({sql}))" if operator == "not in" else f"({sql})", [present] if present else []
    )


def _compare(source: str, spec: Field, operator: str, value: object) -> Compiled:
    sign = COMPARISONS[operator]
    cast = CASTS.get(spec.type, "varchar")
    if spec.type == "boolean":
        return Compiled(f"(coalesce({source}, false) {sign} %s::bool)", [bool(value)])
    if value is False or value is None:
        return Compiled(f"({source} IS {'NOT ' if operator == '!=' else ''}NULL)")
    if operator == "!=":
        return Compiled(f"({source} IS DISTINCT FROM %s::{cast})", [value])
    return Compiled(f"({source} {sign} %s::{cast})", [value])
