"""Valkey: the cache, and the queue whose answer is an order's acknowledgement.

An entry reaches the append-only file before its answer leaves, so the death of the process loses
nothing; power loss could lose a second.
"""

from __future__ import annotations

import socket
from pathlib import Path

from harness.platforms.embedded import programs
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import Layout, write_atomically
from harness.platforms.embedded.node import Part, clean_environment


def configure(layout: Layout, ports: dict[str, int], secrets: Secrets) -> Path:
    """What it reads at its next start; a running one is told by CONFIG SET."""
    folder = layout.part("valkey")
    file = folder / "valkey.conf"
    write_atomically(file, configuration(folder, "127.0.0.1", ports["valkey"], secrets.valkey))
    return file


def configuration(folder: Path, host: str, port: int, password: str) -> str:
    """Lines of a valkey.conf."""
    return "\n".join(
        [
            f"bind {host}",
            f"port {port}",
            f"requirepass {password}",
            f'dir "{folder}"',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "daemonize no",
            "maxmemory-policy noeviction",
            "",
        ]
    )


def part(layout: Layout, ports: dict[str, int], secrets: Secrets) -> Part:
    folder = layout.part("valkey")
    file = configure(layout, ports, secrets)
    return Part(
        name="valkey",
        argv=[programs.valkey(), str(file)],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(layout.logs / "valkey.log"),
    )


def is_healthy(ports: dict[str, int], secrets: Secrets) -> bool:
    """Answers a PING that came with the password."""
    try:
        with socket.create_connection(("127.0.0.1", ports["valkey"]), timeout=1.0) as connection:
            connection.settimeout(1.0)
            connection.sendall(f"AUTH {secrets.valkey}\r\nPING\r\n".encode())
            heard = b""
            while b"PONG" not in heard and b"-" not in heard:
                more = connection.recv(200)
                if not more:
                    return False
                heard += more
    except OSError:
        return False
    return b"PONG" in heard
