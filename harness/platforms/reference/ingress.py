"""The capability `ingress` of a reference stack: told by way of its site, seen from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.platforms.embedded import credentials
from harness.platforms.embedded.doors import Doors
from harness.platforms.embedded.ingress import HEALTH
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import QUEUE, Site

_HANG_UP = ("python3", "-m", "harness.platforms.reference.inside.queue_clients")


def ingress(layout: Layout, ports: Ports, site: Site, health: str = HEALTH) -> Doors:
    """Both doors."""
    return Doors(ports.named(), SiteOrders(layout, site), health)


@dataclass(frozen=True, slots=True)
class SiteOrders:
    """Orders that the site carries to the ingress."""

    layout: Layout
    site: Site

    def tell(self, *, closed: bool, queue_closed: bool) -> None:
        self.site.set_doors(closed=closed, queue_closed=queue_closed)

    def told(self) -> tuple[bool, bool]:
        return self.site.doors()

    def hang_up(self) -> None:
        """By the queue's own container: its door is closed. One that is gone holds nobody."""
        if self.site.is_running(QUEUE):
            password = credentials.load(self.layout).valkey
            self.site.run(QUEUE, _HANG_UP, stdin=json.dumps({"password": password}).encode())
