"""A place for load workers, and the one that a plan asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from harness.core.load_places import WorkersIn
from harness.core.operations import Operations
from harness.core.plan import Plan
from harness.errors import Refused
from harness.evidence.rundir import RunDirectory
from harness.load_places.here import Here
from harness.platforms.capabilities import Platform
from harness.platforms.load_pods import LoadPods

type_order = Mapping[str, Any]


class Workers(Protocol):
    """The load while it trades. What they see stands in the run's ledger folder as it grows."""

    def why_ended(self) -> str:
        """How it ended by itself, in one sentence; an empty one while it trades."""

    def on_run_clock(self, operations: Operations) -> Operations:
        """One worker's calls as far as its clock is known now; for looking on."""

    def stop(self) -> tuple[str, ...]:
        """End the schedule and wait for what is in flight. Who was lost, by name and reason."""


class Place(Protocol):
    """Brought up; nothing is sent before `begin`."""

    lead_s: float  # the schedule's zero lies at least so far ahead of `begin`

    def muster(self, order: type_order) -> None:
        """Whatever takes long. Afterwards only the schedule's zero is missing."""

    def begin(self, order: type_order, order_file: Path) -> Workers:
        """Follow the schedule from the order's `begin_ns`, on the run's clock."""


def load_place(
    plan: Plan,
    platform: Platform,
    run: RunDirectory,
    say: Callable[[str], None],
    *,
    max_s: float,
) -> AbstractContextManager[Place]:
    """Where the plan wants its workers; what was brought up for them is taken away at the end."""
    if plan.workers_in is WorkersIn.HERE:
        return Here(plan, run)
    from harness.load_places.pods import Pods

    return Pods(plan, load_pods_of(platform), run, say, lives_s=max_s)


def load_pods_of(platform: Platform) -> LoadPods:
    """Raises Refused where the platform has no pods for a load."""
    offered: LoadPods | None = getattr(platform, "load_pods", None)
    if offered is None:
        raise Refused(
            f"platform {platform.facts().name} has no pods for load workers",
            next_step="--workers-in here",
        )
    return offered
