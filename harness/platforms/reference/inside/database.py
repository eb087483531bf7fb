"""The role `database`: Patroni with its PostgreSQL, and the resident archive beside it.

Patroni's configuration holds passwords: it is written anew at each start, for our eyes alone, into
a folder that does not outlive the container where /tmp is its own.
"""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.platforms.embedded import programs
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.reference.inside import patroni_config, places
from harness.platforms.reference.inside.settings import Settings
from harness.platforms.reference.inside.supervisor import Program, Supervisor

_STRANGE = ("PATRONI_", "PG")  # would be taken for configuration
_OTHER_S = 120.0
_ARCHIVE = "harness.platforms.reference.inside.resident_archive"


def main(settings: Settings) -> int:
    """Until it is told to end. Raises PlatformError where something needed is not told."""
    with alone_with(settings.data), tempfile.TemporaryDirectory(prefix="patroni-") as folder:
        if settings.flag("AWAIT_RESTORE", default=False):
            places.await_restore(settings.data)
        patroni_config.configuration(settings, Path(folder))  # what is missing is said at once
        return Supervisor(
            programs=programs_of(settings, Path(folder)),
            hold=places.hold(settings.data),
            environ=environment(os.environ),
            home=settings.data,
            left_behind=places.pgdata(settings.data),
            log=places.log(settings.data),
        ).run()


@contextmanager
def alone_with(data: Path, *, within_s: float = _OTHER_S) -> Iterator[None]:
    """Hold the volume's lock: a container that was ended by force may still write to it.

    PostgreSQL's own lock names a pid, which says nothing in another pid namespace. Raises NotReady.
    """
    with (data / "in-use").open("a", encoding="ascii") as file:

        def taken() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            return True

        await_ready(
            f"the volume at {data}", taken, within_s=within_s, poll_s=0.2,
            next_step="another container works on it: end that one",
        )  # fmt: skip
        yield


def programs_of(settings: Settings, folder: Path) -> tuple[Program, ...]:
    """In the order in which they start, and are asked to end."""

    def patroni() -> tuple[str, ...]:
        configuration = patroni_config.write(settings, folder)
        return (programs.python(), "-m", "patroni", str(configuration))

    return (
        Program("archive", lambda: (programs.python(), "-m", _ARCHIVE)),
        Program("patroni", patroni, stops_on_hold=True),
    )


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What programs get to see: it says where things are, and nothing that is secret."""
    kept = {name: told for name, told in ours.items() if not name.startswith(_STRANGE)}
    return {**kept, "PYTHONUNBUFFERED": "1"}


if __name__ == "__main__":
    sys.exit(main(Settings()))
