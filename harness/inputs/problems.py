"""From pydantic's errors to one sentence with file, line, key and what is allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from harness.errors import BadInput
from harness.inputs.words import did_you_mean, shown
from harness.inputs.yaml_lines import Document, KeyPath, key_text

M = TypeVar("M", bound="Strict")


class Strict(BaseModel):
    """What a person wrote: nothing coerced, nothing unknown, nothing infinite."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        """Unknown keys come first: a slip of the finger explains the key that is missing."""
        if isinstance(value, dict):
            names = tuple(f.alias or name for name, f in cls.model_fields.items())
            for key, item in value.items():
                if key not in names:
                    raise PydanticCustomError("unknown_key", "-", {"key": key, "names": names})
                if item is None:
                    raise PydanticCustomError("no_value", "-", {"key": key})
        return value


@dataclass(frozen=True, slots=True)
class _Problem:
    line: int
    path: KeyPath
    what: str
    allowed: tuple[str, ...] = ()


_WANTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
}
_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def validated(model: type[M], document: Document) -> M:
    """The document as a model, or a BadInput that names the first mistake and counts the rest."""
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise _bad_input(document, error) from None


def _bad_input(document: Document, error: ValidationError) -> BadInput:
    by_path: dict[KeyPath, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        by_path.setdefault(_real_path(document, detail), []).append(detail)
    problems = sorted(
        (_problem(document, path, details) for path, details in by_path.items()),
        key=lambda p: p.line,
    )
    first, rest = problems[0], problems[1:]
    told = [f"line {p.line}: {key_text(p.path)}" for p in rest[:3]]
    more = f", and {len(rest) - 3} more" if len(rest) > 3 else ""
    return BadInput(
        document.file,
        first.what,
        line=first.line,
        key=key_text(first.path),
        allowed=first.allowed,
        next_step=f"mend it, and after it {'; '.join(told)}{more}" if told else "",
    )


def _real_path(document: Document, detail: ErrorDetails) -> KeyPath:
    """Without the names that pydantic adds for the members of a union."""
    path: KeyPath = ()
    value: Any = document.value
    for part in detail["loc"]:
        inside = isinstance(value, dict) and part in value
        inside = inside or (isinstance(value, list) and part in range(len(value)))
        if not inside:
            if detail["type"] == "missing":
                return (*path, part)
            break
        value = value[part]
        path = (*path, part)
    if detail["type"] in {"unknown_key", "no_value"}:
        return (*path, detail["ctx"]["key"])
    return path


def _problem(document: Document, path: KeyPath, details: list[ErrorDetails]) -> _Problem:
    line = document.line_of(path)
    for detail in details:
        kind, context = detail["type"], detail.get("ctx", {})
        if kind == "missing":
            return _Problem(line, path, "is missing")
        if kind == "no_value":
            return _Problem(line, path, "is written without a value; write one, or drop the key")
        if kind == "unknown_key":
            names = tuple(context["names"])
            what = f"is not known{did_you_mean(str(context['key']), names)}"
            return _Problem(line, path, what, names)
        if "[key]" in detail["loc"]:
            names = tuple(re.findall(r"'([^']*)'", str(context.get("expected", ""))))
            return _Problem(line, path, f"is not known{did_you_mean(str(path[-1]), names)}", names)
        if kind in _BOUNDS:
            words, limit = _BOUNDS[kind]
            what = f"must be {words} {context[limit]:g}, not {shown(detail['input'])}"
            return _Problem(line, path, what)
    return _Problem(line, path, *_described(details))


def _described(details: list[ErrorDetails]) -> tuple[str, tuple[str, ...]]:
    first = details[0]
    kind, found = first["type"], shown(first["input"])
    choices = [
        name
        for d in details
        if d["type"] == "literal_error"
        for name in re.findall(r"'([^']*)'|(\d+)", str(d.get("ctx", {}).get("expected", "")))
    ]
    names = tuple(quoted or number for quoted, number in choices)
    wanted = [_WANTED[d["type"]] for d in details if d["type"] in _WANTED]
    if wanted or names:
        mean = did_you_mean(str(first["input"]), names) if isinstance(first["input"], str) else ""
        if not wanted:
            return f"{found} is not known{mean}", names
        return f"must be {' or '.join([*wanted, *names])}, not {found}{mean}", ()
    if kind == "finite_number":
        return f"must be a finite number, not {found}", ()
    if kind in {"string_too_short", "too_short"}:
        return "must not be empty", ()
    if kind == "string_pattern_mismatch":
        return f"must match {first['ctx']['pattern']}, not {found}", ()
    message = first["msg"].removeprefix("Value error, ")
    return f"{message}, not {found}", ()
