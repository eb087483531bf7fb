"""Whether there is a cluster, for tests that need one."""

from __future__ import annotations

import os

import pytest

from harness.errors import PlatformError
from harness.platforms.kubernetes.client import connect


def require_cluster() -> None:
    """Where it is required and missing, the tests fail; else they are skipped with the reason."""
    try:
        connect(kubeconfig=os.environ.get("KUBECONFIG", "no KUBECONFIG")).get("/version")
    except PlatformError as error:
        if os.environ.get("PEAKDRILL_REQUIRE_KUBERNETES") == "1":
            pytest.fail(f"{error.what}, and PEAKDRILL_REQUIRE_KUBERNETES=1 demands it")
        pytest.skip(f"not run: {error.what}")
