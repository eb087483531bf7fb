"""What an inspection is given: the platform as the recovery left it, and the run to write it in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.core.proofs import Proof
from harness.core.scenario import Scenario
from harness.core.targets import Targets
from harness.evidence import lines
from harness.platforms.capabilities import Platform


@dataclass(frozen=True, slots=True)
class Scene:
    """The load has stopped; the read-back has not begun. Proofs hold no secret."""

    platform: Platform
    run: Path
    run_id: str
    scenario: Scenario
    targets: Targets
    started_utc: str  # of the run, ISO 8601, by the wall clock

    def prove(self, check: str, kind: str, subject: str, ok: bool | None, told: str) -> None:
        """Add a proof to the run: see `Proof` for the words."""
        proof = Proof(check, kind, subject, ok, told, time.monotonic_ns())
        lines.append_proof(self.run, proof)


Inspection = Callable[[Scene], None]
