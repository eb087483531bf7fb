"""What a field and a model are. Everything else in orm/ is derived from these."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Selection = tuple[tuple[str, str], ...]

COLUMN_TYPES = {
    "char": "varchar",
    "text": "text",
    "html": "text",
    "selection": "varchar",
    "integer": "int4",
    "many2one": "int4",
    "float": "numeric",
    "monetary": "numeric",
    "boolean": "bool",
    "date": "date",
    "datetime": "timestamp",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field. Stored in a column of its own name unless `sql` says how it is computed."""

    type: str
    string: str
    required: bool = False
    relation: str = ""
    inverse: str = ""  # one2many: the many2one that points back
    selection: Selection = ()
    older: Selection = ()  # the selection up to 16, where it was another one
    sql: str = ""  # over {t}, the model's table
    default: str = ""  # SQL for the column's default
    delegate: str = ""  # written on the record that this many2one points to
    index: bool = False
    since: int = 0
    until: int = 99

    @property
    def stored(self) -> bool:
        return not self.sql and self.type in COLUMN_TYPES and not self.delegate


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its table, its fields, and how a record is called."""

    name: str
    description: str
    fields: Mapping[str, Field]
    rec_name: str = "{t}.name"  # SQL for display_name
    order: str = "id"
    view: str = ""  # a SELECT, for models that are reports
    needs: str = ""  # the group without which a user may not even read
    needs_to_write: str = ""
    closed: bool = False  # nobody may create it through RPC
    constraints: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        return self.name.replace(".", "_")


AUTOMATIC: dict[str, Field] = {
    "id": Field("integer", "ID"),
    "create_uid": Field("many2one", "Created by", relation="res.users"),
    "create_date": Field("datetime", "Created on", default="(now() at time zone 'UTC')"),
    "write_uid": Field("many2one", "Last Updated by", relation="res.users"),
    "write_date": Field("datetime", "Last Updated on", default="(now() at time zone 'UTC')"),
}


def char(string: str, **more: object) -> Field:
    return Field("char", string, **more)  # type: ignore[arg-type]


def many2one(string: str, relation: str, **more: object) -> Field:
    return Field("many2one", string, relation=relation, **more)  # type: ignore[arg-type]


def one2many(string: str, relation: str, inverse: str, **more: object) -> Field:
    return Field("one2many", string, relation=relation, inverse=inverse, **more)  # type: ignore[arg-type]


def number(string: str, **more: object) -> Field:
    return Field("float", string, **{"default": "0", **more})  # type: ignore[arg-type]


def money(string: str, **more: object) -> Field:
    return Field("monetary", string, **{"default": "0", **more})  # type: ignore[arg-type]


def flag(string: str, *, default: bool = False, **more: object) -> Field:
    return Field("boolean", string, **{"default": str(default).lower(), **more})  # type: ignore[arg-type]


def choice(string: str, *values: tuple[str, str], **more: object) -> Field:
    return Field("selection", string, selection=values, **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Registry:
    """All models that one dialect has, each with the fields that the dialect has."""

    dialect: int
    models: Mapping[str, Model] = field(default_factory=dict)

    def get(self, name: str) -> Model | None:
        return self.models.get(name)


def build_registry(dialect: int, models: tuple[Model, ...]) -> Registry:
    """Keep what `dialect` knows; add the fields that every model has."""
    built: dict[str, Model] = {}
    for model in models:
        fields = {
            **({"id": AUTOMATIC["id"]} if model.view else AUTOMATIC),
            **{
                n: _as_of(dialect, f)
                for n, f in model.fields.items()
                if f.since <= dialect <= f.until
            },
            "display_name": Field("char", "Display Name", sql=model.rec_name),
        }
        built[model.name] = replace(model, fields=fields)
    return Registry(dialect, built)


def _as_of(dialect: int, spec: Field) -> Field:
    return replace(spec, selection=spec.older) if spec.older and dialect < 17 else spec
