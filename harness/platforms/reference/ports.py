"""Where the stack's doors are on this machine: NodePorts, or published container ports.

All on loopback, and fixed for as long as the platform lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class Ports:
    """One number a door. Those beside the doors are 0 where there is no such way."""

    pg_0: int
    pg_1: int
    patroni_0: int
    patroni_1: int
    ingress: int
    queue_door: int
    ingress_api: int
    store: int
    partners: int
    queue: int = 0  # itself, whatever its door says
    application: int = 0  # one replica

    @staticmethod
    def of(named: Mapping[str, int]) -> Ports:
        """Out of what is kept; other names are left out."""
        known = {field.name for field in fields(Ports)}
        return Ports(**{name: port for name, port in named.items() if name in known})

    def named(self) -> dict[str, int]:
        """As the code that is shared with the embedded platform asks for them: the store is s3."""
        return {**asdict(self), "s3": self.store}

    def pg(self, member: str) -> int:
        """PostgreSQL of a member: `database-0` answers at pg_0."""
        return self.named()[f"pg_{_number(member)}"]

    def patroni(self, member: str) -> int:
        return self.named()[f"patroni_{_number(member)}"]


def _number(member: str) -> str:
    return member.rpartition("-")[2]
