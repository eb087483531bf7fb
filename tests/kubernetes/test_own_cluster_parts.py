"""Parts of somebody's own stack over a stub of the API: who leads, what is listed, what is unproven."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_stub import Api, kubeconfig, served

from harness.errors import FaultError, PlatformError
from harness.inputs.own_cluster_file import OwnClusterOptions, read_own_cluster
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.own_cluster import facts
from harness.platforms.own_cluster.backups import OwnBackups, read_listing
from harness.platforms.own_cluster.database import OwnDatabase
from harness.platforms.own_cluster.door import CLOSED, OwnDoor
from harness.platforms.own_cluster.faults import faults
from harness.platforms.own_cluster.leaders import Leaders
from harness.platforms.own_cluster.nodes import OwnStanding
from harness.platforms.own_cluster.pods import OwnPods

PODS = "/api/v1/namespaces/webshop/pods"
BACKUPS = "/apis/postgresql.cnpg.io/v1/namespaces/webshop/backups"
BARMAN = """\
Backup ID           End Time                 Begin Wal                     Archival Status  Name
20261125T020000     2026-11-25 02:03:11      00000001000000000000000A
20261126T020000     2026-11-26 02:03:40      00000001000000000000000F      KEEP:FULL
20261127T020000     FAILED
"""
PGBACKREST = """\
stanza: shop
    status: ok
    db (current)
        full backup: 20261122-010000F
            timestamp start/stop: 2026-11-22 01:00:00+00 / 2026-11-22 01:04:10+00
        diff backup: 20261122-010000F_20261124-010000D
