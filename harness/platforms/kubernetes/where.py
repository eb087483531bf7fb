"""Which cluster is spoken to. Enough to speak to the same one again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """Holds no credential: those stay in the kubeconfig."""

    context: str
    server: str
    kubeconfig: str  # "": the service account of the pod that this runs in

    def __str__(self) -> str:
        return f"context {self.context} at {self.server}"
