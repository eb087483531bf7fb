"""Where somebody's stack stands, for harness.platforms.kubernetes.nodes; and what is missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded.layout import write_atomically
from harness.platforms.kubernetes.client import Silent
from harness.platforms.own_cluster.pods import APPLICATION, DATABASE, OwnPods


@dataclass(frozen=True, slots=True)
class OwnStanding:
    pods: OwnPods
    memory: Path  # where databases were: one whose node is dead is nowhere

    def members(self) -> tuple[str, ...]:
        """The databases by name; where some are away, also those that were there before."""
        seen = self._seen()
        all_there = len(seen) >= self.pods.options.database.copies
        return tuple(sorted(seen if all_there else {**self._remembered(), **seen}))

    def node_of(self, member: str) -> str:
        where = {**self._remembered(), **self._seen()}
        if member not in where:
            raise PlatformError(f"no node is known for {member}")
        return where[member]

    def answers(self, node: str, *, within_s: float = 1.0) -> bool:
        path = f"/api/v1/nodes/{node}/proxy/healthz"
        try:
            return bool(node) and self.pods.cluster.text(path, within_s=within_s).strip() == "ok"
        except Silent:
            return False

    def gaps(self) -> tuple[str, ...]:
        wanted = {DATABASE: self.pods.options.database.copies, APPLICATION: 1}
        return tuple(
            f"{part}: {ready} of {least} pods are ready"
            for part, least in wanted.items()
            if (ready := len(self.pods.ready(part))) < least
        )

    def _seen(self) -> dict[str, str]:
        seen = {pod.name: pod.node for pod in self.pods.of(DATABASE) if pod.node}
        kept = self._remembered()
        if any(kept.get(name) != node for name, node in seen.items()):
            write_atomically(self.memory, json.dumps({**kept, **seen}))
        return seen

    def _remembered(self) -> dict[str, str]:
        try:
            told = json.loads(self.memory.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(k): str(v) for k, v in told.items()} if isinstance(told, dict) else {}
