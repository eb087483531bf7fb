"""Canonical JSON: the same value gives the same bytes on every Python.

Keys sorted, no spaces, sets as sorted lists, enums by value, one newline at the end. A field that
came later (`harness.core.later`) is left out where it says nothing, so that what was stored
before it existed keeps its bytes. Reading back goes through pydantic, so that a damaged file is a
typed error and never a guess.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.core.later import LATER
from harness.errors import DamagedEvidence

T = TypeVar("T")


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        told = [(f, getattr(value, f.name)) for f in fields(value)]
        return {f.name: _plain(v) for f, v in told if not (f.metadata == LATER and v == f.default)}
    if isinstance(value, frozenset | set):
        return sorted(_plain(v) for v in value)  # type: ignore[type-var]
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(_plain(k)): _plain(v) for k, v in value.items()}
    if isinstance(value, Path):
        return str(value)
    return value


def dumps(value: object) -> bytes:
    """Any tree of dataclasses, enums, sets and plain values as canonical JSON."""
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def loads(kind: type[T], file: Path) -> T:
    """The value that `dumps` wrote to `file`. Raises DamagedEvidence when it is not one."""
    try:
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise DamagedEvidence(
            f"{file.parent.name}/{file.name} is missing",
            next_step="restore the run directory from where it was archived",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DamagedEvidence(
            f"{file.parent.name}/{file.name}: {place}: {first['msg']}",
            next_step="restore the run directory; a changed file cannot be judged",
        ) from error
