"""What an exec asks of the logs that outlive a container: a member's, and the replicas' audit.

python3 -m harness.platforms.reference.inside logs     the order comes by stdin

{"marker": "..."}       {"lines": ["...", ...]}   those that name the marker
{"heads": null}         {"heads": {LOG: [LINES, SHA-256]}}
{"heads": {LOG: N}}     the same of each log's first N lines
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import log_heads
from harness.platforms.reference.inside.settings import Settings

AUDIT = "audit-*.jsonl"


def logs(
    settings: Settings, words: Sequence[str], asked: Mapping[str, object]
) -> dict[str, object]:
    """A database member has its own log; whoever mounts the filestore has the replicas'."""
    files = files_of(settings)
    if words or set(asked) not in ({"marker"}, {"heads"}):
        raise PlatformError("logs wants a marker or heads, from stdin")
    if "marker" in asked:
        marker = str(asked["marker"])
        found = (log_heads.lines_with(file, marker) for file in files.values())
        return {"lines": [line.rstrip("\n") for lines in found for line in lines]}
    lines = asked["heads"]
    if lines is not None and not isinstance(lines, dict):
        raise PlatformError("heads wants lines by log, or null")
    return {"heads": log_heads.heads(files, lines)}


def files_of(settings: Settings) -> dict[str, Path]:
    """By the name under which it is told."""
    found = sorted(settings.filestore.glob(f"audit/{AUDIT}"))
    own = settings.data / "log" / "database.log"
    return {
        **{f"audit/{file.name}": file for file in found},
        **({f"{settings.name}/{own.name}": own} if own.exists() else {}),
    }
