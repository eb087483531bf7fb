"""The capability `database` of a reference stack: the same code as the embedded platform's.

Who leads, who follows and what is damaged is asked through the members' doors; their files are
reached by an exec, for nobody outside has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.platforms.embedded.cluster import Cluster, DatabaseNode
from harness.platforms.embedded.database import PatroniDatabase
from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.embedded.pages import DamagedPage
from harness.platforms.reference import member_agent
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import MEMBERS, Site

_WALK_S = 120.0
_ANSWER_S = 30.0


def database(layout: Layout, ports: Ports, options: Options, site: Site) -> PatroniDatabase:
    """Named by the nodes that its two members are on. Raises PlatformError."""
    return PatroniDatabase(
        cluster_of(ports, site), layout, options, disk=lambda node: AgentDisk(site, node.member)
    )


def cluster_of(ports: Ports, site: Site) -> Cluster:
    """Both members, where they are now."""
    return tuple(
        DatabaseNode(site.node_of(member), member, ports.pg(member), ports.patroni(member))
        for member in MEMBERS
    )


@dataclass(frozen=True, slots=True)
class AgentDisk:
    """A member's data folder, by what its agent says of it."""

    site: Site
    member: str

    def damaged_pages(self) -> tuple[tuple[DamagedPage, ...], int]:
        told = self._ask("page-checksums", within_s=_WALK_S)
        try:
            damaged = tuple(DamagedPage(**page) for page in told["damaged"])
            return damaged, int(told["pages"])
        except (KeyError, TypeError, ValueError) as error:
            raise member_agent.not_understood(self.member, "page-checksums") from error

    def write_garbage(self, file: str, block: int) -> None:
        self._ask("write-garbage", file, str(block))

    def mark(self) -> None:
        self._ask("mark")

    def is_marked(self) -> bool:
        marked = self._ask("marked").get("marked")
        if not isinstance(marked, bool):
            raise member_agent.not_understood(self.member, "marked")
        return marked

    def unmark(self) -> None:
        self._ask("unmark")

    def _ask(self, *words: str, within_s: float = _ANSWER_S) -> dict[str, Any]:
        return member_agent.ask(self.site, self.member, *words, within_s=within_s)
