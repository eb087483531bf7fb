"""A program, watched over by a container's process 1: signals go on, orphans are buried.

When the program ends, so does the container, with the program's exit code: whoever runs the
container starts it again. Nothing is restarted inside, so nothing hides that it crashed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from harness.platforms.embedded.node import clean_environment

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_REAP_S = 0.5


def run(
    argv: Sequence[str], *, home: Path, stop_signal: int = signal.SIGTERM, within_s: float = 20.0
) -> int:
    """Until it ends. A request to end is passed on as `stop_signal`; who stays longer is killed."""
    home.mkdir(parents=True, exist_ok=True)
    program = subprocess.Popen(argv, cwd=home, env=clean_environment(home))
    asked = threading.Event()

    def forward(number: int, _: object) -> None:
        if number == signal.SIGHUP:
            program.send_signal(number)
            return
        asked.set()
        program.send_signal(stop_signal)

    for number in _FORWARDED:
        signal.signal(number, forward)
    waited_s = 0.0
    while True:
        try:
            return code_of(program.wait(timeout=_REAP_S))
        except subprocess.TimeoutExpired:
            bury(program.pid)
            waited_s += _REAP_S if asked.is_set() else 0.0
            if waited_s > within_s:
                program.kill()


def become(argv: Sequence[str], *, home: Path) -> NoReturn:
    """For a program that is a good process 1 by itself."""
    home.mkdir(parents=True, exist_ok=True)
    os.chdir(home)
    os.execve(argv[0], list(argv), clean_environment(home))  # noqa: S606


def private_folder() -> Path:
    """For files that hold secrets: gone with the container, where /tmp is its own."""
    folder = Path(tempfile.gettempdir(), "peakdrill-secrets")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def beside(work: Callable[[], None]) -> None:
    """Something that goes on for as long as the process does."""
    threading.Thread(target=work, daemon=True).start()


def bury(ours: int) -> None:
    """Take the exit codes of orphans that were left to process 1; `ours` keeps its own."""
    if os.getpid() != 1:
        return
    while True:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None or ended.si_pid in (0, ours):
            return
        os.waitpid(ended.si_pid, os.WNOHANG)


def code_of(returned: int) -> int:
    """As a shell says it: 128 and more for a signal."""
    return returned if returned >= 0 else 128 - returned
