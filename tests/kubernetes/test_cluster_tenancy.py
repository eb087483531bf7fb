"""One drill's at a time across machines: who has it, since when; the dead have nothing."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from required import require_cluster
from somebody import until

from harness.errors import PlatformError, Refused
from harness.platforms.kubernetes.client import connect
from harness.platforms.kubernetes.tenancy import NAME, PLACE, Tenancy
from harness.platforms.reference import lease as leases

pytestmark = pytest.mark.kubernetes
LASTS_S, EVERY_S = 4, 0.5
_HOLDER = f"""
import sys, time
from harness.platforms.kubernetes.client import connect
from harness.platforms.kubernetes.tenancy import Tenancy
with Tenancy(connect(), sys.argv[1], sys.argv[2], {LASTS_S}, {EVERY_S}).held():
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    require_cluster()
    cluster, name = connect(), f"tenancy-{secrets.token_hex(3)}"
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    cluster.apply(f"/api/v1/namespaces/{name}", document)
    try:
        yield name
    finally:
        cluster.delete(f"/api/v1/namespaces/{name}")


def tenancy(namespace: str, mine: str = "here") -> Tenancy:
    return Tenancy(connect(), namespace, mine, LASTS_S, EVERY_S)


def lease_in(namespace: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = connect().find(leases.path(namespace, NAME))
    return found


def holder(namespace: str, mine: str) -> subprocess.Popen[str]:
    """A process of another machine, as far as anybody can tell."""
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, namespace, mine], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def killed(child: subprocess.Popen[str]) -> None:
    os.kill(child.pid, signal.SIGKILL)
    child.wait(10)
    assert child.stdout is not None
    child.stdout.close()


def test_it_is_held_renewed_and_given_back(namespace: str) -> None:
    with tenancy(namespace).held():
        first = lease_in(namespace)
        assert first is not None
        assert first["metadata"]["annotations"] == {PLACE: "here"}
        until(lambda: (lease_in(namespace) or {})["spec"]["renewTime"] > first["spec"]["renewTime"])
    assert lease_in(namespace) is None


def test_a_second_machine_is_told_who_has_it_and_since_when(namespace: str) -> None:
    child = holder(namespace, "there")
    try:
        with (
            pytest.raises(Refused, match="another drill has the stack") as caught,
            tenancy(namespace).held(),
        ):
            pytest.fail("two at a time")
        assert f"process {child.pid}" in caught.value.what
        assert f"since {dt.datetime.now(dt.UTC):%Y-%m-%dT}" in caught.value.what
        assert "runs out by itself" in caught.value.next_step
        time.sleep(LASTS_S + 1)  # renewed all the while
        with pytest.raises(Refused), tenancy(namespace).held():
            pytest.fail("two at a time")
    finally:
        killed(child)
    until(lambda: takes(namespace), LASTS_S + 10)
    assert lease_in(namespace) is None


def takes(namespace: str) -> bool:
    try:
        with tenancy(namespace).held():
            return True
    except Refused:
        return False


def test_what_a_dead_one_of_the_same_place_left_is_taken_over_at_once(namespace: str) -> None:
    killed(holder(namespace, "here"))
    assert lease_in(namespace) is not None
    with tenancy(namespace).held():
        found = lease_in(namespace)
        assert found is not None
        assert f"process {os.getpid()}" in found["spec"]["holderIdentity"]
    assert lease_in(namespace) is None


def test_a_clock_that_is_wrong_makes_nobody_dead(namespace: str) -> None:
    """Its renewals are an hour old by our clock, and go on."""
    cluster, over = connect(), time.monotonic() + EVERY_S * 8
    path = leases.path(namespace, NAME)
    old = leases.spelled(dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
    meta = {"name": NAME, "annotations": {PLACE: "there"}}
    spec = {
        "holderIdentity": "them",
        "leaseDurationSeconds": 4,
        "acquireTime": old,
        "renewTime": old,
    }
    kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    cluster.call("POST", leases.path(namespace), body={**kind, "metadata": meta, "spec": spec})
    child = subprocess.Popen([sys.executable, "-c", RENEWS, path, str(over - time.monotonic())])
    try:
        with pytest.raises(Refused, match="them, since"), tenancy(namespace).held():
            pytest.fail("two at a time")
    finally:
        child.wait(30)
    with tenancy(namespace).held():
        pass


RENEWS = """
import sys, time, datetime as dt
from harness.platforms.kubernetes.client import connect
from harness.platforms.reference import lease as leases
cluster, until = connect(), time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    then = leases.spelled(dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
    cluster.patch(sys.argv[1], {"spec": {"renewTime": then}})
    time.sleep(0.3)
"""


def test_a_namespace_that_is_gone_is_nobodys(namespace: str) -> None:
    with tenancy(f"{namespace}-gone").held():
        assert lease_in(f"{namespace}-gone") is None


def test_a_cluster_that_does_not_answer_is_no_free_one(tmp_path: Path, namespace: str) -> None:
    file = tmp_path / "kubeconfig"
    text = Path(os.environ["KUBECONFIG"]).read_text()
    file.write_text(text.replace(str(connect().where.server), "https://127.0.0.1:9"))
    nowhere = Tenancy(connect(kubeconfig=str(file)), namespace, "here")
    with pytest.raises(PlatformError, match="does not answer"), nowhere.held():
        pytest.fail("nobody knows whether it is free")
