"""Evidence that grows line by line: proofs, runbook steps, the attacker's uses.

One canonical JSON object a line, appended and synced, so that whatever dies later loses nothing.
A last line that a kill has torn is left out; any other damage is an error.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import TypeVar

from harness.core.evidence import Use
from harness.core.proofs import Proof, StepRecord
from harness.errors import DamagedEvidence
from harness.evidence import layout

Line = TypeVar("Line", Proof, StepRecord, Use)


def append_proof(run: Path, proof: Proof) -> None:
    """Add to `<run>/recovery/proofs.jsonl`."""
    _append(run / layout.PROOFS, proof)


def append_step(run: Path, step: StepRecord) -> None:
    """Add to `<run>/recovery/steps.jsonl`."""
    _append(run / layout.STEPS, step)


def read_lines(file: Path, kind: type[Line]) -> tuple[Line, ...]:
    """Everything in a file of lines, () where there is none. Raises DamagedEvidence."""
    if not file.exists():
        return ()
    text = file.read_bytes()
    whole, _, torn = text.rpartition(b"\n")
    found = [_parse(line, kind, file, i) for i, line in enumerate(whole.splitlines(), 1) if line]
    del torn  # what was never finished was never told
    return tuple(found)


def _parse(line: bytes, kind: type[Line], file: Path, number: int) -> Line:
    names = {f.name for f in fields(kind)}
    try:
        told = json.loads(line)
        if set(told) != names:
            raise DamagedEvidence(f"{file.name}, line {number}: {sorted(set(told) ^ names)}")
        return kind(**told)
    except (ValueError, TypeError) as error:
        raise DamagedEvidence(f"{file.name}, line {number}: {error}") from error


def _append(file: Path, line: Proof | StepRecord) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    body = json.dumps(asdict(line), sort_keys=True, separators=(",", ":")).encode() + b"\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, body)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
