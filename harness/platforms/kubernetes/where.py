"""Which cluster is spoken to. Enough to speak to the same one again."""

from __future__ import annotations

from dataclasses import dataclass

IN_CLUSTER = "in-cluster"  # the context of a pod that has no kubeconfig


@dataclass(frozen=True, slots=True)
class Where:
    """Holds no credential: those stay in the kubeconfig."""

    context: str
    server: str
    kubeconfig: str  # "": the service account of the pod that this runs in

    @property
    def is_pod(self) -> bool:
        """We are one of the cluster's own pods, and speak as its service account."""
        return not self.kubeconfig

    def __str__(self) -> str:
        return f"context {self.context} at {self.server}"
