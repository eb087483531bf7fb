"""From a scenario's recovery to the runbook that carries it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from harness.core.scenario import RecoverySpec
from harness.errors import UsageError
from harness.platforms.capabilities import Platform


class Watch(Protocol):
    """What a runbook may ask of the load: to tell when the service is well again."""

    def await_well(self) -> bool: ...


def automatic(_spec: RecoverySpec, _platform: Platform, load: Watch) -> None:
    """Nobody repairs anything; the drill watches."""
    load.await_well()


RUNBOOKS: dict[str, Callable[[RecoverySpec, Platform, Watch], None]] = {"automatic": automatic}


def recover(spec: RecoverySpec, platform: Platform, load: Watch) -> None:
    """Carry out the runbook and watch until the service is well, or observation ends."""
    if spec.runbook not in RUNBOOKS:
        raise UsageError(f"no runbook {spec.runbook!r}", next_step=f"one of {sorted(RUNBOOKS)}")
    RUNBOOKS[spec.runbook](spec, platform, load)
