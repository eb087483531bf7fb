"""Where the tests of a stack in a cluster find their helpers, and the stack itself."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from required import require_cluster
from somebody import DOOR, LEDGER, Somebody, somebody

from harness.errors import Refused
from harness.inputs.kubernetes_file import PORTS, read_kubernetes
from harness.platforms.kubernetes.platform import KubernetesPlatform
from harness.platforms.kubernetes.up import up

_SHIFT = 200  # NodePorts of its own, beside a stack that has the defaults


@pytest.fixture(scope="session")
def stack_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A namespace and ports of its own; hooks where CLUSTER names the test cluster's tool."""
    require_cluster()
    told: dict[str, object] = {
        "kind": "kubernetes",
        "disposable": True,
        "namespace": f"stack-{secrets.token_hex(3)}",
        "node_ports": {name: port + _SHIFT for name, port in PORTS},
    }
    if tool := os.environ.get("CLUSTER"):
        told["nodes"] = {
            "stop": [tool, "node-kill", "{number}"],
            "start": [tool, "node-up", "{number}"],
        }
    file = tmp_path_factory.mktemp("stack") / "platform.yaml"
    file.write_text(json.dumps(told))  # JSON is YAML
    return file


@pytest.fixture(scope="session")
def stack(stack_file: Path, private_home: Path) -> Iterator[KubernetesPlatform]:
    """Brought once, and nothing of it is left at the end."""
    options = read_kubernetes(stack_file)
    try:
        platform = up(options)
    except Refused as error:
        pytest.fail(f"{error.what} {error.next_step}")
    cluster = platform.cluster
    try:
        yield platform
    finally:
        platform.down()
    assert not platform.directory.exists()
    for namespace in (options.namespace, options.edge_namespace):
        assert cluster.find(f"/api/v1/namespaces/{namespace}") is None


@pytest.fixture(scope="session")
def theirs() -> Iterator[Somebody]:
    """Somebody else's stack, brought once; nothing of it is left at the end."""
    require_cluster()
    with somebody(f"theirs-{secrets.token_hex(3)}", door=DOOR, database=LEDGER) as stack:
        yield stack
