"""The role `consensus`: etcd, where Patroni cannot speak to Kubernetes."""

from __future__ import annotations

from harness.platforms.embedded import etcd
from harness.platforms.reference.inside import running
from harness.platforms.reference.inside.settings import Settings

PORT = 2379
_PEER = "http://127.0.0.1:2380"  # a cluster of one has none


def main(settings: Settings) -> int:
    """Never returns: it becomes the program."""
    argv = etcd.command(
        settings.data / "etcd",
        client=f"http://0.0.0.0:{PORT}",
        peer=_PEER,
        advertised=f"http://{settings.text('ADDRESS')}:{PORT}",
    )
    return running.become(argv, home=settings.data)
