"""Processes that stand still, as those of a paused machine do, and go on as if nothing had been."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.platforms.embedded import EmbeddedPlatform, process
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.parts import node_of
from harness.platforms.embedded.process import ProcessId


def of_node(platform: EmbeddedPlatform, node: str, *, name: str = "") -> list[ProcessId]:
    """All that a node runs, or those whose command line has the name in it.

    Without unshare and process 1, which run nothing of the platform's: unshare, once it is told
    that its child stood still, stops itself after the thaw.
    """
    pids = node_of(Layout(platform.directory), node).all_pids()[2:]
    found = [process.identify(pid) for pid in pids if name in _command_line(pid)]
    return [one for one in found if one is not None]


@contextmanager
def frozen(processes: list[ProcessId]) -> Iterator[None]:
    assert processes, "there is nobody to freeze"
    with process.held(processes) as descriptors:
        process.send(descriptors, signal.SIGSTOP)
        try:
            yield
        finally:
            process.send(descriptors, signal.SIGCONT)


def _command_line(pid: int) -> str:
    try:
        return (
            Path(f"/proc/{pid}/cmdline")
            .read_bytes()
            .replace(b"\0", b" ")
            .decode("utf-8", "replace")
        )
    except OSError:
        return ""
