"""Evidence that grows line by line: proofs, runbook steps, the attacker's uses.

One canonical JSON object a line, appended and synced, so that whatever dies later loses nothing.
A last line that a kill has torn is left out, and cut off before the next one is written: what was
never finished was never told. Any other damage is an error that names file and line.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.core.clock_bounds import RoundTrip
from harness.core.evidence import Use
from harness.core.proofs import Proof, StepRecord
from harness.errors import DamagedEvidence
from harness.evidence import layout
from harness.json_text import parsed

Line = TypeVar("Line", Proof, StepRecord, Use, RoundTrip)
_NEXT = "restore the run directory from a copy; this one cannot be judged"


def append_proof(run: Path, proof: Proof) -> None:
    """Add to `<run>/recovery/proofs.jsonl`."""
    _append(run / layout.PROOFS, proof)


def append_step(run: Path, step: StepRecord) -> None:
    """Add to `<run>/recovery/steps.jsonl`."""
    _append(run / layout.STEPS, step)


def append_trips(run: Path, trips: Sequence[RoundTrip]) -> None:
    """Add to `<run>/load/clocks.jsonl`."""
    _append(run / layout.CLOCKS, *trips)


def read_lines(file: Path, kind: type[Line]) -> tuple[Line, ...]:
    """Everything in a file of lines, () where there is none. Raises DamagedEvidence."""
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _damaged(file, f"cannot be read: {error.strerror}") from error
    whole = text.split(b"\n")[:-1]  # the last part is empty, or what a kill has torn
    adapter = TypeAdapter(kind)
    return tuple(_parse(line, adapter, kind, file, i) for i, line in enumerate(whole, 1))


def _parse(
    line: bytes, adapter: TypeAdapter[Line], kind: type[Line], file: Path, number: int
) -> Line:
    names = {f.name for f in fields(kind)}
    try:
        told = parsed(line)
        if not isinstance(told, dict) or set(told) != names:
            raise _damaged(file, f"line {number}: the keys must be {', '.join(sorted(names))}")
        found = adapter.validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _damaged(file, f"line {number}: {place}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(file, f"line {number}: not a whole JSON object") from error
    if not isinstance(found, Proof) and _begun_ns(found) > _ended_ns(found):
        raise _damaged(file, f"line {number}: it ends before it begins")
    return found


def _begun_ns(line: StepRecord | Use | RoundTrip) -> int:
    return line.sent_ns if isinstance(line, RoundTrip) else line.begun_ns


def _ended_ns(line: StepRecord | Use | RoundTrip) -> int:
    if isinstance(line, RoundTrip):
        return line.received_ns
    return line.done_ns if isinstance(line, Use) else line.ended_ns


def _damaged(file: Path, what: str) -> DamagedEvidence:
    return DamagedEvidence(f"{file.parent.name}/{file.name}: {what}", next_step=_NEXT)


def _append(file: Path, *added: Proof | StepRecord | RoundTrip) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    texts = (json.dumps(asdict(line), sort_keys=True, separators=(",", ":")) for line in added)
    body = "".join(f"{text}\n" for text in texts).encode()
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # nobody else may write while the end is looked at
        _cut_off_torn(descriptor)
        os.write(descriptor, body)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _cut_off_torn(descriptor: int) -> None:
    """A writer that was killed left half a line: a whole one after it must not be lost with it."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.ftruncate(descriptor, os.pread(descriptor, size, 0).rfind(b"\n") + 1)
