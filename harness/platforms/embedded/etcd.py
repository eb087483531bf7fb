"""etcd: the consensus store in which Patroni's leader holds its lease.

`--unsafe-no-fsync` is for a lab only: nothing here survives power loss, and nothing has to.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import programs, web
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.node import Part, clean_environment


def part(layout: Layout, ports: dict[str, int]) -> Part:
    client, peer = (f"http://127.0.0.1:{ports[name]}" for name in ("etcd", "etcd_peer"))
    folder = layout.part("etcd")
    return Part(
        name="etcd",
        argv=command(folder / "data", client=client, peer=peer),
        env=clean_environment(folder),
        folder=str(folder),
        log=str(layout.logs / "etcd.log"),
    )


def command(data: Path, *, client: str, peer: str, advertised: str = "") -> list[str]:
    """A cluster of one. `client` and `peer` are URLs to listen at, `advertised` is for clients."""
    return [
        programs.etcd(), "--name", "c", "--data-dir", str(data),
        "--listen-client-urls", client, "--advertise-client-urls", advertised or client,
        "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
        "--initial-cluster", f"c={peer}", "--unsafe-no-fsync", "--heartbeat-interval", "50",
        "--election-timeout", "300", "--log-level", "warn", "--logger", "zap",
    ]  # fmt: skip


def is_healthy(ports: dict[str, int]) -> bool:
    """Has a leader and takes proposals."""
    answer = web.ask(ports["etcd"], "/health")
    return answer is not None and answer.status == 200


def put(ports: dict[str, int], key: str, value: str) -> None:
    """Set a key before anybody reads it."""
    body = json.dumps({"key": _base64(key), "value": _base64(value)}).encode()
    answer = web.ask(ports["etcd"], "/v3/kv/put", method="POST", body=body, timeout_s=5.0)
    if answer is None or answer.status != 200:
        raise PlatformError(f"etcd did not take {key}", next_step="see logs/etcd.log")


def delete_below(ports: dict[str, int], prefix: str) -> None:
    """Every key that begins with `prefix`."""
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    body = json.dumps({"key": _base64(prefix), "range_end": _base64(end)}).encode()
    answer = web.ask(ports["etcd"], "/v3/kv/deleterange", method="POST", body=body, timeout_s=5.0)
    if answer is None or answer.status != 200:
        raise PlatformError(f"etcd did not delete {prefix}", next_step="see logs/etcd.log")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
