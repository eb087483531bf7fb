"""The run directory, written in three phases, so that a crash later loses nothing earlier."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness.core.evidence import Observation
from harness.core.plan import Plan
from harness.core.verdict import Judgement
from harness.errors import Refused
from harness.evidence import canonical, layout, seal
from harness.readback.survivors import Look, save

_FOLDERS = (
    layout.LEDGER, layout.LOAD, layout.CHAOS, layout.READBACK, layout.RECOVERY, layout.ATTACK,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a run before it begins, beside its plan."""

    schema: str
    begun_utc: str
    peakdrill: str
    python: str


@dataclass(frozen=True, slots=True)
class RunDirectory:
    path: Path

    @classmethod
    def create(cls, out: Path, run_id: str) -> RunDirectory:
        """Make DIR/<run_id>; DIR may exist, the run's own folder may not."""
        path = out / run_id
        try:
            path.mkdir(parents=True)
            for part in _FOLDERS:
                (path / part).mkdir()
        except OSError as error:
            raise Refused(
                f"the run directory {path} cannot be made: {error.strerror}",
                next_step="name another folder with --out, or free some space",
            ) from error
        return cls(path.resolve())

    def __truediv__(self, part: str) -> Path:
        return self.path / part

    def save_plan(self, plan: Plan, experiment: str, head: Head) -> None:
        """Phase 0: survives anything that follows."""
        self._write(layout.EXPERIMENT, experiment.encode())
        self._write("head.json", canonical.dumps(head))
        self._write(layout.PLAN, canonical.dumps(plan))

    def save_look(self, look: Look) -> None:
        save(look, self / layout.READBACK)

    def save_evidence(self, observation: Observation) -> str:
        """Phase 1: from here on, pure. Returns the seal's digest."""
        self._write(layout.OBSERVATION, canonical.dumps(observation))
        return seal.seal(self.path)

    def save_verdict(self, judgement: Judgement) -> None:
        """Phase 2: repeatable from the directory alone."""
        self._write(layout.VERDICT, canonical.dumps(judgement))

    def _write(self, name: str, body: bytes) -> None:
        """Whole or not at all: a temporary file, synced, then renamed."""
        temporary = self.path / f".{name}.part"
        with temporary.open("wb") as stream:
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(self.path / name)
