"""The cluster's own keeper of undos: what a dead harness left broken, it mends.

It reads the leases of harness.platforms.reference.lease twice a second, says of each new one that
it has seen it (before that nobody breaks anything), and plays the undo of one that is no longer
renewed. Several of these may run: the first to claim a lease plays it, and a second time harms
nothing. It uncordons only nodes that a drill has cordoned, deletes only policies that one made.
"""

from __future__ import annotations

import datetime as dt
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

from harness.platforms.reference import lease as leases
from harness.platforms.reference.inside.account import Account, Refused, account
from harness.platforms.reference.inside.settings import Settings
from harness.platforms.reference.lease import Hourglass, Step, UndoLease

_EVERY_S = 0.5
_CONFLICT, _NOT_FOUND = 409, 404


class Undoer:
    """One look after the other; what goes wrong in one is tried again in the next."""

    def __init__(self, api: Account, namespace: str, name: str) -> None:
        self._api, self._namespace, self._name = api, namespace, name
        self._glass = Hourglass()
        self._told = ""

    def look(self) -> None:
        """Raises Refused where the API does not answer."""
        found = [f for item in self._listed() if (f := self._read(item)) is not None]
        for one in found:
            if not one.seen_by:
                self._say_seen(one)
        now_utc = dt.datetime.now(dt.UTC)
        for one in self._glass.run_out(found, now_s=time.monotonic(), now_utc=now_utc):
            try:
                self._undo(one)
            except Refused as error:  # the others are still undone
                self.tell(f"{one.name}: {error.what}")

    def tell(self, what: str) -> None:
        """On standard output; the same thing twice a second says nothing more."""
        if what != self._told:
            self._told = what
            print(f"{leases.spelled(dt.datetime.now(dt.UTC))} {what}", flush=True)

    def _listed(self) -> list[dict[str, Any]]:
        folder = leases.path(self._namespace)
        items: list[dict[str, Any]] = self._api.get(folder, labelSelector=leases.KEPT)["items"]
        return items

    def _read(self, item: dict[str, Any]) -> UndoLease | None:
        try:
            return leases.read(item)
        except ValueError as error:
            self.tell(str(error))
            return None

    def _say_seen(self, one: UndoLease) -> None:
        """Where it cannot be said nobody breaks anything by this lease; the others are kept."""
        try:
            self._api.patch(self._path(one), leases.seen(self._name))
        except Refused as error:
            self.tell(f"{one.name}: {error.what}")

    def _undo(self, one: UndoLease) -> None:
        if one.state == leases.PENDING and not self._claims(one):
            return
        for step in one.steps:
            self._play(step, one.name)
        now = dt.datetime.now(dt.UTC)
        self._api.patch(self._path(one), leases.done(self._name, now))
        told = ", ".join(str(step) for step in one.steps)
        self.tell(f"{one.name}: {one.fault} of run {one.run_id} is undone: {told}")

    def _claims(self, one: UndoLease) -> bool:
        """False where its holder, or another keeper, was quicker."""
        try:
            self._api.patch(self._path(one), leases.claimed(self._name, one.version))
        except Refused as error:
            if error.status in (_CONFLICT, _NOT_FOUND):
                return False
            raise
        return True

    def _play(self, step: Step, lease: str) -> None:
        if step.verb == leases.UNCORDON:
            self._uncordon(step.name, lease)
        elif step.verb == leases.DELETE_POLICY:
            self._delete_policy(step.name)
        elif step.verb != leases.NOTHING:
            raise Refused(f"nobody here knows how to {step.verb}", 0)

    def _uncordon(self, node: str, lease: str) -> None:
        """Every namespace has the same nodes: the cordon of another drill's lease stays."""
        where = f"/api/v1/nodes/{node}"
        found = self._found(where)
        if found is not None and _annotations(found).get(leases.CORDONED_BY) == lease:
            says = {leases.CORDONED_BY: None}
            change = {"metadata": {"annotations": says}, "spec": {"unschedulable": None}}
            self._api.patch(where, change)

    def _delete_policy(self, policy: str) -> None:
        where = f"/apis/networking.k8s.io/v1/namespaces/{self._namespace}/networkpolicies/{policy}"
        found = self._found(where)
        if found is not None and leases.MADE_BY in _annotations(found):
            self._api.delete(where)

    def _found(self, where: str) -> dict[str, Any] | None:
        try:
            item: dict[str, Any] = self._api.get(where)
        except Refused as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        return item

    def _path(self, one: UndoLease) -> str:
        return leases.path(self._namespace, one.name)


def main(settings: Settings, api: Account | None = None) -> int:
    """Until it is told to end."""
    over = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    undoer = Undoer(api or account(), settings.text("NAMESPACE"), settings.name)
    undoer.tell(f"keeps the undos of namespace {settings.text('NAMESPACE')}")
    while not over.wait(_EVERY_S):
        try:
            undoer.look()
        except Refused as error:
            undoer.tell(error.what)
    return 0


def _annotations(item: dict[str, Any]) -> dict[str, str]:
    return item["metadata"].get("annotations") or {}


if __name__ == "__main__":
    sys.exit(main(Settings()))
