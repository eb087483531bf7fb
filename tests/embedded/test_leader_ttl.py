"""How long a dead leader holds the lock: as asked for, in the cluster's own words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.platforms.embedded import web
from harness.platforms.embedded.layout import load_state
from harness.platforms.embedded.platform import EmbeddedPlatform, up

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]


def test_the_cluster_keeps_the_ttl_that_was_asked_for(private_home: Path, tmp_path: Path) -> None:
    """Whatever start-up asks of Patroni on the way: a faster one would make drills look better."""
    started = up(tmp_path / "platform", leader_ttl_s=28)
    try:
        assert ttl_of(started) == 28
        assert "Patroni ttl 28 s" in " ".join(started.facts().notes)
    finally:
        started.down()


def ttl_of(platform: EmbeddedPlatform) -> int:
    ports = load_state(platform._layout).ports
    answer = web.ask(ports["patroni_a"], "/config")
    assert answer is not None
    return int(json.loads(answer.body)["ttl"])
