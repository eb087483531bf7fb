"""Files against the digests that were signed, and stored reports against rendered ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.evidence import layout
from harness.evidence.findings import Problem
from harness.json_text import parsed

_BULK = (f"{layout.LEDGER}/", f"{layout.READBACK}/")
_BULK_ENDS = (".slots", ".npy", ".log")


def is_bulk(name: str) -> bool:
    """What a bundle may leave out: records by the thousand, and what programs said."""
    return name.endswith(_BULK_ENDS) and (name.startswith(_BULK) or name.endswith(".log"))


def differences(signed: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Problem]:
    """Every file that was changed, taken away or added."""
    for name in sorted({*signed, *found}):
        if name not in found:
            yield Problem(name, "missing")
        elif name not in signed:
            yield Problem(name, "added: no signature covers it")
        elif signed[name] != found[name]:
            yield Problem(name, "changed")


def same_numbers(stored: str, rendered: str) -> str:
    """The first place where two builds' reports disagree on what both tell; "" where none.

    >>> same_numbers('{"a": {"b": 1}, "old": 2}', '{"a": {"b": 1, "new": 3}}')
    ''
    >>> same_numbers('{"a": {"b": [1, 2]}}', '{"a": {"b": [1, 3]}}')
    'a.b.1'
    """
    return next(_disagreements(parsed(stored), parsed(rendered), ()), "")


def _disagreements(one: object, other: object, at: tuple[str, ...]) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one} & {*other}):
            yield from _disagreements(one[key], other[key], (*at, str(key)))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _disagreements(left, right, (*at, str(index)))
    elif one != other or type(one) is not type(other):
        yield ".".join(at) or "all of it"
