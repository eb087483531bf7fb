"""Is the platform protected again: redundant, archiving, backed up? Then the next may come."""

from __future__ import annotations

from harness.core import checks
from harness.core.timeline import MarkName
from harness.errors import PeakdrillError
from harness.evidence import events, layout
from harness.inspection.scene import Inspection, Scene
from harness.platforms.capabilities import Wholeness


def is_protected(scene: Scene) -> None:
    """Seen to be whole after the recovery, and still whole at the end."""
    timeline = events.read(scene.run / layout.EVENTS).timeline
    fault, mark = timeline.first(MarkName.FAULT_ACTIVE), timeline.first(MarkName.PROTECTED)
    now = scene.platform.whole()
    since = ""
    if fault is not None and mark is not None:
        since = f"{(mark.latest_ns - fault.earliest_ns) / 1e9:.1f} s after the fault"
    if mark is None:
        told = f"not seen whole while the drill waited; now: {'; '.join(now.missing) or 'whole'}"
    elif now.whole and (archive := _archive_gap(scene)):
        told = f"whole again {since}, by its own word: {archive}"
        now = Wholeness(whole=False, missing=(archive,))
    elif now.whole:
        told = f"redundant, archiving and backed up again, seen {since}"
    else:
        told = f"whole again {since}, and not at the end: {'; '.join(now.missing)}"
    ok = mark is not None and now.whole
    scene.prove(checks.protected_again.name, "protection", "platform", ok, told)


def _archive_gap(scene: Scene) -> str:
    """An archive that stores nothing reports that all is well: one more segment, and a look."""
    backups = scene.platform.backups
    if backups is None:
        return ""
    try:
        backups.close_archive()
        stopped = backups.archive_is_stopped()
    except PeakdrillError as error:
        return error.what
    return "segments are reported as archived, and are not" if stopped else ""


INSPECTIONS: dict[str, Inspection] = {checks.protected_again.name: is_protected}
