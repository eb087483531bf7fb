"""What a cluster is found to be, by whoever brings a stack to it or takes one up."""

from __future__ import annotations

from harness.errors import PlatformError
from harness.platforms.kubernetes import objects
from harness.platforms.kubernetes.client import Cluster
from harness.platforms.kubernetes.state import Found

_RENEWALS_PER_LEASE = 4  # a kubelet renews its lease at a quarter of its duration
_LEASE_S = 40.0  # upstream's own, where no lease can be read
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


def found_in(cluster: Cluster) -> Found:
    """Raises PlatformError."""
    return Found(
        where=cluster.where,
        versions=(("kubernetes", cluster.version),),
        lease_renewal_s=_lease_renewal_s(cluster),
        nodes=len(objects.nodes(cluster)),
    )


def _lease_renewal_s(cluster: Cluster) -> float:
    """Where that cannot be read: as upstream has it."""
    try:
        leases = cluster.get(_LEASES)["items"]
    except PlatformError:
        leases = []
    durations = [float(lease["spec"].get("leaseDurationSeconds") or _LEASE_S) for lease in leases]
    return max(durations, default=_LEASE_S) / _RENEWALS_PER_LEASE
