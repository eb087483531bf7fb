"""What a run tells while it goes on. Renderers implement `Progress`; the drill only calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from harness.core.guard import Readings
from harness.core.operation import Workload


@dataclass(frozen=True, slots=True)
class WorkloadRate:
    workload: Workload
    offered_per_s: float
    good_per_s: float
    rto_target_s: float
    well: bool


@dataclass(frozen=True, slots=True)
class LiveView:
    """The last full seconds of the load, read from the ledgers as they grow."""

    phase: str
    load_s: float
    since_fault_s: float | None
    rates: tuple[WorkloadRate, ...]
    seen: Readings | None = None  # by the watchdog, where one is on watch


class Progress(Protocol):
    def phase(self, name: str, limit_s: float | None = None) -> None: ...
    def tick(self, view: LiveView) -> None: ...
    def say(self, text: str) -> None: ...
    def close(self) -> None: ...


class Silent:
    """Says nothing: for `--json` and tests."""

    def phase(self, name: str, limit_s: float | None = None) -> None:
        pass

    def tick(self, view: LiveView) -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass
