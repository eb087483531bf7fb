"""Where the stack's doors are on this machine: NodePorts, or published container ports.

All on loopback, and fixed for as long as the platform lives.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Ports:
    """One number a door."""

    pg_0: int
    pg_1: int
    patroni_0: int
    patroni_1: int
    ingress: int
    queue_door: int
    ingress_api: int
    store: int
    partners: int

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
