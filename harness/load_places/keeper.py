"""One thread a pod: it keeps the clock's bound tight, the lease alive and the ledger in view.

At the end it sees its worker out: the order to stop, the goodbye, the clock once more, the ledger.
Whatever it cannot do is a worker lost, by name; it raises nothing.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.clock_bounds import RoundTrip
from harness.errors import PeakdrillError, PlatformError
from harness.evidence import lines
from harness.load_places.beside import Beside
from harness.load_places.collecting import Mirror, collect, collect_log, ledger_file
from harness.load_places.orders import Passwords

TICK_S = 0.25
LOOKS_AT_AN_END = 20  # before the load and after it: the quickest of many is a tight bound
LOOKS_A_TRIP = 4  # during the load the quickest of so many is kept, so about one a second
_WRITTEN_EVERY = 5
_UNREACHABLE_S = 30.0  # at the end; until then a broken stream is only opened again


@dataclass
class Keeper:
    """Of one pod, worker or master. `lost` is read by others: one assignment, never taken back."""

    beside: Beside
    run: Path
    passwords: Passwords
    drain_s: float  # the longest that a worker takes to close up
    lost: str = ""
    ended_early: str = ""
    trips: list[RoundTrip] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _written: int = field(default=0, init=False)
    _given_up: bool = field(default=False, init=False)  # the evidence is sealed without us

    @property
    def name(self) -> str:
        pod = self.beside.pod
        who = f"worker {pod.role.number}" if self.is_worker else "the master"
        return f"{who} ({pod.name} on {pod.node or 'no node'})"

    @property
    def off_pace(self) -> str:
        """A bound that took its pace for granted may exclude the truth."""
        return f"{self.name}: {self.beside.slewed}" if self.beside.slewed else ""

    @property
    def is_worker(self) -> bool:
        return self.beside.pod.role.name == "worker"

    def meet(self) -> None:
        """Before the load, in the caller's thread. Raises PlatformError."""
        self.trips += [self.beside.clock() for _ in range(LOOKS_AT_AN_END)]
        self.passwords.hand_over(self.beside)

    def look_before(self) -> None:
        """While the others are waited for: its lease goes on, and its Locust has not ended."""
        self.trips.append(self.beside.clock())
        self._look_for_end()
        if self.ended_early:
            raise PlatformError(f"before the load began, {self.ended_early}")

    def start(self) -> None:
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def ask_to_stop(self) -> None:
        self._stopping.set()

    def wait(self, within_s: float) -> None:
        """Until the pod was seen out; one that takes longer is lost."""
        if self._thread is not None:
            self._thread.join(within_s)
            if self._thread.is_alive():
                self._given_up = True
                self._lose(f"it was not collected within {within_s:g} s")

    def _live(self) -> None:
        mirror = Mirror(ledger_file(self.run, self.beside.pod.role.number))
        looks: list[RoundTrip] = []
        while not self._stopping.wait(TICK_S) and not self.lost:
            try:
                looks.append(self.beside.clock())
                if len(looks) == LOOKS_A_TRIP:
                    self._note(min(looks, key=lambda t: t.received_ns - t.sent_ns))
                    looks.clear()
                    self._look_for_end()
                if self.is_worker:
                    self.passwords.hand_over(self.beside)
                    mirror.follow(self.beside)
            except (PeakdrillError, OSError):
                self._stopping.wait(TICK_S)
                self._look_for_pod()
            except Exception as error:  # noqa: BLE001  a bug of ours loses the worker, not the run
                self._lose(f"an error of peakdrill: {type(error).__name__}: {error}")
        if not self.lost:
            self._see_out()
        self.beside.close()
        self._write_trips()

    def _note(self, trip: RoundTrip) -> None:
        self.trips.append(trip)
        if len(self.trips) - self._written >= _WRITTEN_EVERY:
            self._write_trips()

    def _write_trips(self) -> None:
        if self.is_worker and len(self.trips) > self._written and not self._given_up:
            lines.append_trips(self.run, self.trips[self._written :])
        self._written = len(self.trips)

    def _look_for_end(self) -> None:
        ended = self.beside.ended()
        if ended is not None and not self._stopping.is_set():
            self.ended_early = f"{self.name} ended early with exit code {ended.get('exit')}"

    def _look_for_pod(self) -> None:
        try:
            why = self.beside.pods.why_gone(self.beside.pod)
        except PeakdrillError:
            return  # nobody can say: the next look may
        if why:
            self._lose(f"its pod is gone: {why}")

    def _see_out(self) -> None:
        """Tried again while its pod may still answer."""
        until_s = time.monotonic() + self.drain_s + _UNREACHABLE_S
        seen_out = False
        while not seen_out and not self.lost:
            try:
                self.beside.put("stop", b"")
                self._collect(self._await_end())
                self.beside.put("leave", b"")
                seen_out = True
            except (PeakdrillError, OSError) as error:
                self._look_for_pod()
                if time.monotonic() > until_s:
                    self._lose(f"it cannot be reached: {error}")
                time.sleep(TICK_S)
            except Exception as error:  # noqa: BLE001  likewise
                self._lose(f"an error of peakdrill: {type(error).__name__}: {error}")

    def _await_end(self) -> dict[str, object] | None:
        until_s = time.monotonic() + self.drain_s
        while (ended := self.beside.ended()) is None:
            if time.monotonic() > until_s:
                self._lose(f"it did not end within {self.drain_s:g} s")
                return None
            self._note(self.beside.clock())
            time.sleep(TICK_S)
        return ended

    def _collect(self, ended: dict[str, object] | None) -> None:
        if self._given_up:
            return
        collect_log(self.beside, self.run)
        if ended is None or not self.is_worker:
            return
        for _ in range(LOOKS_AT_AN_END):
            self._note(self.beside.clock())
        if why := collect(self.beside, self.run, ended, is_late=lambda: self._given_up):
            self._lose(why)

    def _lose(self, why: str) -> None:
        self.lost = self.lost or f"{self.name}: {why}"
