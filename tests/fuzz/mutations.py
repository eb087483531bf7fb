"""Accidents. To a file: bits that flip, ends that are cut, parts that move.

To a document that a person wrote: keys misspelt, moved, doubled, of another type.
"""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", "0", "-1", "NaN", "1e999", "~", "${x}", "../..", "\x00", "\u202e", "🛒" * 40]
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The same bytes after one to three accidents; never the same bytes."""
    changed = content
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(changed) - 1)))
        how = draw(st.sampled_from(["flip", "cut", "drop", "insert", "zero", "swap"]))
        length = draw(st.integers(1, 64))
        if how == "flip" and changed:
            bit = 1 << draw(st.integers(0, 7))
            changed = changed[:at] + bytes([changed[at] ^ bit]) + changed[at + 1 :]
        elif how == "cut":
            changed = changed[:at]
        elif how == "drop":
            changed = changed[:at] + changed[at + length :]
        elif how == "insert":
            changed = changed[:at] + draw(st.binary(min_size=1, max_size=length)) + changed[at:]
        elif how == "zero":
            changed = changed[:at] + b"\0" * len(changed[at : at + length]) + changed[at + length :]
        else:
            changed = changed[at:] + changed[:at]
    return changed if changed != content else content + b"\0"


@st.composite
def misspelt(draw: st.DrawFn, document: str) -> str:
    """A YAML document with one to three of its parts replaced, renamed, taken out or doubled."""
    value = yaml.safe_load(document)
    for _ in range(draw(st.integers(1, 3))):
        value = _changed(draw, value)
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def _changed(draw: st.DrawFn, value: Any) -> Any:
    """Walk down to a place at random, and change what is there."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(list(value)))
        how = draw(st.sampled_from(["into", "into", "into", "rename", "remove", "add"]))
        if how == "rename":
            return {(draw(st.text(max_size=12)) if k == key else k): v for k, v in value.items()}
        if how == "remove":
            return {k: v for k, v in value.items() if k != key}
        if how == "add":
            return {**value, draw(st.text(max_size=12)): draw(VALUES)}
        return {**value, key: _changed(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        at = draw(st.integers(0, len(value) - 1))
        how = draw(st.sampled_from(["into", "into", "double", "remove"]))
        if how == "double":
            return [*value, value[at]]
        if how == "remove":
            return value[:at] + value[at + 1 :]
        return [*value[:at], _changed(draw, value[at]), *value[at + 1 :]]
    return draw(VALUES)
