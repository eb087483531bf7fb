"""What an exec asks of any part: has it been told of a new secret?

    python3 -m harness.platforms.reference.inside told     {"digests": {NAME: SHA-256}} by stdin

{"told": true} when the mounted files are those, and where a replica of the application stands, its
configuration holds them: whoever put a secret somewhere has not yet reached those who read it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from harness.errors import PlatformError
from harness.platforms.reference.inside.settings import Settings


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def told(
    settings: Settings, words: Sequence[str], asked: Mapping[str, object]
) -> dict[str, object]:
    """Raises PlatformError where a secret is not mounted at all."""
    digests = asked.get("digests")
    if words or not isinstance(digests, dict) or not digests:
        raise PlatformError("told wants the digests of secrets, by name, from stdin")
    arrived = all(digest(settings.secret(name)) == wanted for name, wanted in digests.items())
    return {"told": arrived and _is_configured(settings)}


def _is_configured(settings: Settings) -> bool:
    from harness.platforms.reference.inside import application

    file = application.file_of(settings)
    if not file.exists():  # no replica
        return True
    return file.read_text(encoding="utf-8") == application.text_now(settings)
