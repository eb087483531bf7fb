"""Outcomes as rows, and back: a row that is not what was written is named, and never skipped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.core.outcome import Outcome
from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical

_OUTCOME = TypeAdapter(Outcome)
_COLUMNS = (
    "run_id", "begun_utc", "scenario", "release", "platform", "configuration", "season", "tenant",
    "size", "seed", "peak", "verdict", "proven_loss", "evidence_digest",
)  # fmt: skip


def row_of(outcome: Outcome, directory: Path) -> dict[str, object]:
    """The row that holds `outcome`. Refuses a text that no store could hold."""
    columns = _columns(outcome)
    wrong = [name for name, value in columns.items() if isinstance(value, str) and "\0" in value]
    if wrong:
        raise Refused(
            f"run {outcome.run_id!r}: {', '.join(wrong)} holds a NUL character",
            next_step="this is no run of peakdrill",
        )
    text = canonical.dumps(outcome).decode()
    return {
        **columns,
        "directory": str(directory).encode(errors="backslashreplace").decode(),
        "outcome": text,
        "outcome_digest": _digest(text),
    }


def outcome_in(row: Mapping[str, Any], place: str) -> Outcome:
    """The outcome that a row holds. Raises DamagedEvidence that names the run and what is wrong."""
    text = row["outcome"]
    if not isinstance(text, str) or _digest(text) != row["outcome_digest"]:
        raise _damaged(row, place, "its outcome is not the one that was written")
    try:
        outcome = _OUTCOME.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _damaged(row, place, f"{where}: {first['msg']}") from error
    differing = [name for name, value in _columns(outcome).items() if row[name] != value]
    if differing:
        raise _damaged(row, place, f"{', '.join(differing)}: not what its outcome says")
    return outcome


def _columns(outcome: Outcome) -> dict[str, object]:
    values = {name: getattr(outcome, name) for name in _COLUMNS}
    return values | {"verdict": outcome.verdict.value}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _damaged(row: Mapping[str, Any], place: str, why: str) -> DamagedEvidence:
    named = row["run_id"] if isinstance(row["run_id"], str) else repr(row["run_id"])
    return DamagedEvidence(
        f"{place}: run {named} is damaged: {why}",
        next_step="delete that row, then `peakdrill history import` its run directory",
    )
