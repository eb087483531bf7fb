"""The watchdog: looks at the guard rails while the drill trades, in a thread of its own.

The drill itself may hang in a recovery or in a look at a platform that is down; so nothing here
waits for it. A rail that was run into stops the drill as Ctrl-C does: the fault is undone at
once, the evidence is saved, and the run is invalid unless a loss is proven.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from harness import interrupts
from harness.core.guard import GuardRails, Readings, Trip, tripped
from harness.core.plan import Plan
from harness.errors import FaultError, PeakdrillError
from harness.faults import journal
from harness.faults.state import State
from harness.watching.harm import HarmSoFar

_LOOK_S = 0.5
_ALERTS_S = 2.0
_JOIN_S = 5.0


class Firing(Protocol):
    @property
    def name(self) -> str: ...


class AlertSource(Protocol):
    """The platform's own alerts. Raises PeakdrillError when they cannot be read."""

    def firing(self) -> tuple[Firing, ...]: ...


class Fault(Protocol):
    """What is to be undone, and whether its own process still can."""

    @property
    def state(self) -> State: ...
    def is_attended(self) -> bool: ...


class Watchdog:
    """The last readings, and the rail that was run into, if any."""

    def __init__(
        self, plan: Plan, platform_directory: Path, harm: HarmSoFar, alerts: AlertSource | None
    ) -> None:
        self.latest = Readings()
        self.trip: Trip | None = None
        self.unheard = ""  # why the drill must stop, where no signal could be sent to it
        self._plan, self._directory, self._harm = plan, platform_directory, harm
        self._alerts = alerts
        self._fault: Fault | None = None
        self._firing: tuple[str, ...] = ()
        self._read_ns = time.monotonic_ns()

    @property
    def rails(self) -> GuardRails:
        return self._plan.guards

    def watch_over(self, fault: Fault) -> None:
        """From now on the way to undo this fault is looked after, too."""
        self._fault = fault

    def look(self, now_ns: int) -> Trip | None:
        """One look at every rail; the first one that was run into stays."""
        unread_s = (now_ns - self._read_ns) / 1e9 if self.rails.alerts else 0.0
        self.latest = Readings(
            harm=self._harm.look(now_ns),
            silent_s=self._harm.silent_s(now_ns),
            firing=self._firing,
            alerts_unread_s=max(0.0, unread_s),
            undo_lost=undo_lost(self._directory, self._plan.run_id, self._fault),
        )
        found = tripped(self.rails, self.latest, self._plan.targets.currency)
        self.trip = self.trip or found
        return found

    def hear(self) -> None:
        """Ask for the alerts that fire. Silence is noticed by the age of the last answer."""
        assert self._alerts is not None, "asked only where there is somebody to ask"
        with suppress(PeakdrillError, OSError):
            self._firing = tuple(alert.name for alert in self._alerts.firing())
            self._read_ns = time.monotonic_ns()

    @property
    def hears(self) -> bool:
        return bool(self.rails.alerts) and self._alerts is not None


def undo_lost(directory: Path, run_id: str, fault: Fault | None) -> str:
    """Why the active fault could no longer be undone by the ways that were prepared; or ""."""
    if fault is None or not _is_active(fault):
        return ""
    if why := _journal_lost(directory, run_id):
        # looked at once more: it may have been healed, and its journal cleared, in between
        return why if _is_active(fault) else ""
    if not fault.is_attended() and _is_active(fault):
        return "the experiment's process died while the fault was active"
    return ""


def _is_active(fault: Fault) -> bool:
    try:
        return fault.state is State.ACTIVE
    except PeakdrillError:
        return False  # the marks cannot be read: the drill itself ends on that


def _journal_lost(directory: Path, run_id: str) -> str:
    folder = directory / journal.FOLDER
    try:
        entries, _ = journal.scan(directory)
    except (OSError, FaultError) as error:
        return f"the undo journal {folder} cannot be read: {error}"
    if not any(entry.run_id == run_id for entry in entries):
        return f"the undo journal {folder} no longer holds the undo of this run"
    probe = folder / ".probe"  # asked by doing: root may write anywhere, but not on a full disk
    try:
        probe.write_bytes(bytes(4096))
        probe.unlink()
    except OSError as error:
        return f"the undo journal {folder} cannot be written: {error.strerror}"
    return ""


@contextmanager
def guarding(
    plan: Plan,
    platform_directory: Path,
    harm: HarmSoFar,
    alerts: AlertSource | None,
    *,
    stop: Callable[[str], bool] = interrupts.interrupt,
) -> Iterator[Watchdog]:
    """While within: look every half second; a rail that is run into calls `stop` once."""
    dog = Watchdog(plan, platform_directory, harm, alerts)
    over = threading.Event()
    threads = [threading.Thread(target=_watch, args=(dog, stop, over), daemon=True)]
    if dog.hears:
        threads.append(threading.Thread(target=_listen, args=(dog, over), daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield dog
    finally:
        over.set()
        for thread in threads:
            thread.join(_JOIN_S)


def _watch(dog: Watchdog, stop: Callable[[str], bool], over: threading.Event) -> None:
    """Ends with the first trip. A watchdog that cannot look is a rail that nobody watches."""
    blind_since_ns: int | None = None
    while not over.wait(_LOOK_S):
        now_ns = time.monotonic_ns()
        try:
            trip = dog.look(now_ns)
            blind_since_ns = None
        except Exception as error:  # noqa: BLE001 (whatever it is: a dead thread watches nothing)
            blind_since_ns = blind_since_ns or now_ns
            blind_s = (now_ns - blind_since_ns) / 1e9
            if blind_s <= dog.rails.heartbeat_s:
                continue
            told = f"the ledgers could not be read for {blind_s:.0f} s: {type(error).__name__}"
            trip = dog.trip = Trip("watchdog", told)
        if trip is not None and not over.is_set():
            why = f"aborted by the guard rail {trip.rail}: {trip.why}"
            dog.unheard = "" if stop(why) else why
            return


def _listen(dog: Watchdog, over: threading.Event) -> None:
    while True:
        dog.hear()
        if over.wait(_ALERTS_S):
            return
