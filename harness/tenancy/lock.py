"""Whose platform is it? One that a drill started for itself ends with that drill.

The drill leaves its name in the platform's folder. When it was killed, the next start and
`peakdrill undo` find a tenant that is dead, and end the platform on its behalf.

And it is one drill's at a time: two would measure each other, and an undo on behalf of the one
would end the other's fault. The lock dies with its holder; a stack in a cluster, which drills of
several machines may have taken up, has a lease there beside it.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets as random_words
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from harness.errors import PlatformError, Refused
from harness.json_text import parsed
from harness.platforms.capabilities import Platform
from harness.platforms.cluster_faults import cluster_faults_or_none
from harness.platforms.embedded.process import ProcessId, identify, is_alive

_FILE = "tenant.json"
_LOCK = "drill.lock"
_PLACE = "place.txt"


@contextmanager
def alone(platform: Platform) -> Iterator[None]:
    """No other drill, and no undo, has the platform within. Raises Refused while one has it."""
    fd = os.open(platform.directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                "another drill has the platform that is up",
                next_step="wait for its end, or stop it with Ctrl-C: it undoes its fault itself",
            ) from None
        with alone_in_cluster(platform):
            yield
    finally:
        os.close(fd)


@contextmanager
def alone_in_cluster(platform: Platform) -> Iterator[None]:
    """Nor has a drill of another machine, where it is a stack in a cluster; see `alone`."""
    faults = cluster_faults_or_none(platform)
    if faults is None:
        yield
        return
    with ExitStack() as held:
        try:
            held.enter_context(faults.alone(_place(platform)))
        except PlatformError as error:
            gone = f"if it is gone for ever, delete {platform.directory}"
            told = f"{error.next_step}; {gone}" if error.next_step else gone
            raise PlatformError(error.what, next_step=told) from error
        yield


def _place(platform: Platform) -> str:
    """A name that is this folder's alone, made once."""
    file = platform.directory / _PLACE
    with suppress(FileNotFoundError):
        if told := file.read_text().strip():
            return told
    unfinished = file.with_suffix(".part")
    unfinished.write_text(random_words.token_hex(8))
    unfinished.rename(file)
    return file.read_text()


def move_in(platform: Platform) -> None:
    """The platform is this process's own from now on."""
    me = identify(os.getpid())
    assert me is not None, "a running process has a pid"
    unfinished = _file(platform).with_suffix(".part")
    unfinished.write_text(json.dumps(asdict(me)))
    unfinished.rename(_file(platform))  # whole or not there: half a name looks abandoned


def is_abandoned(platform: Platform) -> bool:
    """Whether it was started for one drill, and that drill's process is gone."""
    try:
        said = parsed(_file(platform).read_text())
        tenant = ProcessId(int(said["pid"]), int(said["start_ticks"]))
    except FileNotFoundError:
        return False  # started by `peakdrill platform up`: it is the user's
    except (OSError, ValueError, KeyError, TypeError):
        return True  # cut short while moving in: that drill is gone
    return not is_alive(tenant)


def _file(platform: Platform) -> Path:
    return platform.directory / _FILE
