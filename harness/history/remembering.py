"""A run's own way into the history, at its end. The history failing never costs a run.

Whatever goes wrong here is told on stderr with what to do, for the run and its verdict stand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.core.record import RunRecord
from harness.errors import PeakdrillError
from harness.evidence import layout


def remember(record: RunRecord, directory: Path, out: Path) -> None:
    """Add a judged run to the history of OUT."""
    with _told(directory):
        from harness.evidence.outcome import outcome_of
        from harness.history.store import open_history

        outcome = outcome_of(
            record.plan,
            record.judgement,
            begun_utc=record.begun_utc,
            evidence_digest=record.evidence_digest,
        )
        with open_history(None, out=out) as history:
            history.add(outcome, directory=directory)


@contextmanager
def remembered_anyway(directory: Path, out: Path) -> Iterator[None]:
    """A run that ends in an error of ours is judged from what it sealed, and remembered."""
    try:
        yield
    except BaseException:
        if (directory / layout.SEAL).exists():
            with _told(directory):
                from harness.history.importing import import_run
                from harness.history.store import open_history

                with open_history(None, out=out) as history:
                    import_run(history, directory)
        raise


@contextmanager
def _told(directory: Path) -> Iterator[None]:
    """No failure leaves; each is told, also where progress is silent."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 (the run is whole, whatever its history does)
        why = error.what if isinstance(error, PeakdrillError) else f"{type(error).__name__}"
        sys.stderr.write(
            f"peakdrill: the run is whole, but not in the history: {why}\n"
            f"  next: peakdrill history import {directory}\n"
        )
