"""What an undo lease says: the undo of a fault, kept in the cluster under a time limit. Pure.

Whoever breaks something writes it first, and renews it for as long as he holds the fault. When it
is no longer renewed he is dead, and the cluster's own keeper plays the undo. It holds no secret.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

STATE = "peakdrill.dev/undo"  # a label: so that the keeper asks for those that concern it
PENDING, CLAIMED, DONE = "pending", "claimed", "done"
KEPT = f"{STATE} in ({PENDING},{CLAIMED})"
LEASE_NAME = "peakdrill-undo-"
UNCORDON, DELETE_POLICY, NOTHING = "uncordon", "delete-policy", "nothing"
VERBS = (UNCORDON, DELETE_POLICY, NOTHING)
CORDONED_BY = "peakdrill.dev/cordoned-by"  # on a node: only such a cordon is ours to undo
MADE_BY = "peakdrill.dev/made-by"  # on a policy, likewise
_SAYS = "peakdrill.dev/"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")  # it becomes part of a path


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the cluster can do by itself. Harmless when it is done already."""

    verb: str
    name: str  # of a node, of a policy; for NOTHING: what happens by itself

    def __str__(self) -> str:
        return f"{self.verb} {self.name}"


@dataclass(frozen=True, slots=True)
class UndoLease:
    """As the cluster has it."""

    name: str
    namespace: str
    fault: str
    run_id: str
    platform: str  # whose: the drill's platform, by name
    steps: tuple[Step, ...]
    duration_s: int
    renewed_utc: dt.datetime
    holder: str = ""
    state: str = PENDING
    seen_by: str = ""  # the keeper that has read it
    version: str = ""  # of the object, against those who were quicker

    @property
    def expires_utc(self) -> dt.datetime:
        return self.renewed_utc + dt.timedelta(seconds=self.duration_s)


def document(lease: UndoLease) -> dict[str, object]:
    """The object as it is written first."""
    says = {
        f"{_SAYS}fault": lease.fault,
        f"{_SAYS}run": lease.run_id,
        f"{_SAYS}platform": lease.platform,
        f"{_SAYS}steps": json.dumps([[step.verb, step.name] for step in lease.steps]),
    }
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": lease.name,
            "namespace": lease.namespace,
            "labels": {STATE: lease.state},
            "annotations": says,
        },
        "spec": {
            "holderIdentity": lease.holder,
            "leaseDurationSeconds": lease.duration_s,
            "acquireTime": spelled(lease.renewed_utc),
            "renewTime": spelled(lease.renewed_utc),
        },
    }


def read(item: Mapping[str, Any]) -> UndoLease:
    """Raises ValueError for an object that does not say all of it: nobody guesses an undo."""
    try:
        meta, spec = item["metadata"], item["spec"]
        says = meta["annotations"]
        steps = tuple(_step(str(v), str(n)) for v, n in json.loads(says[f"{_SAYS}steps"]))
        return UndoLease(
            name=str(meta["name"]),
            namespace=str(meta["namespace"]),
            fault=str(says[f"{_SAYS}fault"]),
            run_id=str(says[f"{_SAYS}run"]),
            platform=str(says[f"{_SAYS}platform"]),
            steps=steps,
            duration_s=int(spec["leaseDurationSeconds"]),
            renewed_utc=_instant(str(spec["renewTime"])),
            holder=str(spec.get("holderIdentity") or ""),
            state=str(meta["labels"][STATE]),
            seen_by=str(says.get(f"{_SAYS}seen-by") or ""),
            version=str(meta["resourceVersion"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        named = item.get("metadata") or {}
        raise ValueError(f"lease {named.get('name', '?')} cannot be read: {error!r}") from error


def path(namespace: str, name: str = "") -> str:
    """Where the API has them."""
    folder = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    return f"{folder}/{name}" if name else folder


def seen(by: str) -> dict[str, object]:
    """A keeper says that it has read it: only then may anything be broken."""
    return {"metadata": {"annotations": {f"{_SAYS}seen-by": by}}}


def renewed(now: dt.datetime, version: str) -> dict[str, object]:
    """Refused by the API where a keeper has claimed it meanwhile."""
    return {"metadata": {"resourceVersion": version}, "spec": {"renewTime": spelled(now)}}


def claimed(by: str, version: str) -> dict[str, object]:
    """The undo begins: from now on it cannot be renewed any more."""
    meta = {"resourceVersion": version, "labels": {STATE: CLAIMED}}
    return {"metadata": meta, "spec": {"holderIdentity": by}}


def done(by: str, now: dt.datetime) -> dict[str, object]:
    says = {f"{_SAYS}undone-by": by, f"{_SAYS}undone-at": spelled(now)}
    return {"metadata": {"labels": {STATE: DONE}, "annotations": says}}


def spelled(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).strftime(_TIME)


def undone_at(item: Mapping[str, Any]) -> dt.datetime | None:
    """When the cluster had undone it, None before."""
    told = (item["metadata"].get("annotations") or {}).get(f"{_SAYS}undone-at")
    return _instant(told) if told else None


def _step(verb: str, name: str) -> Step:
    if verb not in VERBS or (verb != NOTHING and not _NAME.match(name)):
        raise ValueError(f"nobody here knows how to {verb} {name!r}")
    return Step(verb, name)


def _instant(told: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(told)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


@dataclass(slots=True)
class Hourglass:
    """Which leases have run out, by one's own monotonic clock.

    The holder's clock counts only for what a keeper that has just started finds, and others have
    seen: from then on what matters is that it was renewed, not what hour it wrote. Whatever comes
    later has its whole time before it, however wrong a clock is: one that was played before
    anything was broken would undo nothing of what is broken then.
    """

    _known: dict[str, tuple[str, float]] = field(default_factory=dict)  # name -> renewal, end
    _has_looked: bool = False

    def run_out(
        self, leases: Iterable[UndoLease], *, now_s: float, now_utc: dt.datetime
    ) -> tuple[UndoLease, ...]:
        """Those whose time is over; what was claimed and not finished is among them.

        >>> at = dt.datetime(2027, 11, 26, tzinfo=dt.UTC)
        >>> one = UndoLease("a", "n", "f", "r", "p", (), 10, at)
        >>> glass = Hourglass()
        >>> glass.run_out([one], now_s=100.0, now_utc=at)  # an hour behind would not matter
        ()
        >>> glass.run_out([one], now_s=109.9, now_utc=at)
        ()
        >>> [lease.name for lease in glass.run_out([one], now_s=110.0, now_utc=at)]
        ['a']
        >>> from dataclasses import replace
        >>> later = at + dt.timedelta(seconds=11)
        >>> len(Hourglass().run_out([one], now_s=5.0, now_utc=later))  # a new one
        0
        >>> known = replace(one, seen_by="another keeper")  # it has been here for a while
        >>> len(Hourglass().run_out([known], now_s=5.0, now_utc=later))
        1
        """
        over: list[UndoLease] = []
        kept: dict[str, tuple[str, float]] = {}
        for lease in leases:
            renewal = spelled(lease.renewed_utc)
            before, end_s = self._known.get(lease.name, ("", 0.0))
            if before != renewal:
                is_old = not self._has_looked and bool(lease.seen_by)
                age_s = (now_utc - lease.renewed_utc).total_seconds() if is_old else 0.0
                end_s = now_s + lease.duration_s - min(max(0.0, age_s), lease.duration_s)
            kept[lease.name] = (renewal, end_s)
            if lease.state == CLAIMED or now_s >= end_s:
                over.append(lease)
        self._known, self._has_looked = kept, True
        return tuple(over)
