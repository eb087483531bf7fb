"""The cluster's keeper of undos, against an API that is a dictionary; and what a lease may say."""

from __future__ import annotations

import datetime as dt
import doctest
from typing import Any

import pytest

from harness.platforms.kubernetes import eviction, targets
from harness.platforms.reference import lease as leases
from harness.platforms.reference.inside import undoer as undoers
from harness.platforms.reference.inside.account import Refused
from harness.platforms.reference.inside.undoer import Undoer

NOW = dt.datetime(2027, 11, 26, 12, 0, 0, tzinfo=dt.UTC)
NODE = "/api/v1/nodes/node3"
MINE = "peakdrill-undo-a"
POLICY = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/cut"


class Api:
    """Objects by path; a patch merges, as far as this needs."""

    def __init__(self, **objects: Any) -> None:
        self.objects = dict(objects)
        self.refusals: dict[str, int] = {}
        self.calls: list[str] = []

    def get(self, path: str, **query: str) -> Any:
        self._may(f"GET {path}")
        if query:
            kept = [o for p, o in self.objects.items() if p.startswith(path)]
            states = (leases.PENDING, leases.CLAIMED)
            return {"items": [o for o in kept if o["metadata"]["labels"][leases.STATE] in states]}
        if path not in self.objects:
            raise Refused("not there", 404)
        return self.objects[path]

    def patch(self, path: str, change: dict[str, Any]) -> None:
        self._may(f"PATCH {path}")
        version = change["metadata"].pop("resourceVersion", None)
        if version not in (None, self.objects[path]["metadata"].get("resourceVersion")):
            raise Refused("somebody was quicker", 409)
        _merge(self.objects[path], change)

    def delete(self, path: str) -> None:
        self._may(f"DELETE {path}")
        self.objects.pop(path, None)

    def _may(self, call: str) -> None:
        self.calls.append(call)
        for part, status in self.refusals.items():
            if part in call:
                raise Refused(f"{call}: HTTP {status}", status)


def _merge(into: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, dict):
            _merge(into.setdefault(key, {}), value)
        elif value is None:
            into.pop(key, None)
        else:
            into[key] = value


def held(*steps: leases.Step, name: str = MINE) -> tuple[str, dict[str, Any]]:
    made = leases.UndoLease(name, "shop", "node-drain", "r1", "p1", steps, 15, NOW)
    document: Any = leases.document(made)
    document["metadata"]["resourceVersion"] = "7"
    return leases.path("shop", name), document


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds; the wall clock stands still at the renewal."""
    at = [100.0]
    monkeypatch.setattr(undoers.time, "monotonic", lambda: at[0])

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
            return NOW

    monkeypatch.setattr(undoers.dt, "datetime", Clock)
    return at


def _cordoned(by: str | None) -> dict[str, Any]:
    says = {leases.CORDONED_BY: by} if by else {}
    return {"metadata": {"annotations": says}, "spec": {"unschedulable": True}}


def test_it_says_that_it_has_read_a_lease_and_plays_it_only_when_it_has_run_out(
    clock: list[float],
) -> None:
    path, lease = held(leases.Step("uncordon", "node3"), leases.Step("delete-policy", "cut"))
    policy = {"metadata": {"annotations": {leases.MADE_BY: "x"}}}
    api = Api(**{path: lease, NODE: _cordoned(MINE), POLICY: policy})
    undoer = Undoer(api, "shop", "undoer-1")  # type: ignore[arg-type]
    undoer.look()
    assert leases.read(lease).seen_by == "undoer-1"
    clock[0] += 14.9
    lease["spec"]["renewTime"] = leases.spelled(NOW + dt.timedelta(seconds=1))
    undoer.look()
    clock[0] += 14.9
    undoer.look()
    assert api.objects[NODE]["spec"] == {"unschedulable": True}
    clock[0] += 0.1
    undoer.look()
    assert api.objects[NODE] == {"metadata": {"annotations": {}}, "spec": {}}
    assert POLICY not in api.objects
    assert lease["metadata"]["labels"][leases.STATE] == leases.DONE
    assert leases.undone_at(lease) == NOW
    calls = len(api.calls)
    undoer.look()
    assert len(api.calls) == calls + 1  # it is asked for no more


def test_what_bears_no_sign_of_a_drill_is_left_alone(clock: list[float]) -> None:
    path, lease = held(leases.Step("uncordon", "node3"), leases.Step("delete-policy", "cut"))
    api = Api(**{path: lease, NODE: _cordoned(None), POLICY: {"metadata": {}}})
    undoer = Undoer(api, "shop", "undoer-1")  # type: ignore[arg-type]
    undoer.look()
    clock[0] += 15
    undoer.look()
    assert api.objects[NODE]["spec"] == {"unschedulable": True}
    assert POLICY in api.objects
    assert lease["metadata"]["labels"][leases.STATE] == leases.DONE


def test_the_cordon_of_another_drill_is_left_alone(clock: list[float]) -> None:
    """Two stacks of one cluster have the same nodes."""
    path, lease = held(leases.Step("uncordon", "node3"))
    api = Api(**{path: lease, NODE: _cordoned("peakdrill-undo-of-another")})
    undoer = Undoer(api, "shop", "undoer-1")  # type: ignore[arg-type]
    undoer.look()
    clock[0] += 15
    undoer.look()
    assert api.objects[NODE]["spec"] == {"unschedulable": True}
    assert lease["metadata"]["labels"][leases.STATE] == leases.DONE


@pytest.mark.parametrize("seen_by", ["", "undoer-2"])
def test_a_wrong_clock_plays_no_lease_before_its_time(clock: list[float], seen_by: str) -> None:
    """Its holder's clock is an hour behind; nothing is broken yet when it is seen first."""
    path, lease = held(leases.Step("uncordon", "node3"))
    api = Api(**{NODE: _cordoned(MINE)})
    undoer = Undoer(api, "shop", "undoer-1")  # type: ignore[arg-type]
    undoer.look()  # it runs already
    lease["spec"]["renewTime"] = leases.spelled(NOW - dt.timedelta(hours=1))
    if seen_by:
        _merge(lease, leases.seen(seen_by))
    api.objects[path] = lease
    undoer.look()
    clock[0] += 14.9
    undoer.look()
    assert api.objects[NODE]["spec"] == {"unschedulable": True}
    assert lease["metadata"]["labels"][leases.STATE] == leases.PENDING
    clock[0] += 0.1
    undoer.look()
    assert api.objects[NODE]["spec"] == {}


