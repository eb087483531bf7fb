"""create, write and unlink for any model, with commands for its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shop.errors import BadValue, MissingError, OdooError, ValidationError, missing
from shop.orm.domain import CASTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shop.database.session import Session
    from shop.orm.fields import Field, Model, Registry

Values = dict[str, object]

CREATE, UPDATE, DELETE = 0, 1, 2


def check_names(registry: Registry, model: Model, values: Mapping[str, object], verb: str) -> None:
    """An unknown field is refused before anything is written; 19 words it by the verb."""
    for name in values:
        if name in model.fields:
            continue
        if verb == "write" and registry.dialect >= 19:
            raise OdooError(name, name="builtins.KeyError")
        preposition = "in" if verb == "create" and registry.dialect >= 18 else "on model"
        raise BadValue(f"Invalid field {name!r} {preposition} {model.name!r}")


def to_column(model: Model, name: str, spec: Field, value: object) -> object:
    """A value of the wire as a parameter: false is NULL except for booleans."""
    if spec.type == "boolean":
        return bool(value)
    if value is False or value is None:
        return None
    if spec.selection and value not in {key for key, _ in spec.selection}:
        raise BadValue(f"Wrong value for {model.name}.{name}: {value!r}")
    if spec.type == "many2one" and isinstance(value, (list, tuple)):
        return value[0] if value else None
    return value


def required_error(model: Model, name: str, spec: Field) -> ValidationError:
    return ValidationError(
        "The operation cannot be completed: Missing required value for the field"
        f" '{spec.string}' ({name}).\nModel: '{model.description}' ({model.name})"
    )


async def create_one(
    session: Session, registry: Registry, model: Model, values: Mapping[str, object], uid: int
) -> int:
    """Insert a record, then what it delegates and its lines. Returns the id."""
    check_names(registry, model, values, "create")
    values = {**values, **await _delegated(session, registry, model, values, uid)}
    columns: Values = {"create_uid": uid, "write_uid": uid}
    for name, spec in model.fields.items():
        if spec.stored and name in values and name != "id":
            columns[name] = to_column(model, name, spec, values[name])
        if spec.stored and spec.required and not spec.default and columns.get(name) is None:
            raise required_error(model, name, spec)
    given = {name: value for name, value in columns.items() if value is not None}
    names = ", ".join(f'"{name}"' for name in given)
    casts = ", ".join(f"%s::{CASTS.get(model.fields[n].type, 'varchar')}" for n in given)
    record = await session.value(
        f"INSERT INTO {model.table} ({names}) VALUES ({casts}) RETURNING id", list(given.values())
    )
    await _lines(session, registry, model, int(str(record)), values, uid)
    return int(str(record))


async def _delegated(
    session: Session, registry: Registry, model: Model, values: Mapping[str, object], uid: int
) -> Values:
    """Create the record that this one inherits from, with the values meant for it."""
    made: Values = {}
    links = {spec.delegate for spec in model.fields.values() if spec.delegate}
    for link in links:
        if values.get(link):
            continue
        parent = registry.models[model.fields[link].relation]
        inherited = {
            ("list_price" if name == "lst_price" else name): value
            for name, value in values.items()
            if model.fields[name].delegate == link or name == "default_code"
        }
        known = {name: value for name, value in inherited.items() if name in parent.fields}
        made[link] = await create_one(session, registry, parent, known, uid)
    return made


async def write_many(
    session: Session,
    registry: Registry,
    model: Model,
    ids: Sequence[int],
    values: Mapping[str, object],
    uid: int,
) -> None:
    """Update records; all of them exist, or nothing is changed."""
    check_names(registry, model, values, "write")
    sets, parameters = ["write_uid = %s", "write_date = now() at time zone 'UTC'"], [uid]
    by_link: dict[str, Values] = {}
    for name, value in values.items():
        spec = model.fields[name]
        if spec.delegate:
            target = "list_price" if name == "lst_price" else name
            by_link.setdefault(spec.delegate, {})[target] = value
        elif spec.stored:
            cast = CASTS.get(spec.type, "varchar")
            sets.append(f'"{name}" = %s::{cast}')
            parameters.append(to_column(model, name, spec, value))  # type: ignore[arg-type]
    rows = await session.rows(
        f"UPDATE {model.table} SET {', '.join(sets)} WHERE id = ANY(%s) RETURNING id",
        [*parameters, list(ids)],
    )
    await _all_there(model, ids, {int(str(row[0])) for row in rows}, uid)
    for link, inherited in by_link.items():
        parent = registry.models[model.fields[link].relation]
        rows = await session.rows(
            f'SELECT "{link}" FROM {model.table} WHERE id = ANY(%s)', [list(ids)]
        )
        await write_many(
            session, registry, parent, [int(str(row[0])) for row in rows], inherited, uid
        )
    for record in ids:
        await _lines(session, registry, model, record, values, uid)


async def _all_there(model: Model, ids: Sequence[int], found: set[int], uid: int) -> None:
    absent = [record for record in ids if record not in found]
    if absent:
        raise missing(model.name, absent[0], uid)


async def _lines(
    session: Session,
    registry: Registry,
    model: Model,
    record: int,
    values: Mapping[str, object],
    uid: int,
) -> None:
    """Carry out the commands (0, 0, values), (1, id, values), (2, id) of one2many fields."""
    for name, value in values.items():
        spec = model.fields[name]
        if spec.type != "one2many" or not isinstance(value, (list, tuple)):
            continue
        child = registry.models[spec.relation]
        for command in value:
            if command[0] == CREATE:
                await create_one(
                    session, registry, child, {**command[2], spec.inverse: record}, uid
                )
            elif command[0] == UPDATE:
                await write_many(session, registry, child, [command[1]], command[2], uid)
            elif command[0] == DELETE:
                await unlink_many(session, child, [command[1]], uid)


async def unlink_many(session: Session, model: Model, ids: Sequence[int], uid: int) -> None:
    rows = await session.rows(
        f"DELETE FROM {model.table} WHERE id = ANY(%s) RETURNING id", [list(ids)]
    )
    try:
        await _all_there(model, ids, {int(str(row[0])) for row in rows}, uid)
    except MissingError:
        if rows:
            raise