"""


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def cluster(api: Api, tmp_path: Path) -> Iterator[Cluster]:
    with served(api) as server:
        yield connect(kubeconfig=str(kubeconfig(tmp_path, server)))


def options(folder: Path, managed_by: str = "patroni", **more: object) -> OwnClusterOptions:
    said: dict[str, object] = {
        "kind": "kubernetes", "stack": "own", "disposable": True, "namespace": "webshop",
        "application": {
            "kind": "odoo", "url": "http://127.0.0.1:9", "database": "shop", "login": "admin",
            "password_file": "password", "pods": {"app": "web"},
        },
        "database": {"managed_by": managed_by, "pods": {"app": "pg"}, "dsn": "host=127.0.0.1"},
        **more,
    }  # fmt: skip
    file = folder / "platform.yaml"
    file.write_text(json.dumps(said))
    return read_own_cluster(file)


def pod(name: str, node: str = "n1", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "uid": name, "labels": labels},
        "spec": {"nodeName": node, "containers": [{"name": "postgres"}, {"name": "metrics"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def leaders(cluster: Cluster, told: OwnClusterOptions) -> Leaders:
    return Leaders(OwnPods(cluster, told))


@pytest.mark.parametrize("word", ["master", "primary"])
def test_patroni_is_told_by_its_label(
    api: Api, cluster: Cluster, tmp_path: Path, word: str
) -> None:
    two = [pod("pg-0", "n1", role="replica"), pod("pg-1", "n2", role=word)]
    api.answers[PODS] = (200, {"items": two})
    made = leaders(cluster, options(tmp_path))
    found = made.leader()
    assert found is not None
    assert (found.name, found.node) == ("pg-1", "n2")
    assert [one.name for one in made.followers()] == ["pg-0"]
    assert OwnDatabase(made).leader() == "n2"
    assert OwnDatabase(made).names() == ("n1", "n2")


def test_two_leaders_and_none_are_errors_and_nothing_is_hit(
    api: Api, cluster: Cluster, tmp_path: Path
) -> None:
    told = options(tmp_path)
    made = faults(OwnPods(cluster, told), leaders(cluster, told), "tests")
    both = [pod("pg-0", role="master"), pod("pg-1", role="primary")]
    api.answers[PODS] = (200, {"items": both})
    with pytest.raises(FaultError, match="pg-0 and pg-1 both say that they lead"):
        made.targets("primary")
    api.answers[PODS] = (200, {"items": [pod("pg-0", role="replica")]})
    with pytest.raises(FaultError, match="no pod is primary: nobody leads just now"):
        made.targets("primary")
    api.answers[PODS] = (200, {"items": [pod("pg-0", role="master")]})
    with pytest.raises(FaultError, match="no pod is standby: the leader is alone"):
        made.targets("standby")
    assert {method for method, _, _ in api.asked} == {"GET"}


def test_labels_that_match_nothing_are_named(api: Api, cluster: Cluster, tmp_path: Path) -> None:
    api.answers[PODS] = (200, {"items": []})
    with pytest.raises(PlatformError, match="nothing matches app=pg") as caught:
        leaders(cluster, options(tmp_path)).leader()
    assert "mend database: pods: in platform.yaml" in caught.value.next_step


def test_a_container_that_is_not_there_is_named(api: Api, cluster: Cluster, tmp_path: Path) -> None:
    api.answers[PODS] = (200, {"items": [pod("pg-0")]})
    database = {"managed_by": "plain", "pods": {"app": "pg"}, "dsn": "host=127.0.0.1",
                "container": "pg15"}  # fmt: skip
    with pytest.raises(PlatformError, match="pod pg-0 has no container pg15"):
        leaders(cluster, options(tmp_path, database=database)).leader()


def test_too_few_pods_are_not_protected(api: Api, cluster: Cluster, tmp_path: Path) -> None:
    api.answers[PODS] = (200, {"items": [pod("pg-0", role="master")]})
    database = {"managed_by": "patroni", "pods": {"app": "pg"}, "dsn": "host=127.0.0.1",
                "copies": 3}  # fmt: skip
    seen = OwnDatabase(leaders(cluster, options(tmp_path, database=database))).protected()
    assert not seen.whole
    assert seen.missing[0] == "1 of 3 database pods are ready"


def test_a_member_that_is_away_is_where_it_was(api: Api, cluster: Cluster, tmp_path: Path) -> None:
    standing = OwnStanding(OwnPods(cluster, options(tmp_path)), tmp_path / "places.json")
    api.answers[PODS] = (200, {"items": [pod("pg-0", "n1"), pod("pg-1", "n2")]})
    assert standing.members() == ("pg-0", "pg-1")
    api.answers[PODS] = (200, {"items": [pod("pg-0", "n3")]})
    assert standing.members() == ("pg-0", "pg-1")
    assert (standing.node_of("pg-0"), standing.node_of("pg-1")) == ("n3", "n2")
    with pytest.raises(PlatformError, match="no node is known for pg-7"):
        standing.node_of("pg-7")


def test_what_the_tools_print_is_read_as_far_as_it_names_backups() -> None:
    barman = read_listing(BARMAN)
    assert [(one.name, one.is_complete) for one in barman] == [
        ("20261127T020000", False), ("20261126T020000", True), ("20261125T020000", True),
    ]  # fmt: skip
    pgbackrest = [one.name for one in read_listing(PGBACKREST)]
    assert pgbackrest == ["20261122-010000F_20261124-010000D", "20261122-010000F"]
    assert read_listing("no backups\n") == ()


def test_cloudnative_pg_is_listed_by_its_objects_and_a_missing_kind_is_no_empty_list(
    api: Api, cluster: Cluster, tmp_path: Path
) -> None:
    told = options(tmp_path, "cloudnative-pg", backups={"by": "cloudnative-pg"})
    assert told.backups is not None
    made = OwnBackups(OwnPods(cluster, told), told.backups, tmp_path / "log")
    with pytest.raises(PlatformError, match="has no CloudNativePG"):
        made.listed()
    done = {"phase": "completed", "stoppedAt": "2026-11-26T02:00:00Z"}
    items = [{"metadata": {"name": "a"}, "status": done}, {"metadata": {"name": "b"}}]
    api.answers[BACKUPS] = (200, {"items": items})
    assert [(one.name, one.is_complete) for one in made.listed()] == [("a", True), ("b", False)]
    with pytest.raises(PlatformError, match="no command is named that would verify"):
        made.verify("a")


def test_the_owners_commands_are_run_and_believed_by_their_exit_code(
    cluster: Cluster, tmp_path: Path
) -> None:
    script = tmp_path / "backups"
    script.write_text(
        "#!/bin/sh\ncase $1 in list) echo 20261126T020000 DONE;;"
        ' verify) [ "$2" = 20261126T020000 ];; restore) echo "$2 to $3" >restored;; esac\n'
    )
    script.chmod(0o700)
    said = {"by": "barman-cloud", "list": ["./backups", "list"],
            "verify": ["./backups", "verify", "{backup}"],
            "restore": ["./backups", "restore", "{backup}", "{until}"]}  # fmt: skip
    told = options(tmp_path, backups=said)
    assert told.backups is not None
    made = OwnBackups(OwnPods(cluster, told), told.backups, tmp_path / "log")
    (only,) = made.listed()
    assert made.verify(only.name).whole
    seen = made.verify("20200101T000000")
    assert not seen.whole
    assert "ended with exit code 1" in seen.missing[0]
    made.restore(only.name, "2026-11-27T10:00:00Z")
    assert (tmp_path / "restored").read_text() == "20261126T020000 to 2026-11-27T10:00:00Z\n"
    made.restore(only.name)
    assert (tmp_path / "restored").read_text() == "20261126T020000 to \n"


@pytest.mark.parametrize(
    ("kind", "path", "spec"),
    [
        (
            "traefik", "/apis/traefik.io/v1alpha1/namespaces/webshop/ingressroutes/front",
            {"routes": [{"services": [
                {"name": "web"}, {"name": "far", "namespace": "other"},
                {"name": "weighted", "kind": "TraefikService"},
            ]}]},
        ),
        (
            "ingress", "/apis/networking.k8s.io/v1/namespaces/webshop/ingresses/front",
            {"rules": [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}],
             "defaultBackend": {"resource": {"kind": "Bucket", "name": "static"}}},
        ),
    ],
)  # fmt: skip
def test_the_services_behind_a_door_are_read_from_it(
    api: Api, cluster: Cluster, tmp_path: Path, kind: str, path: str, spec: dict[str, Any]
) -> None:
    told = options(tmp_path, ingress={"kind": kind, "name": "front", "may_close": True})
    assert told.door is not None
    door = OwnDoor(cluster, "webshop", told.door, told.application, tmp_path / "door.json")
    with pytest.raises(PlatformError, match=f"no {kind} front in namespace webshop"):
        door.services()
    api.answers[path] = (200, {"spec": {}})
    with pytest.raises(PlatformError, match="leads to no Service of namespace webshop"):
        door.services()
    api.answers[path] = (200, {"spec": spec})
    assert door.services() == ("web",)
    service = "/api/v1/namespaces/webshop/services/web"
    api.answers[service] = (200, {"spec": {"selector": {CLOSED: "true"}}})
    with pytest.raises(PlatformError, match="web has no selector"):
        door.close()
    assert not door.is_held()
    assert not any(method == "PATCH" for method, _, _ in api.asked)
    api.answers[service] = (200, {"spec": {"selector": {"app": "web"}}})
    api.answers["/api/v1/namespaces/webshop/endpoints/web"] = (200, {"subsets": [{}]})
    door.close()  # nothing listens at port 9: refused, and no endpoints
    assert door.is_held()
    assert (service, {"spec": {"selector": {CLOSED: "true"}}}) in [
        (where, body) for method, where, body in api.asked if method == "PATCH"
    ]


def test_an_undo_that_cannot_be_read_is_never_taken_for_none(
    cluster: Cluster, tmp_path: Path
) -> None:
    told = options(tmp_path, ingress={"kind": "ingress", "name": "front"})
    assert told.door is not None
    file = tmp_path / "door.json"
    file.write_text("[")
    door = OwnDoor(cluster, "webshop", told.door, told.application, file)
    with pytest.raises(PlatformError, match="what is closed cannot be read"):
        door.open()


def test_what_nobody_has_run_yet_is_named(tmp_path: Path) -> None:
    database = {"managed_by": "plain", "pods": {"app": "pg"}, "dsn": "host=127.0.0.1"}
    alone = facts.facts(options(tmp_path, database=database)).unproven
    assert alone == ("an Odoo in a cluster",)
    two = facts.facts(options(tmp_path, database={**database, "copies": 2})).unproven
    assert two == ("a plain PostgreSQL with a standby", "an Odoo in a cluster")
    hooks = {"by": "pgbackrest", "list": ["./list"], "restore": ["./restore", "{backup}"]}
    told = options(tmp_path, backups=hooks, ingress={"kind": "traefik", "name": "front"})
    said = facts.facts(told)
    assert said.unproven == ("a stack led by patroni", "an Odoo in a cluster")
    assert "unproven: backups by pgbackrest (list, restore)" in said.notes
    assert "unproven: the door of kind traefik" in said.notes