def test_what_is_refused_is_tried_again_and_keeps_nothing_else_broken(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    path, lease = held(leases.Step("uncordon", "node3"))
    other, second = held(leases.Step("delete-policy", "cut"), name="peakdrill-undo-b")
    policy = {"metadata": {"annotations": {leases.MADE_BY: "x"}}}
    api = Api(**{path: lease, other: second, NODE: _cordoned(MINE), POLICY: policy})
    undoer = Undoer(api, "shop", "undoer-1")  # type: ignore[arg-type]
    undoer.look()
    clock[0] += 15
    api.refusals[NODE] = 403
    undoer.look()
    assert POLICY not in api.objects
    assert lease["metadata"]["labels"][leases.STATE] == leases.CLAIMED
    assert "HTTP 403" in capsys.readouterr().out
    api.refusals.clear()
    undoer.look()
    assert api.objects[NODE]["spec"] == {}


def test_a_lease_that_cannot_be_answered_keeps_no_other_from_being_played(
    clock: list[float],
) -> None:
    path, lease = held(leases.Step("uncordon", "node3"))
    other, second = held(leases.Step("nothing", "x"), name="peakdrill-undo-0")
    api = Api(**{path: lease, NODE: _cordoned(MINE)})
    undoer = Undoer(api, "shop", "undoer-1")  # type: ignore[arg-type]
    undoer.look()
    api.objects = {other: second, **api.objects}  # it is listed first
    api.refusals[f"PATCH {other}"] = 422
    clock[0] += 15
    undoer.look()
    assert api.objects[NODE]["spec"] == {}


def test_who_is_quicker_plays_it(clock: list[float]) -> None:
    path, lease = held(leases.Step("uncordon", "node3"))
    api = Api(**{path: lease, NODE: _cordoned(MINE)})
    undoer = Undoer(api, "shop", "undoer-1")  # type: ignore[arg-type]
    undoer.look()
    clock[0] += 15
    api.refusals[f"PATCH {path}"] = 409  # renewed, or claimed, at this very instant
    undoer.look()
    assert api.objects[NODE]["spec"] == {"unschedulable": True}


@pytest.mark.parametrize(
    ("verb", "name"),
    [("delete-node", "node3"), ("uncordon", "../../namespaces/shop"), ("uncordon", ""), ("", "x")],
)
def test_a_lease_says_only_what_a_keeper_may_do(
    clock: list[float], verb: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, lease = held(leases.Step(verb, name))
    with pytest.raises(ValueError, match="nobody here knows how to"):
        leases.read(lease)
    api = Api(**{path: lease})
    undoer = Undoer(api, "shop", "undoer-1")  # type: ignore[arg-type]
    undoer.look()
    clock[0] += 60
    undoer.look()
    assert [call.split()[0] for call in api.calls] == ["GET", "GET"]
    assert "cannot be read" in capsys.readouterr().out


def test_a_lease_comes_back_as_it_was_written() -> None:
    _, document = held(leases.Step("nothing", "replaced by ReplicaSet/application"))
    found = leases.read(document)
    assert found.steps == (leases.Step("nothing", "replaced by ReplicaSet/application"),)
    assert (found.expires_utc - NOW).total_seconds() == found.duration_s == 15
    for broken in ({}, {"metadata": {}}, {"metadata": {"name": "x"}, "spec": {}}):
        with pytest.raises(ValueError, match="cannot be read"):
            leases.read(broken)


@pytest.mark.parametrize("module", [leases, eviction, targets])
def test_examples_hold(module: Any) -> None:
    assert doctest.testmod(module).failed == 0
