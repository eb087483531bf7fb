"""The partners, as a recovery speaks to them: it reads their memory, and takes effects back."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence

from harness.errors import PlatformError
from harness.readback.partners import PARTNERS, Memory, remembered

__all__ = ["PARTNERS", "Memory", "cancel", "memories"]

_AT_ONCE = 500
_WITHIN_S = 30.0


def memories(url: str, prefix: str = "") -> dict[str, Memory]:
    """What each partner says of all keys with this prefix. Raises PlatformError."""
    try:
        return {partner: remembered(url, partner, prefix) for partner in PARTNERS}
    except (OSError, ValueError, KeyError) as error:
        raise PlatformError(
            f"the integration partners do not tell what they remember: {error}",
            next_step="see whether they answer; nothing was sent to them",
        ) from error


def cancel(url: str, partner: str, keys: Sequence[str]) -> None:
    """Have the partner take back what it did for each key; once, however often it is asked.

    Durable when this returns. Raises PlatformError: then it may be asked again.
    """
    for start in range(0, len(keys), _AT_ONCE):
        batch = [{"key": key, "payload": None} for key in keys[start : start + _AT_ONCE]]
        request = urllib.request.Request(  # noqa: S310  the platform's own
            f"{url}/{partner}/cancellations",
            json.dumps(batch).encode(),
            {"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=_WITHIN_S) as answer:  # noqa: S310
                answer.read()
        except OSError as error:
            raise PlatformError(f"{partner} did not confirm the cancellations: {error}") from error
