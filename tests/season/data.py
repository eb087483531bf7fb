"""The kept season as values, for the tests of the gate, of readiness and of the history.

    outcomes()      every run as an Outcome, oldest first
    runs()          the same with plan, judgement, head and the files as they were

Made anew by `python -m tests.season.keep FOLDER_OF_RUNS` (see there); nothing here is by hand.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from harness.core.outcome import Outcome
from harness.core.plan import Plan
from harness.core.verdict import Judgement
from harness.evidence import layout
from harness.evidence.outcome import outcome_of
from harness.evidence.rundir import Head
from tests.season.keep import ARCHIVE, TOLD

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeptRun:
    """One run directory without its bulk."""

    name: str
    files: Mapping[str, bytes]
    plan: Plan
    judgement: Judgement
    head: Head

    @property
    def evidence_digest(self) -> str:
        """SHA-256 of the seal; "" where the run was never sealed."""
        sealed = self.files.get(layout.SEAL)
        return "" if sealed is None else hashlib.sha256(sealed).hexdigest()

    @property
    def outcome(self) -> Outcome:
        return outcome_of(
            self.plan,
            self.judgement,
            begun_utc=self.head.begun_utc,
            evidence_digest=self.evidence_digest,
        )


@cache
def members(archive: Path = ARCHIVE) -> Mapping[str, bytes]:
    """Every file of the archive by its name."""
    with tarfile.open(archive, mode="r:xz") as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isreg()}  # type: ignore[union-attr]


@cache
def runs(archive: Path = ARCHIVE) -> tuple[KeptRun, ...]:
    """Oldest first, as their names sort."""
    folders: dict[str, dict[str, bytes]] = {}
    for name, body in members(archive).items():
        folder, _, file = name.partition("/")
        if file:  # what stands beside the runs has no folder
            folders.setdefault(folder, {})[file] = body
    return tuple(_run(name, files) for name, files in sorted(folders.items()))


@cache
def outcomes(archive: Path = ARCHIVE) -> tuple[Outcome, ...]:
    """What a history would hold of the season, oldest first."""
    made = [run.outcome for run in runs(archive)]
    return tuple(sorted(made, key=lambda o: (o.begun_utc, o.run_id)))


def told(archive: Path = ARCHIVE) -> list[dict[str, object]]:
    """What the conductor wrote down of each drill."""
    return [json.loads(line) for line in members(archive).get(TOLD, b"").splitlines()]


def unpack(folder: Path, archive: Path = ARCHIVE) -> Path:
    """The kept files as run directories. No judge can judge them again: the ledgers are away."""
    for name, body in members(archive).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    return folder


def _run(name: str, files: dict[str, bytes]) -> KeptRun:
    return KeptRun(
        name=name,
        files=files,
        plan=_value(Plan, files[layout.PLAN]),
        judgement=_value(Judgement, files[layout.VERDICT]),
        head=_value(Head, files["head.json"]),
    )


def _value(kind: type[T], body: bytes) -> T:
    return TypeAdapter(kind).validate_json(body)


__all__ = ["KeptRun", "members", "outcomes", "runs", "told", "unpack"]
