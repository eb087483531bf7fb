"""One order, one run: from what a person typed to a judged run directory.

`execute` is what `peakdrill run` and the pytest plug-in call.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.core.plan import Size
from harness.core.record import RunRecord
from harness.progress import Progress


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for. Paths are as typed; nothing has been read yet."""

    scenario: str  # a name of scenarios/ or a path to a scenario module
    on: str = "embedded"
    targets_file: Path | None = None  # None: ./targets.yaml, else the example that ships
    experiment_file: Path | None = None  # instead of the scenario's own
    platform_file: Path | None = None
    size: Size = Size.FULL
    peak: float = 1.0
    seed: int | None = None
    workers: int = 1
    out: Path = Path("runs")
    release: str = ""


def execute(order: Order, progress: Progress) -> tuple[RunRecord, Path]:
    """Run it. Returns the judged run and its directory. Raises PeakdrillError."""
    raise NotImplementedError
