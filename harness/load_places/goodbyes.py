"""Which workers said goodbye: their status files, written last."""

from __future__ import annotations

from pathlib import Path

from harness.evidence import layout
from harness.json_text import parsed


def troubles_of(run: Path, workers: int) -> tuple[str, ...]:
    """Of every worker whose part of the load cannot be trusted, why."""
    found = (
        _trouble_of(run / layout.LOAD / f"worker-{worker}.json", worker)
        for worker in range(workers)
    )
    return tuple(trouble for trouble in found if trouble)


def _trouble_of(status: Path, worker: int) -> str:
    """Why a worker's part of the load cannot be trusted, "" when it can."""
    try:
        told = parsed(status.read_text())
        troubles = [" ".join(str(trouble).split()) for trouble in told["troubles"]]
    except FileNotFoundError:
        return f"worker {worker} said no goodbye"
    except (OSError, ValueError, KeyError, TypeError):
        return f"worker {worker} said goodbye in words that cannot be read"
    return f"worker {worker}: {troubles[0]}" if troubles else ""
