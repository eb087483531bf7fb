"""Whose platform is it? One that a drill started for itself ends with that drill.

The drill leaves its name in the platform's folder. When it was killed, the next start and
`peakdrill undo` find a tenant that is dead, and end the platform on its behalf.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from harness.platforms.capabilities import Platform
from harness.platforms.embedded.process import ProcessId, identify, is_alive

_FILE = "tenant.json"


def move_in(platform: Platform) -> None:
    """The platform is this process's own from now on."""
    me = identify(os.getpid())
    assert me is not None, "a running process has a pid"
    _file(platform).write_text(json.dumps(asdict(me)))


def is_abandoned(platform: Platform) -> bool:
    """Whether it was started for one drill, and that drill's process is gone."""
    try:
        said = json.loads(_file(platform).read_text())
        tenant = ProcessId(int(said["pid"]), int(said["start_ticks"]))
    except FileNotFoundError:
        return False  # started by `peakdrill platform up`: it is the user's
    except (OSError, ValueError, KeyError, TypeError):
        return True  # cut short while moving in: that drill is gone
    return not is_alive(tenant)


def _file(platform: Platform) -> Path:
    return platform.directory / _FILE
