"""Is a reference stack whole: redundant, archiving, backed up, serving? A sentence for what is not.

What cannot be asked is not whole: silence is a sentence, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from harness.errors import PlatformError
from harness.platforms.capabilities import Wholeness
from harness.platforms.embedded import credentials, doors, ingress, s3, valkey, web
from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.embedded.whole import backup_gaps
from harness.platforms.reference.database import database
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import APPLICATION, KEEPER, MEMBERS, Site

REPLICAS = 2
_RUNNING = (*MEMBERS, KEEPER)  # the others are asked through their doors


@dataclass(frozen=True, slots=True)
class Stack:
    """What is asked. `backup_id` names the newest gated base backup that is known of."""

    layout: Layout
    ports: Ports
    options: Options
    site: Site
    backup_id: str
    health: str = ingress.HEALTH
    protected: Callable[[], Wholeness] | None = None  # of a database that is not under our Patroni
    lacking: frozenset[str] = frozenset()  # capabilities that nobody asks about

    def look(self) -> Wholeness:
        """Every part is asked, all at once."""
        asked: Sequence[Callable[[], Sequence[str]]] = (
            self._running_gaps,
            self._database_gaps,
            self._serving_gaps,
            self._support_gaps,
            self._backup_gaps,
        )
        with ThreadPoolExecutor(max_workers=len(asked)) as pool:
            missing = tuple(gap for gaps in pool.map(_or_why_not, asked) for gap in gaps)
        return Wholeness(not missing, missing)

    def _running_gaps(self) -> Sequence[str]:
        gaps = [f"{part} does not run" for part in _RUNNING if not self.site.is_running(part)]
        replicas = len(self.site.replicas(APPLICATION))
        if replicas < REPLICAS:
            gaps.append(f"{replicas} of {REPLICAS} replicas of the application run")
        return gaps

    def _database_gaps(self) -> Sequence[str]:
        if self.protected is not None:
            return self.protected().missing
        return database(self.layout, self.ports, self.options, self.site).protected().missing

    def _serving_gaps(self) -> Sequence[str]:
        named = self.ports.named()
        routed, gaps = len(ingress.routed_urls(named)), []
        if routed < REPLICAS:
            gaps.append(f"the ingress holds {routed} of {REPLICAS} replicas for healthy")
        if not doors.serves(named, self.health):
            gaps.append("the application does not answer through the ingress")
        return gaps

    def _support_gaps(self) -> Sequence[str]:
        gaps, secrets = [], credentials.load(self.layout)
        if "cache" not in self.lacking and not valkey.is_healthy(
            {"valkey": self.ports.queue_door}, secrets
        ):
            gaps.append("the queue does not answer at its door")
        asked = "integrations" not in self.lacking
        if asked and web.ask(self.ports.partners, "/payment/calls?prefix=none") is None:
            gaps.append("the integration partners do not answer")
        return gaps

    def _backup_gaps(self) -> Sequence[str]:
        if "backups" in self.lacking:
            return ()
        store = s3.archivist(self.ports.named(), credentials.load(self.layout))
        return backup_gaps(self.layout, store, self.backup_id)


def look(layout: Layout, ports: Ports, options: Options, site: Site, backup_id: str) -> Wholeness:
    """Whole, or a sentence for each thing that is not as it should be."""
    return Stack(layout, ports, options, site, backup_id).look()


def _or_why_not(asked: Callable[[], Sequence[str]]) -> Sequence[str]:
    try:
        return asked()
    except PlatformError as error:
        return (error.what,)
