"""How a platform makes a second environment beside the first: pods and namespaces, or containers.

What stands outside an environment (the doors, the store, the partners) stays, with new identities
at the store. An environment is named as `Layout.environment` is: "" the original, else "clean-1".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import MEMBERS, QUEUE, Site

CLEAN = "clean-1"  # the one clean room that a platform may have
FILESTORE = "filestore"
VOLUMES = (*MEMBERS, QUEUE, FILESTORE)  # what an environment keeps; a part's bears its name
MOUNTED = "/volume"  # where `look_into` has it


@dataclass(frozen=True, slots=True)
class Serving:
    """The environment that serves now, by the platform's own state."""

    environment: str
    ports: Ports
    options: Options


class Rooms(Protocol):
    """Every call raises PlatformError."""

    @property
    def base(self) -> Layout:
        """Of the original environment: the platform's own folder."""

    def serving(self) -> Serving: ...
    def site(self, environment: str, ports: Ports) -> Site: ...
    def queue_port(self, environment: str, ports: Ports) -> int:
        """Of the queue itself on this machine, whatever its door says."""

    def application_port(self, environment: str, ports: Ports) -> int:
        """Of one replica on this machine, whatever the door says."""

    def stand_still(self) -> None:
        """End every container of the original environment; its volumes stay. Observed.

        Harmless when they are ended.
        """

    def look_into(self, volume: str, words: Sequence[str], *, within_s: float) -> bytes:
        """Run a command where a volume of the original environment is mounted, read-only.

        In a container of its own, which is gone when this returns. The command's stdout.
        """

    def furnish(self, environment: str) -> Ports:
        """Everything of an environment whose secrets are in its layout, and its doors' numbers.

        Its databases are held and archive nothing. What stands outside was started anew and knows
        the new identities alone. May be repeated after any death.
        """

    def lead(self, environment: str) -> None:
        """The doors lead to it from now on; a closed one stays closed. May be repeated."""

    def become(self, environment: str, ports: Ports, backup_id: str) -> None:
        """The platform's state on disk says so, for every later process too."""

    def addresses(self, environment: str) -> tuple[str, ...]:
        """HOST:PORT of its parts, as somebody in another environment would name them."""

    def shared(self, environment: str) -> tuple[str, ...]:
        """What it has in common with the original one, by the platform's own word: secrets as they
        are mounted, containers that still run, volumes, networks. A sentence each.
        """
