"""Parts of somebody's own stack in a real cluster: its door, its documents, who leads it.

What is CloudNativePG's here is its labels and kinds alone, made by the test: no operator runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from operator_stub import instance, operator, relabel
from somebody import FRONT, LEDGER, Somebody, peakdrill, until

from harness.errors import FaultError, PlatformError
from harness.inputs.own_cluster_file import read_own_cluster
from harness.platforms.own_cluster import checks, platform
from harness.platforms.own_cluster.backups import OwnBackups
from harness.platforms.own_cluster.credentials import OwnCredentials
from harness.platforms.own_cluster.door import CLOSED
from harness.platforms.own_cluster.faults import faults
from harness.platforms.own_cluster.leaders import Leaders
from harness.platforms.own_cluster.platform import OwnClusterPlatform
from harness.platforms.own_cluster.pods import OwnPods
from harness.tenancy import adoption

pytestmark = pytest.mark.kubernetes


@pytest.fixture
def taken(theirs: Somebody, tmp_path: Path, private_home: Path) -> Iterator[OwnClusterPlatform]:
    options = read_own_cluster(theirs.write(tmp_path))
    made = platform.at(options)
    made.take_up(options)
    yield made
    made.down()
    assert not made.is_kept


def test_the_door_is_closed_seen_to_be_closed_and_opened(
    theirs: Somebody, taken: OwnClusterPlatform
) -> None:
    door = taken.ingress
    assert door is not None
    assert door.services() == ("front",)
    assert door.is_open()
    assert not door.is_closed()
    door.close()
    service = f"/api/v1/namespaces/{theirs.namespace}/services/front"
    assert theirs.cluster.get(service)["spec"]["selector"] == {**FRONT, CLOSED: "true"}
    assert door.is_closed()
    assert not door.is_open()
    assert "the door is held closed by a drill" in taken.whole().missing
    door.open()
    assert theirs.cluster.get(service)["spec"]["selector"] == FRONT
    assert door.is_open()


def test_a_door_that_a_killed_drill_closed_is_opened_by_undo(
    theirs: Somebody, taken: OwnClusterPlatform
) -> None:
    assert taken.ingress is not None
    taken.ingress.close()
    taken.down()
    assert taken.is_kept, "its undo is still to be played"
    said: list[str] = []
    assert adoption.mend_all(said.append)
    assert any("the door front is open again" in what for what in said), said
    assert not taken.is_kept
    service = f"/api/v1/namespaces/{theirs.namespace}/services/front"
    assert theirs.cluster.get(service)["spec"]["selector"] == FRONT


def test_a_door_that_may_not_be_closed_stays_open(theirs: Somebody, tmp_path: Path) -> None:
    options = read_own_cluster(theirs.write(tmp_path, ingress__may_close=False))
    made = platform.at(options)
    made.take_up(options)
    try:
        assert made.ingress is not None
        with pytest.raises(PlatformError, match="nobody said that a drill may close"):
            made.ingress.close()
    finally:
        made.down()


def test_documents_are_read_in_the_pod(taken: OwnClusterPlatform) -> None:
    documents = taken.filestore
    assert documents is not None
    nothing = "00/" + "0" * 40
    names = sorted(documents.names())
    found = list(documents.contents([nothing, "../../config/shop.json", *names[:3]]))
    assert found[:2] == [None, None]
    assert all(content for content in found[2:])


def test_a_credential_is_renewed_and_its_readers_are_rolled_out(
    theirs: Somebody, tmp_path: Path
) -> None:
    """Of a Secret that only decorates: the password of the shop stays as the tests know it."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "spare"}}
    theirs.make({**secret, "stringData": {"token": "as-it-was"}})
    place = f"/api/v1/namespaces/{theirs.namespace}/secrets/spare"
    said = {"secret": "spare", "key": "token", "restart": ["deployment/front"]}
    file = theirs.write(tmp_path, credentials={"api-token": said})
    options = read_own_cluster(file)
    named = OwnCredentials(theirs.cluster, theirs.namespace, options.credentials)
    assert named.look() == "can be renewed: api-token; not tried"
    pods = {pod["metadata"]["uid"] for pod in theirs.pods(FRONT)}
    before = theirs.cluster.get(place)["data"]
    named.rotate("api-token")
    after = theirs.cluster.get(place)["data"]
    assert after["token"] != before["token"]
    until(lambda: len(theirs.pods(FRONT)) == 2, 30)
    assert not pods & {pod["metadata"]["uid"] for pod in theirs.pods(FRONT)}
    with pytest.raises(PlatformError, match="names no credential 'other'"):
        named.rotate("other")
    lost = read_own_cluster(
        theirs.write(tmp_path, credentials={"api-token": {**said, "key": "lost"}})
    )
    with pytest.raises(PlatformError, match="has no key lost"):
        OwnCredentials(theirs.cluster, theirs.namespace, lost.credentials).look()


def test_it_is_nothing_to_bring_up_or_to_end(theirs: Somebody, tmp_path: Path) -> None:
    file = theirs.write(tmp_path)
    for word in ("up", "down"):
        code, out, err = peakdrill(tmp_path / "home", "platform", word, "--platform", str(file))
        assert code == 2, out
        assert "neither starts nor ends" in out + err


def test_cloudnative_pg_is_told_by_its_labels_and_objects(theirs: Somebody, tmp_path: Path) -> None:
    """A stub: its kinds as custom resources, two pods that bear its labels and no PostgreSQL."""
    labels = {"cnpg.io/cluster": "ledger"}
    file = theirs.write(
        tmp_path, backups={"by": "cloudnative-pg"},
        database={
            "managed_by": "cloudnative-pg", "pods": labels,
            "dsn": f"host=127.0.0.1 port={LEDGER} dbname=orders user=reader",
        },
    )  # fmt: skip
    options = read_own_cluster(file)
    pods = OwnPods(theirs.cluster, options)
    leaders = Leaders(pods)
    with operator(theirs) as owner:
        for number, role in ((1, "primary"), (2, "replica")):
            name = f"ledger-{number}"
            theirs.make(instance(name, {**labels, "cnpg.io/instanceRole": role}, owner))
        until(lambda: len(pods.ready("database")) == 2, 60)
        leader = leaders.leader()
        assert leader is not None
        assert leader.name == "ledger-1"
        made = faults(pods, leaders, "tests")
        assert [target.name for target in made.targets("primary")] == ["ledger-1"]
        assert [target.name for target in made.targets("standby")] == ["ledger-2"]
        assert made.node_of("primary") == leader.node
        assert made.missing("Cluster/ledger") == 1, "three are asked for, two are there"
        backups = OwnBackups(pods, options.backups, tmp_path / "log").listed()  # type: ignore[arg-type]
        assert [(one.name, one.is_complete) for one in backups] == [
            ("nightly-2", False), ("nightly-1", True),
        ]  # fmt: skip
        told = [look.told for look in checks.looks(options) if look.capability == "backups"]
        assert "the newest complete one nightly-1" in told[0]
        assert "unproven" in told[0]
        relabel(theirs, "ledger-2", "primary")
        with pytest.raises(FaultError, match="ledger-1 and ledger-2 both say that they lead"):
            made.targets("primary")
        relabel(theirs, "ledger-2", "replica")
        relabel(theirs, "ledger-1", "replica")
        with pytest.raises(FaultError, match="no pod is primary: nobody leads just now"):
            made.targets("primary")
