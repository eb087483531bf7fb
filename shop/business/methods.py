"""How a method is declared, and the environment that it is called in."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shop.errors import BadValue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from shop.database.session import Session
    from shop.filestore import Filestore
    from shop.orm.fields import Model, Registry

ANY_MODEL = "*"


@dataclass(frozen=True, slots=True)
class User:
    """Who calls. `groups` is this stand-in's short list; 'system' may do everything."""

    uid: int
    login: str
    groups: frozenset[str]

    def may(self, group: str) -> bool:
        return not group or group in self.groups or "system" in self.groups


@dataclass(frozen=True, slots=True)
class Environment:
    """Everything that a method may use."""

    registry: Registry
    model: Model
    session: Session
    user: User
    context: Mapping[str, object]
    filestore: Filestore

    @property
    def uid(self) -> int:
        return self.user.uid

    @property
    def dialect(self) -> int:
        return self.registry.dialect


@dataclass(frozen=True, slots=True)
class Method:
    """`atomic`: several statements in one REPEATABLE READ transaction; else one statement."""

    model: str
    name: str
    call: Callable[..., Awaitable[object]]
    signature: inspect.Signature
    atomic: bool
    writes: bool
    records: bool
    since: int
    until: int


METHODS: dict[tuple[str, str], Method] = {}


def method(
    model: str,
    name: str = "",
    *,
    atomic: bool = False,
    writes: bool = True,
    records: bool = True,
    since: int = 0,
    until: int = 99,
) -> Callable[[Callable[..., Awaitable[object]]], Callable[..., Awaitable[object]]]:
    """Publish a coroutine as a model's method; its parameters after `env` are Odoo's."""

    def publish(call: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        signature = inspect.signature(call)
        parameters = list(signature.parameters.values())[1:]
        called = name or call.__name__
        METHODS[model, called] = Method(
            model, called, call, inspect.Signature(parameters),
            atomic, writes, records, since, until,
        )  # fmt: skip
        return call

    return publish


def find_method(model: str, name: str, dialect: int) -> Method | None:
    """The model's own method, or the one that every model has."""
    found = METHODS.get((model, name)) or METHODS.get((ANY_MODEL, name))
    return found if found and found.since <= dialect <= found.until else None


def as_ids(ids: object) -> list[int]:
    """Ids as Odoo accepts them: a list, or one id."""
    if isinstance(ids, bool) or ids is None:
        return []
    if isinstance(ids, int):
        return [ids]
    return [int(record) for record in ids] if isinstance(ids, (list, tuple)) else []


def values_of(vals_list: object) -> list[dict[str, object]]:
    """What `create` was given: one record's values, or a list of them."""
    given = vals_list if isinstance(vals_list, list) else [vals_list]
    values = [item for item in given if isinstance(item, dict)]
    if len(values) < len(given):
        raise BadValue(f"Values are not a dictionary: {vals_list!r}")
    return values


def in_kind(vals_list: object, made: Sequence[object]) -> object:
    """One record in, one id out; a list in, a list out."""
    return list(made) if isinstance(vals_list, list) else made[0]
