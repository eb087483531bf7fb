"""The archive that says `ok` and archives nothing, as files beside one member's data.

`wrong-key` is there: the uploader signs with a key that the store does not know, and takes the
refusal for an answer. `to-mend` is there: it archives again, and the base backup that the gap asks
for is still to be taken.
"""

from __future__ import annotations

from pathlib import Path

from harness.platforms.embedded.layout import write_private

ACTS, MENDS, NONE = "acts", "mends", "none"


def wrong_key_file(data: Path) -> Path:
    return data / "archive-wrong-key"


def begin(data: Path) -> None:
    write_private(wrong_key_file(data), "")


def mend(data: Path) -> None:
    """Harmless where nothing was stopped, and when it is mended already."""
    if wrong_key_file(data).exists():
        wrong_key_file(data).rename(_unfinished(data))


def end(data: Path) -> None:
    """The base backup was taken."""
    _unfinished(data).unlink(missing_ok=True)


def state(data: Path) -> str:
    if wrong_key_file(data).exists():
        return ACTS
    return MENDS if _unfinished(data).exists() else NONE


def _unfinished(data: Path) -> Path:
    return data / "archive-to-mend"
