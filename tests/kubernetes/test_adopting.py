"""A stack that was brought from elsewhere: taken up by what its cluster says, never guessed."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from api_stub import Api, kubeconfig, served
from click.testing import CliRunner

from harness.commands.platforms import platform as platform_command
from harness.errors import PlatformError, Refused
from harness.platforms import find
from harness.platforms.embedded import backup_key, credentials
from harness.platforms.embedded.layout import Layout
from harness.platforms.kubernetes import adopting, kind
from harness.platforms.kubernetes import client as clients
from harness.platforms.kubernetes.client import connect
from harness.platforms.kubernetes.platform import KubernetesPlatform

ID = "kubernetes-0a1b2c"
SHOP, EDGE = "/api/v1/namespaces/shop", "/api/v1/namespaces/shop-edge"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"
SETTINGS = {
    "PEAKDRILL_SYNCHRONOUS": "true", "PEAKDRILL_DIALECT": "19", "PEAKDRILL_LEADER_TTL_S": "20",
}  # fmt: skip
FILE = {"kind": "kubernetes", "disposable": True}
KEY = "ab" * 32


def namespace(stands: str, platform: str = ID) -> Any:
    labels = {"peakdrill.dev/platform": platform, "peakdrill.dev/stands": stands}
    by = {"peakdrill.dev/brought-by": "ann on tower"}
    return 200, {"metadata": {"labels": labels, "annotations": by}, "status": {"phase": "Active"}}


def encoded(told: dict[str, str]) -> Any:
    return 200, {"data": {n: base64.b64encode(w.encode()).decode() for n, w in told.items()}}


@pytest.fixture
def known(tmp_path: Path) -> dict[str, str]:
    made = credentials.generate(_folder(tmp_path / "drawn"))
    return {**asdict(made), "backup-key": KEY}


def _folder(root: Path) -> Layout:
    layout = Layout(root)
    layout.secrets.mkdir(parents=True)
    return layout


@pytest.fixture
def api(known: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A cluster that holds a stack, and a home that knows of none."""
    found = Api(
        {
            SHOP: namespace("tenant"),
            EDGE: namespace("edge"),
            f"{SHOP}/configmaps/settings": (200, {"data": SETTINGS}),
            f"{EDGE}/configmaps/routes": (200, {"data": {"tenant": "shop"}}),
            f"{SHOP}/secrets/secrets": encoded(known),
            LEASES: (200, {"items": []}),  # nothing is left to be undone
            "/version": (200, {"gitVersion": "v1.29.3"}),
            "/api/v1/nodes": (200, {"items": [{"metadata": {"name": "n1"}}]}),
        }
    )
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(adopting, "_newest_backup", lambda _: "20261128T000000Z")
    with served(found) as server:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, server)))
        yield found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path)


def written(folder: Path, **more: object) -> Path:
    found = folder / "platform.yaml"
    found.write_text(json.dumps({**FILE, **more}))
    return found


def test_it_is_taken_up_with_its_secrets_and_facts(
    api: Api, file: Path, known: dict[str, str]
) -> None:
    found = find.running("kubernetes", file)
    assert isinstance(found, KubernetesPlatform)
    assert found.directory.name == ID
    assert found.brought_by == "ann on tower"
    assert found.state.backup_id == "20261128T000000Z"
    assert asdict(credentials.load(found.layout)) == {
        k: v for k, v in known.items() if "-" not in k
    }
    assert backup_key.load(found.layout).key.hex() == KEY
    assert dict(found.facts().versions) == {"kubernetes": "v1.29.3"}
    assert kind.is_as(file, found)
    for path in found.layout.secrets.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    again = find.running("kubernetes", file)
    assert again is not None
    assert again.directory == found.directory


def test_without_a_file_no_cluster_is_asked(api: Api) -> None:
    assert find.running("kubernetes") is None
    assert api.asked == []


def test_what_is_kept_follows_the_cluster(api: Api, file: Path, known: dict[str, str]) -> None:
    find.running("kubernetes", file)
    api.answers[f"{SHOP}/secrets/secrets"] = encoded({**known, "readback": "renewed"})
    found = find.running("kubernetes", file)
    assert isinstance(found, KubernetesPlatform)
    assert credentials.load(found.layout).readback == "renewed"
    for name in ("tenant", "edge"):  # another stack stands there by now
        api.answers[SHOP if name == "tenant" else EDGE] = namespace(name, "kubernetes-ffffff")
    other = find.running("kubernetes", file)
    assert other is not None
    assert other.directory.name == "kubernetes-ffffff"
    assert not found.directory.exists()


def test_what_is_broken_here_is_not_overwritten(
    api: Api, file: Path, known: dict[str, str]
) -> None:
    found = find.running("kubernetes", file)
    assert isinstance(found, KubernetesPlatform)
    (found.directory / "undo" / "1-of-a-rotation.json").write_text("{}")
    api.answers[f"{SHOP}/secrets/secrets"] = encoded({**known, "readback": "renewed"})
    find.running("kubernetes", file)
    assert credentials.load(found.layout).readback == known["readback"]


