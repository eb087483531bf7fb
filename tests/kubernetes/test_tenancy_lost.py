"""A drill whose stack became another's while it ran: it is stopped, and says why."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from harness.platforms.kubernetes.client import NotThere
from harness.platforms.kubernetes.tenancy import PLACE, Tenancy


class OneLease:
    """What a tenancy asks of a cluster: one document, made, patched and deleted."""

    where = "a cluster of this test"

    def __init__(self) -> None:
        self.document: dict[str, Any] | None = None
        self.renewed = threading.Event()

    def find(self, _path: str) -> dict[str, Any] | None:
        return self.document

    def call(self, method: str, _path: str, *, body: Mapping[str, Any], **_: object) -> None:
        if method == "PATCH" and self.document is None:
            raise NotThere("no such lease")
        if method == "PATCH":
            self.renewed.set()
            return
        self.document = {**body, "metadata": {**body["metadata"], "resourceVersion": "1"}}

    def delete(self, _path: str) -> None:
        self.document = None


@pytest.fixture
def cluster() -> OneLease:
    return OneLease()


def tenancy(cluster: OneLease, told: list[str], heard: threading.Event) -> Tenancy:
    def lost(why: str) -> None:
        told.append(why)
        heard.set()

    return Tenancy(cluster, "shop", "here", every_s=0.01, lost=lost)  # type: ignore[arg-type]


def test_a_drill_whose_stack_another_took_is_stopped_with_who_has_it(cluster: OneLease) -> None:
    told: list[str] = []
    heard = threading.Event()
    with tenancy(cluster, told, heard).held():
        cluster.document = {
            "metadata": {"annotations": {PLACE: "there"}, "resourceVersion": "2"},
            "spec": {"holderIdentity": "anna on rival"},
        }
        assert heard.wait(30)
    assert len(told) == 1
    assert "is another drill's by now: anna on rival took it" in told[0]
    assert cluster.document is not None  # what is another's is not given back by us


def test_a_lease_that_somebody_deleted_is_taken_again(cluster: OneLease) -> None:
    told: list[str] = []
    with tenancy(cluster, told, threading.Event()).held():
        cluster.document = None
        cluster.renewed.clear()
        assert cluster.renewed.wait(30)  # only one that is there is renewed
        assert cluster.document is not None
    assert told == []


def test_one_that_is_renewed_stops_nobody(cluster: OneLease) -> None:
    told: list[str] = []
    with tenancy(cluster, told, threading.Event()).held():
        assert cluster.renewed.wait(30)
    assert told == []
    assert cluster.document is None
