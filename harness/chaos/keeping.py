"""An undo that survives us: it is kept where our death does not reach, for as long as we renew it.

In the cluster, as a lease that the cluster's own keeper plays when it runs out; for what only this
machine can undo (a node's power), with a watchdog process that outlives the harness and this child.
Renewed by a thread of this process: when it is killed, or stopped, the renewals stop with it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.chaos.standing import Standing
from harness.core.timeline import Mark, MarkName
from harness.errors import PeakdrillError
from harness.faults import journal, watchdog
from harness.platforms.cluster_faults import ClusterFaults
from harness.platforms.reference.lease import LEASE_NAME

_PER_LEASE = 5  # renewals: three may fail, and it still holds
_JOIN_S = 10.0


@dataclass(frozen=True, slots=True)
class _Renewal:
    thread: threading.Thread
    over: threading.Event = field(default_factory=threading.Event)


_renewals: list[_Renewal] = []


def arm_in_cluster(
    here: Standing,
    faults: ClusterFaults,
    fault: str,
    parameters: Mapping[str, str],
    undo: Mapping[str, str],
) -> str:
    """The undo on disk and in the cluster, where its keeper has read it; and the mark.

    `undo`: verb -> name, as harness.platforms.reference.lease has them. Returns the lease's name.
    Raises FaultError, and leaves nothing armed, where nobody in the cluster would play it.
    """
    lease = f"{LEASE_NAME}{secrets.token_hex(5)}"
    earliest_ns = time.monotonic_ns()
    named = {**parameters, "lease": lease}
    entry = journal.write(here.platform.directory, fault, named, here.run_id)
    try:
        faults.take_lease(lease, fault, here.run_id, undo)
    except BaseException:
        journal.remove(entry)  # nothing was broken
        raise
    told = ", ".join(f"{key} {value}" for key, value in sorted(named.items()))
    note = f"undo on disk, and in the cluster for {faults.lease_s} s at a time: {told}"
    here.witness(Mark(MarkName.FAULT_ARMED, earliest_ns, time.monotonic_ns(), note))

    def renew() -> bool:
        return faults.renew(lease)

    _renew_from_now_on(here, renew, faults.lease_s, "the cluster has begun to undo it")
    return lease


def keep_on_this_machine(here: Standing) -> None:
    """A watchdog for the undo that was armed last, where the platform says how long it waits.

    Raises FaultError where it does not watch: then nothing may be broken.
    """
    lease_s: float | None = getattr(here.platform, "undo_lease_s", None)
    if lease_s is None:
        return
    mine = [e for e in journal.pending(here.platform.directory) if e.run_id == here.run_id]
    entry = mine[-1]
    watchdog.start(entry, lease_s)
    _renew_from_now_on(here, lambda: watchdog.beat(entry), lease_s, "its watchdog undoes it")


def stop_renewing() -> None:
    """Before an undo: what is undone by us must not look like one that others have undone."""
    while _renewals:
        renewal = _renewals.pop()
        renewal.over.set()
        renewal.thread.join(_JOIN_S)


def _renew_from_now_on(
    here: Standing, renew: Callable[[], bool], lease_s: float, lost: str
) -> None:
    over = threading.Event()

    def work() -> None:
        while not over.wait(lease_s / _PER_LEASE):
            try:
                kept = renew()
            except Exception:  # noqa: BLE001, S112  nobody can tell: asked again; its time runs on
                continue
            if not kept:
                if not over.is_set():
                    _tell(here, f"the undo could not be renewed in time: {lost}")
                return

    thread = threading.Thread(target=work, daemon=True)
    _renewals.append(_Renewal(thread, over))
    thread.start()


def _tell(here: Standing, what: str) -> None:
    try:
        here.stamp(MarkName.FAULT_SPOILED, what)
    except PeakdrillError:
        return  # the release itself looks again
