"""A platform that peakdrill did not start and never ends: taken up for one drill, then let go.

What a killed drill left broken on it is mended first, by what that drill's own platform.yaml said,
which was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.faults.undo import replay
from harness.inputs.platform_file import ODOO
from harness.platforms import find
from harness.progress import Progress
from harness.tenancy import lock
from harness.tenancy.left_behind import mend_in_cluster

if TYPE_CHECKING:
    from harness.platforms.odoo.platform import OdooPlatform
    from harness.platforms.own_cluster.platform import OwnClusterPlatform

    type_theirs = OdooPlatform | OwnClusterPlatform


@dataclass(frozen=True, slots=True)
class _Adoption:
    """What is described, and how it is taken up."""

    platform: type_theirs
    take_up: Callable[[], None]
    what: str


def is_theirs(on: str, platform_file: Path | None) -> bool:
    """Whether an order is for what its owner starts and ends."""
    return on == ODOO or find.is_own_cluster(on, platform_file)


@contextmanager
def adopted(on: str, platform_file: Path | None, progress: Progress) -> Iterator[type_theirs]:
    """What a file describes, one drill's at a time.

    Raises Refused, before it is touched, where it may not be broken or lacks what a drill needs.
    """
    adoption = _adoption(on, platform_file)
    platform = adoption.platform
    with lock.alone(platform):
        if platform.is_kept:
            _mend(platform, progress.say)
        progress.phase(f"asking {adoption.what} what it is", 30)
        adoption.take_up()
        try:
            with lock.alone_in_cluster(platform):  # now it is known where it is
                yield platform
        finally:
            platform.down()


def mend_all(say: Callable[[str], None]) -> bool:
    """Undo what killed drills left behind on every such one, and let go of it. Whether there was.

    Raises Refused while a drill that lives has one, FaultError for what could not be mended.
    """
    kept: list[type_theirs] = [*find.odoos(), *find.own_clusters()]
    for platform in kept:
        with lock.alone(platform):
            _mend(platform, say)
            platform.down()
            say(f"let go of the {_name(platform)} that a killed drill had: "
                f"{platform.directory.name}")  # fmt: skip
    return bool(kept)


def _adoption(on: str, platform_file: Path | None) -> _Adoption:
    if on == ODOO:
        asked = find.odoo_options(platform_file)
        odoo = find.odoo(asked)
        return _Adoption(odoo, lambda: odoo.take_up(asked), "the Odoo")
    options = find.own_cluster_options(platform_file)
    stack = find.own_cluster(options)
    return _Adoption(stack, lambda: stack.take_up(options), "the stack")


def _mend(platform: type_theirs, say: Callable[[str], None]) -> None:
    """The fault first: a door is seen to be open only where something answers behind it."""
    try:
        for what in replay(platform):
            say(f"mended: {what}")
    finally:
        for what in platform.mend():
            say(f"mended: {what}")
        mend_in_cluster(platform, say)


def _name(platform: type_theirs) -> str:
    return "Odoo" if platform.directory.parent.name == ODOO else "stack"
