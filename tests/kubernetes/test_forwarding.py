"""A way to a part beside its door: opened for each connection, and closed with it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from api_stub import Api, kubeconfig, pod, served

from harness.platforms.kubernetes import forwarding
from harness.platforms.kubernetes.client import connect
from harness.platforms.kubernetes.site import KubernetesSite

PODS = "/api/v1/namespaces/shop/pods"


@pytest.fixture
def api() -> Api:
    return Api({PODS: (200, {"items": [pod("queue-0", "queue")]})})


@pytest.fixture
def site(api: Api, tmp_path: Path) -> Iterator[KubernetesSite]:
    with served(api) as server:
        cluster = connect(kubeconfig=str(kubeconfig(tmp_path, server)))
        yield KubernetesSite(cluster, "shop", "shop-edge", tmp_path / "places.json")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Whatever is sent to a pod comes back in capitals, until somebody hangs up."""
    seen: list[tuple[str, str, str]] = []

    def portforward(_call: Any, name: str, namespace: str, *, ports: str) -> Any:
        seen.append((namespace, name, ports))
        ours, theirs = socket.socketpair()

        def answer() -> None:
            with theirs:
                while told := theirs.recv(100):
                    theirs.sendall(told.upper())

        threading.Thread(target=answer, daemon=True).start()
        return SimpleNamespace(socket=lambda _port: ours)

    monkeypatch.setattr(forwarding.stream, "portforward", portforward)
    return seen


def said(port: int, word: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(word)
        return line.recv(100)


def test_each_connection_finds_the_pod_anew(
    site: KubernetesSite, api: Api, opened: list[tuple[str, str, str]]
) -> None:
    port = forwarding.port_to(site, "queue", 6379)
    assert api.asked == []  # nothing is opened before somebody comes
    assert said(port, b"ping") == b"PING"
    api.answers[PODS] = (200, {"items": [pod("queue-1", "queue")]})
    assert said(port, b"again") == b"AGAIN"
    assert opened == [("shop", "queue-0", "6379"), ("shop", "queue-1", "6379")]
    assert forwarding.port_to(site, "queue", 6379) == port


def test_where_no_pod_runs_whoever_comes_is_hung_up_on(
    site: KubernetesSite, api: Api, opened: list[tuple[str, str, str]]
) -> None:
    api.answers[PODS] = (200, {"items": []})
    with suppress(ConnectionResetError):
        assert said(forwarding.port_to(site, "queue", 6379), b"ping") == b""
    assert opened == []
