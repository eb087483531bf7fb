"""Does every document agree with the database, by the hash of its bytes?

On disk, where the application reads it, and in object storage, where it is mended from.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.core import checks
from harness.errors import PeakdrillError
from harness.inspection.scene import Inspection, Scene
from harness.platforms.capabilities import Filestore
from harness.platforms.having import having
from harness.recovery import documents
from harness.recovery.documents import DISK, STORE, Survey

_CHECK = checks.documents_sound.name
_NAMED = 20  # proofs a place
_COPIED_S = 30.0  # a document is copied within a second or so, but not on a slow machine
_LOOK_EVERY_S = 0.5


def documents_are_sound(scene: Scene) -> None:
    """A proof a place, and one for each document that is damaged there."""
    filestore = having(scene.platform.filestore, "filestore")
    _await_copies(filestore)
    rows = documents.rows_of(scene.platform.endpoints().dsn)
    looks: dict[str, Callable[[], Survey]] = {
        DISK: lambda: documents.on_disk(filestore, rows),
        STORE: lambda: documents.in_store(filestore, rows),
    }
    for place, look in looks.items():
        try:
            _prove(scene, look())
        except PeakdrillError as error:
            scene.prove(_CHECK, place, place, None, f"{place} could not be looked at: {error.what}")


def _prove(scene: Scene, found: Survey) -> None:
    for damage in found.damaged[:_NAMED]:
        scene.prove(_CHECK, found.place, damage.store_fname, False, f"{found.place}: {damage.told}")
    ok = not found.damaged if found.looked_at else None  # a database that names none shows none
    scene.prove(_CHECK, found.place, found.place, ok, found.told)


def _await_copies(filestore: Filestore) -> None:
    """The last documents of the load may be on their way still; what is late is missing."""
    until = time.monotonic() + _COPIED_S
    while not filestore.mirror_is_complete() and time.monotonic() < until:
        time.sleep(_LOOK_EVERY_S)


INSPECTIONS: dict[str, Inspection] = {_CHECK: documents_are_sound}
