"""A platform that peakdrill did not start and never ends: taken up for one drill, then let go.

What a killed drill left broken on it is mended first, by the commands of that drill's own
platform.yaml, which were kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.faults.undo import replay
from harness.platforms import find
from harness.progress import Progress
from harness.tenancy import lock

if TYPE_CHECKING:
    from harness.platforms.odoo.platform import OdooPlatform


@contextmanager
def adopted(platform_file: Path | None, progress: Progress) -> Iterator[OdooPlatform]:
    """The Odoo that a file describes, one drill's at a time.

    Raises Refused, before it is touched, where it may not be broken or lacks what a drill needs.
    """
    options = find.odoo_options(platform_file)
    platform = find.odoo(options)
    with lock.alone(platform):
        if platform.is_kept:
            _mend(platform, progress.say)
        progress.phase("asking the Odoo what it is", 30)
        platform.take_up(options)
        try:
            yield platform
        finally:
            platform.down()


def mend_all(say: Callable[[str], None]) -> bool:
    """Undo what killed drills left behind on every Odoo, and let go of it. Whether there was one.

    Raises Refused while a drill that lives has one, FaultError for what could not be mended.
    """
    kept = find.odoos()
    for platform in kept:
        with lock.alone(platform):
            _mend(platform, say)
            platform.down()
            say(f"let go of the Odoo that a killed drill had: {platform.directory.name}")
    return bool(kept)


def _mend(platform: OdooPlatform, say: Callable[[str], None]) -> None:
    for what in replay(platform):
        say(f"mended: {what}")
