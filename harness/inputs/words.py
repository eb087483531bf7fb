"""Small words for messages: what was found, shown safely, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

_SHOWN_LETTERS = 60


def shown(value: object) -> str:
    r"""A value as one short printable line: no control characters, no surprises.

    >>> shown("a\x1b[2Jb")
    "'a\\x1b[2Jb'"
    >>> shown({"a": 1})
    'a mapping'
    """
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, str) else str(value)
    text = text.encode("ascii", "backslashreplace").decode() if not text.isprintable() else text
    return text if len(text) <= _SHOWN_LETTERS else text[:_SHOWN_LETTERS] + "..."


def nearest(name: str, names: Iterable[str]) -> str:
    """The name that was probably meant, or "".

    >>> nearest("order-captur", ["order-capture", "fulfilment"])
    'order-capture'
    """
    from difflib import get_close_matches  # slow to import, and only needed for a mistake

    found = get_close_matches(name[:_SHOWN_LETTERS], list(names), n=1, cutoff=0.6)
    return found[0] if found else ""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """`; did you mean X?`, or "" where nothing is near."""
    near = nearest(name, names)
    return f" (did you mean {near}?)" if near else ""
