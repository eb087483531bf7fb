"""Is what was preserved still what it was? Every file of the manifest, by its digest once more."""

from __future__ import annotations

from harness.core import checks
from harness.inspection.scene import Inspection, Scene
from harness.platforms.having import having
from harness.recovery.clean_room import MANIFEST

_CHECK = checks.forensics_kept.name
_NAMED = 3


def is_kept(scene: Scene) -> None:
    """Hashed anew at the end: a recovery, and whoever comes after it, left it alone."""
    root = scene.platform.directory
    manifest = root / MANIFEST
    if not manifest.is_file():
        scene.prove(_CHECK, "forensics", "at the end", None, "there is no manifest to look at")
        return
    rows = [line.split("  ", 1) for line in manifest.read_text(encoding="utf-8").splitlines()]
    room = having(scene.platform.clean_room, "clean-room")
    now = room.preserved([name for _, name in rows])
    other = [name for digest, name in rows if now.get(name) != digest]
    told = f"{len(rows):,} files, each with the SHA-256 that it was preserved with"
    if other:
        more = f" and {len(other) - _NAMED:,} more" if len(other) > _NAMED else ""
        told = f"not as they were preserved: {', '.join(other[:_NAMED])}{more}"
    scene.prove(_CHECK, "forensics", "at the end", not other if rows else None, told)


INSPECTIONS: dict[str, Inspection] = {_CHECK: is_kept}
