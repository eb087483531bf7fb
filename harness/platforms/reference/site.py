"""Where a reference stack runs, as far as its capabilities have to know.

A part is named as the stack names it: "database-0", "database-1", "application" (all replicas),
"queue", "keeper", "ingress", "store", "partners". A node is named as the site names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

MEMBERS = ("database-0", "database-1")
APPLICATION, QUEUE, KEEPER = "application", "queue", "keeper"
INGRESS, STORE, PARTNERS = "ingress", "store", "partners"
PARTS = (*MEMBERS, APPLICATION, QUEUE, KEEPER, INGRESS, STORE, PARTNERS)
AGENT = ("python3", "-m", "harness.platforms.reference.inside.agent")


class Site(Protocol):
    """Pods of a cluster, or containers of this machine. Every call raises PlatformError."""

    def run(
        self, part: str, words: Sequence[str], *, stdin: bytes = b"", within_s: float = 60.0
    ) -> bytes:
        """Run a command in the part's container; what it wrote to stdout.

        Raises PlatformError with the end of its stderr where it failed, did not end in time, or
        the part does not run. Secrets go by stdin, never by `words`.
        """

    def is_running(self, part: str) -> bool:
        """Its container runs; of a part with replicas, at least one does."""

    def replicas(self, part: str) -> tuple[str, ...]:
        """The names of its containers that run, each a part of its own to `run` and `logs`."""

    def put_secrets(self, changed: Mapping[str, str]) -> None:
        """New values where the parts read them: a file's name below /secrets, its text.

        Returns when they are stored; when a part reads them is the part's own matter.
        """

    def restart(self, part: str, *, within_s: float) -> None:
        """With the secrets of now; rolling where it has replicas. Returns when it is ready."""

    def set_doors(self, *, closed: bool, queue_closed: bool) -> None:
        """What the ingress's watcher is told. That it took effect is observed, not believed."""

    def doors(self) -> tuple[bool, bool]:
        """(closed, queue_closed) as last told."""

    def logs(self, part: str) -> str:
        """The end of what the part wrote to stdout and stderr, of all replicas."""

    def forget_cluster(self) -> None:
        """Patroni's memory of the cluster goes: who led, which data, under which configuration.

        Only while both databases stand still. Harmless when it is gone.
        """

    def member_of(self, node: str) -> str:
        """The database member on a node, by the node's name or the member's own.

        Raises PlatformError where none is there.
        """

    def node_of(self, member: str) -> str:
        """The node that a database member is on, or was on last. Raises PlatformError."""
