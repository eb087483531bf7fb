"""What Docker says, asked by the tests themselves and not by the code under test."""

from __future__ import annotations

import time
from collections.abc import Callable

import docker

PATIENCE_S = 180.0  # a loaded machine may be slow; no sound test waits this long


def until(reached: Callable[[], bool], what: Callable[[], str] | str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        told = what if isinstance(what, str) else what()
        assert time.monotonic() < deadline, f"never seen: {told}"
        time.sleep(0.1)


def labelled(platform_id: str = "") -> list[str]:
    """Names of everything that bears our label: of one platform, or of any."""
    chosen = {"label": f"peakdrill.platform={platform_id}" if platform_id else "peakdrill.platform"}
    asked = docker.from_env()
    try:
        found = [c.name for c in asked.containers.list(all=True, filters=chosen)]
        found += [v.name for v in asked.volumes.list(filters=chosen)]
        return found + [n.name for n in asked.networks.list(filters=chosen)]
    finally:
        asked.close()


def inspected(name: str) -> dict[str, object]:
    asked = docker.from_env()
    try:
        told: dict[str, object] = asked.api.inspect_container(name)
        return told
    finally:
        asked.close()
