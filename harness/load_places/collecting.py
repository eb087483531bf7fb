"""A pod's ledger, as it grows and at the end.

As it grows it is mirrored slot by slot, so that the harness sees what the customers see, and so
that something is left of a worker whose pod died. At the end the whole file takes the mirror's
place, and only when its SHA-256 is the one that was taken in the pod when the worker had closed it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.evidence import layout
from harness.ledger.reader import settled
from harness.ledger.slots import HEADER_BYTES, SLOT_BYTES, slot_offset
from harness.load_places.beside import AnsweredNo, Beside

_SLOTS_AT_ONCE = 4096  # as load/beside.py hands them out
_PARTS_AT_ONE_LOOK = 16


@dataclass
class Mirror:
    """One worker's slot file, as far as it was seen. It is never closed: the collected one is."""

    file: Path
    _seq: int = field(default=0, init=False)  # the first slot that may still change
    _has_header: bool = field(default=False, init=False)

    def follow(self, beside: Beside) -> None:
        """What was written since, and what may have changed."""
        at = self._seq
        for _ in range(_PARTS_AT_ONE_LOOK):
            header, slots = beside.slots(at)
            if len(header) < HEADER_BYTES:
                return
            self._write(header, slots, at)
            done = settled(slots, at)
            if at == self._seq:
                self._seq += done
            if len(slots) < _SLOTS_AT_ONCE * SLOT_BYTES:
                return
            at += _SLOTS_AT_ONCE

    def _write(self, header: bytes, slots: bytes, at: int) -> None:
        file = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not self._has_header:
                os.pwrite(file, header, 0)
                self._has_header = True
            if slots:
                os.pwrite(file, slots, slot_offset(at))
        finally:
            os.close(file)


def ledger_file(run: Path, worker: int) -> Path:
    return run / layout.LEDGER / f"worker-{worker}.slots"


def collect_log(beside: Beside, run: Path) -> None:
    """What Locust said, from its begin; nothing rests on it."""
    role = beside.pod.role
    name = f"worker-{role.number}.log" if role.name == "worker" else "locust.log"
    with contextlib.suppress(AnsweredNo):
        (run / layout.LOAD / name).write_bytes(beside.file("locust.log"))


def collect(
    beside: Beside,
    run: Path,
    ended: dict[str, object],
    *,
    is_late: Callable[[], bool] = lambda: False,
) -> str:
    """A worker's goodbye and its ledger. "" or why the ledger is not what was written.

    Nothing is written once it is late. Raises PlatformError when the stream broke: whoever asks
    again begins anew.
    """
    worker = beside.pod.role.number
    with contextlib.suppress(AnsweredNo):  # a worker that was killed has written none
        status = beside.file(f"worker-{worker}.json")
        if is_late():
            return "it came too late"
        (run / layout.LOAD / f"worker-{worker}.json").write_bytes(status)
    if not isinstance(ended.get("sha256"), str):
        return "its pod has no ledger"
    part = ledger_file(run, worker).with_suffix(".part")
    try:
        digest = _fetch(beside, ledger_file(run, worker).name, part, ended["bytes"])
        if digest != ended["sha256"]:
            return "its ledger is not the one that it closed: SHA-256 differs"
        if is_late():
            return "it came too late"
        part.replace(ledger_file(run, worker))
    except AnsweredNo as error:
        return f"its ledger could not be collected: {error.what}"
    finally:
        part.unlink(missing_ok=True)
    return ""


def _fetch(beside: Beside, name: str, into: Path, size: object) -> str:
    """Part by part; a file that has another length by now is not the one that was closed."""
    digest = hashlib.sha256()
    with into.open("wb") as stream:
        while True:
            part, whole = beside.part_of(name, stream.tell())
            if whole != size:
                raise AnsweredNo(f"it has {whole:,} bytes, and had {size} when it was closed")
            stream.write(part)
            digest.update(part)
            if stream.tell() >= whole or not part:
                break
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()