def test_down_lets_go_of_it_and_removes_nothing(api: Api, file: Path) -> None:
    found = find.running("kubernetes", file)
    assert found is not None
    told = CliRunner().invoke(platform_command, ["down", "--platform", str(file)])
    assert "brought by ann on tower" in told.output
    assert not found.directory.exists()
    changed = {path for method, path, _ in api.asked if method != "GET"}
    assert changed == {"/apis/coordination.k8s.io/v1/namespaces/shop/leases"}, "nobody else's then"


def test_down_ends_it_when_it_is_told_to(api: Api, file: Path) -> None:
    for path in ("clusterrolebindings", "clusterroles"):
        api.answers[f"/apis/rbac.authorization.k8s.io/v1/{path}"] = (200, {"items": []})
    gone = (404, {"message": "gone"})
    find.running("kubernetes", file)
    for path, stands in ((SHOP, "tenant"), (EDGE, "edge")):
        there = namespace(stands)
        api.answers[path] = [there, there, there, gone] if path == SHOP else [there, there, gone]
    CliRunner().invoke(platform_command, ["down", "--platform", str(file), "--brought-elsewhere"])
    assert [path for method, path, _ in api.asked if method == "DELETE"] == [SHOP, EDGE]


@pytest.mark.parametrize(
    ("path", "answer", "why"),
    [
        (EDGE, namespace("edge", "kubernetes-ffffff"), "not the other half"),
        (EDGE, (404, {"message": "none"}), "not the other half"),
        (f"{SHOP}/configmaps/settings", (200, {"data": {**SETTINGS, "PEAKDRILL_DIALECT": "14"}}),
         "brought with dialect: 14, and platform.yaml says 19"),
        (f"{EDGE}/configmaps/routes", (200, {"data": {"tenant": "shop-clean-1"}}),
         "was left for shop-clean-1"),
        (f"{SHOP}/secrets/secrets", (200, {"data": {}}), "lacks postgres, replicator"),
    ],
)  # fmt: skip
def test_what_is_half_there_is_refused(
    api: Api, file: Path, path: str, answer: Any, why: str, tmp_path: Path
) -> None:
    api.answers[path] = answer
    with pytest.raises(Refused, match=why):
        find.running("kubernetes", file)
    assert list((tmp_path / "home").rglob("*.json")) == []


def test_a_lost_backup_key_is_told(api: Api, file: Path, known: dict[str, str]) -> None:
    api.answers[f"{SHOP}/secrets/secrets"] = encoded({**known, "backup-key": "lost"})
    with pytest.raises(Refused, match=r"backup key .* is lost"):
        find.running("kubernetes", file)


def test_one_that_nobody_may_break_is_refused(api: Api, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="may be broken"):
        find.running("kubernetes", written(tmp_path, disposable=False))


def test_a_right_that_is_missing_is_named(api: Api, file: Path) -> None:
    message = 'secrets "secrets" is forbidden: User "x" cannot get resource "secrets" in API group "" in the namespace "shop"'
    api.answers[f"{SHOP}/secrets/secrets"] = (403, {"message": message})
    with pytest.raises(PlatformError, match="right to get secrets in namespace shop is missing"):
        find.running("kubernetes", file)


def test_a_foreign_namespace_is_not_taken_up(api: Api, file: Path) -> None:
    api.answers[SHOP] = (200, {"metadata": {"labels": {}}})
    assert find.running("kubernetes", file) is None


@pytest.fixture
def pod(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a pod: a service account's token, and no kubeconfig."""
    server = json.loads((tmp_path / "kubeconfig").read_text())["clusters"][0]["cluster"]["server"]

    def load(client_configuration: Any) -> None:
        client_configuration.host = server

    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setattr(clients.config, "load_incluster_config", load)


@pytest.mark.usefixtures("pod")
def test_a_pod_speaks_as_its_service_account(api: Api, file: Path) -> None:
    where = connect().where
    assert (where.context, where.is_pod) == ("in-cluster", True)
    assert connect(where.context, where.kubeconfig).where == where
    with pytest.raises(PlatformError, match="no context kind-staging in a pod"):
        connect("kind-staging")
    found = find.running("kubernetes", file)
    assert isinstance(found, KubernetesPlatform)
    assert not found.site.asks_kubelets


@pytest.mark.usefixtures("pod")
def test_a_pod_cuts_no_power_and_brings_nothing(api: Api, file: Path, tmp_path: Path) -> None:
    hooks = {"stop": ["off", "{node}"], "start": ["on", "{node}"]}
    with pytest.raises(Refused, match="cannot be run in a pod"):
        find.running("kubernetes", written(tmp_path, nodes=hooks))
    api.answers |= {SHOP: (404, {"message": "none"}), EDGE: (404, {"message": "none"})}
    with pytest.raises(Refused, match="a pod brings none"):
        find.start("kubernetes", written(tmp_path), agreed=True)
    assert {method for method, _, _ in api.asked} == {"GET"}


@pytest.mark.usefixtures("pod")
def test_a_node_counts_by_the_word_of_the_api(api: Api, file: Path) -> None:
    found = find.running("kubernetes", file)
    assert isinstance(found, KubernetesPlatform)
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    api.answers["/api/v1/nodes/n1"] = (200, {"metadata": {"name": "n1"}, "status": ready})
    assert found.site.answers("n1")
    api.answers["/api/v1/nodes/n1"] = (200, {"metadata": {"name": "n1"}, "status": {}})
    assert not found.site.answers("n1")
