"""JSON that somebody else wrote: whatever it is, a value or a ValueError."""

from __future__ import annotations

import json
from typing import Any


def parsed(text: str | bytes) -> Any:
    """As json.loads, which a body that is nested too deep makes crash by another error.

    >>> parsed('{"a": 1}')
    {'a': 1}
    >>> parsed("[" * 100_000)
    Traceback (most recent call last):
    ValueError: nested too deep
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
