"""What an exec asks of any part: everything that it shows to whoever may look.

    python3 -m harness.platforms.reference.inside shown

{"processes": {"PID NAME": TEXT}, "logs": {FILE: TEXT}}: command lines, environments and kept logs,
byte for byte as Latin-1. Whoever asks searches them; what he searches for never comes here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.reference.inside import logs
from harness.platforms.reference.inside.settings import Settings

_LAST_BYTES = 8_000_000  # of a log


def shown(
    settings: Settings, words: Sequence[str], asked: Mapping[str, object]
) -> dict[str, object]:
    if words or asked:
        raise PlatformError("shown takes nothing")
    kept = logs.files_of(settings)
    return {
        "processes": dict(_processes()),
        "logs": {name: _text(_end_of(file)) for name, file in kept.items()},
    }


def _processes() -> Iterator[tuple[str, str]]:
    """But our own, which is whoever asks."""
    for place in Path("/proc").iterdir():
        if not place.name.isdigit() or int(place.name) == os.getpid():
            continue
        try:
            name = place.joinpath("comm").read_text(errors="replace").strip()
            body = [place.joinpath(part).read_bytes() for part in ("cmdline", "environ")]
        except OSError:
            continue  # it has ended, or is not ours: then it holds nothing of ours
        yield f"{place.name} {name}", _text(b"\0".join(body))


def _end_of(file: Path) -> bytes:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - _LAST_BYTES))
        return stream.read()


def _text(body: bytes) -> str:
    return body.decode("latin-1")
