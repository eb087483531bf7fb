"""The ingress's watcher: routes from a ConfigMap and the ready replicas; what is unclear changes nothing."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.errors import PlatformError
from harness.platforms.embedded import ingress as doors_file
from harness.platforms.reference.inside import ingress
from harness.platforms.reference.inside.routing import Watcher, addresses_in, routes_now
from harness.platforms.reference.inside.settings import Settings

READY = {
    "subsets": [
        {
            "addresses": [{"ip": "10.1.0.9"}, {"ip": "10.1.0.4"}],
            "notReadyAddresses": [{"ip": "10.1.0.7"}],
            "ports": [{"name": "http", "port": 8069}],
        }
    ]
}


@dataclass
class Cluster:
    """The API, as far as the watcher asks it."""

    routes: dict[str, str] = field(
        default_factory=lambda: {"tenant": "shop", "closed": "false", "queue_closed": "false"}
    )
    ready: dict[str, Any] = field(default_factory=lambda: READY)
    silent: bool = False
    asked: list[str] = field(default_factory=list)

    def get(self, path: str) -> Any:
        self.asked.append(path)
        if self.silent:
            raise PlatformError("the API gave no answer")
        return {"data": self.routes} if "configmaps" in path else self.ready


def watcher(cluster: Cluster, folder: Path) -> Watcher:
    return Watcher(cluster, "shop-edge", folder / "routes.yml")


def test_routes_lead_to_the_ready_replicas_of_the_tenant_that_serves(tmp_path: Path) -> None:
    cluster = Cluster()
    assert watcher(cluster, tmp_path).look()
    written = doors_file.load(tmp_path / "routes.yml")
    assert written.replicas == ("http://10.1.0.4:8069", "http://10.1.0.9:8069")
    assert (written.queue_host, written.queue_port) == ("queue.shop", 6379)
    assert (written.closed, written.queue_closed) == (False, False)
    assert cluster.asked == [
        "/api/v1/namespaces/shop-edge/configmaps/routes",
        "/api/v1/namespaces/shop/endpoints/application",
    ]


def test_another_tenant_takes_over_with_both_doors() -> None:
    cluster = Cluster()
    cluster.routes["tenant"] = "clean"
    assert routes_now(cluster, "shop-edge").queue_host == "queue.clean"
    assert cluster.asked[-1] == "/api/v1/namespaces/clean/endpoints/application"


@pytest.mark.parametrize(
    "nobody",
    [
        {},
        {"subsets": None},
        {"subsets": [{"notReadyAddresses": [{"ip": "10.1.0.7"}], "ports": [{"port": 8069}]}]},
    ],
)
def test_without_a_ready_replica_there_is_no_server(nobody: dict[str, Any]) -> None:
    assert addresses_in(nobody) == ()


def test_a_door_is_closed_as_soon_as_it_is_said(tmp_path: Path) -> None:
    cluster = Cluster()
    watching = watcher(cluster, tmp_path)
    watching.look()
    cluster.routes |= {"closed": "true", "queue_closed": "true"}
    assert watching.look()
    written = doors_file.load(tmp_path / "routes.yml")
    assert (written.closed, written.queue_closed) == (True, True)


def test_the_file_is_left_alone_while_nothing_changes(tmp_path: Path) -> None:
    watching = watcher(Cluster(), tmp_path)
    watching.look()
    before = (tmp_path / "routes.yml").stat().st_ino
    assert not watching.look()
    assert (tmp_path / "routes.yml").stat().st_ino == before


@pytest.mark.parametrize(
    ("name", "value"), [("closed", ""), ("closed", "yes"), ("queue_closed", "True"), ("tenant", "")]
)
def test_what_is_not_said_clearly_opens_no_door(tmp_path: Path, name: str, value: str) -> None:
    cluster = Cluster()
    cluster.routes["closed"] = "true"
    watching = watcher(cluster, tmp_path)
    watching.look()
    cluster.routes |= {"closed": "false", name: value}
    with pytest.raises(PlatformError):
        watching.look()
    assert doors_file.load(tmp_path / "routes.yml").closed


def test_nobody_is_let_in_before_the_first_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster, pauses = Cluster(silent=True), []

    def pause(_: float) -> None:
        pauses.append(not (tmp_path / "routes.yml").exists())
        cluster.silent = len(pauses) < 3

    watcher(cluster, tmp_path).first(pause=pause)
    assert pauses == [True, True, True]
    assert (tmp_path / "routes.yml").exists()
    assert capsys.readouterr().err.count("the API gave no answer") == 1


def test_a_cluster_that_never_speaks_ends_the_part(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="were not told within"):
        watcher(Cluster(silent=True), tmp_path).first(pause=lambda _: None)


def in_a_container(folder: Path, routes: str = "file") -> Settings:
    return Settings(
        {
            "PEAKDRILL_ROUTES": routes,
            "PEAKDRILL_DATA": str(folder),
            "PEAKDRILL_REPLICAS": "application-0:8069,application-1:8069",
            "PEAKDRILL_QUEUE": "queue:6379",
        }
    )


def test_an_exec_closes_and_opens_the_doors_of_a_container(tmp_path: Path) -> None:
    settings = in_a_container(tmp_path)
    doors_file.save(ingress.routes_file(settings), ingress.first_routes(settings))
    assert ingress.doors(settings, [], {}) == {"closed": False, "queue_closed": False}
    assert ingress.doors(settings, [], {"closed": True}) == {"closed": True, "queue_closed": False}
    written = doors_file.load(ingress.routes_file(settings))
    assert written.replicas == ("http://application-0:8069", "http://application-1:8069")
    assert (written.queue_host, written.queue_port) == ("queue", 6379)


@pytest.mark.parametrize("asked", [{"closed": "true"}, {"open": True}, {"closed": 1}])
def test_doors_takes_true_or_false_and_nothing_else(
    tmp_path: Path, asked: dict[str, object]
) -> None:
    settings = in_a_container(tmp_path)
    doors_file.save(ingress.routes_file(settings), ingress.first_routes(settings))
    with pytest.raises(PlatformError):
        ingress.doors(settings, [], asked)
    assert not doors_file.load(ingress.routes_file(settings)).closed


def test_doors_of_the_cluster_are_not_changed_behind_its_back(tmp_path: Path) -> None:
    settings = in_a_container(tmp_path, "kubernetes")
    doors_file.save(ingress.routes_file(settings), ingress.first_routes(settings))
    with pytest.raises(PlatformError, match="ConfigMap routes"):
        ingress.doors(settings, [], {"closed": True})
    with pytest.raises(PlatformError, match="PEAKDRILL_ROUTES is 'both'"):
        ingress.main(in_a_container(tmp_path, "both"))
