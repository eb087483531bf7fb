"""Where a runbook stands: the platform before it, and the run that it is written down in."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.proofs import Proof, StepRecord
from harness.core.targets import Targets
from harness.core.timeline import Mark, MarkName
from harness.evidence import events, layout, lines
from harness.platforms.capabilities import Instant, Platform
from harness.recovery.clock import instant_of
from harness.recovery.facts import Course, Facts


def _in_silence(_text: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Ground:
    """What each step is given. A capability is asked for as `having(ground.platform.backups, ...)`.

    Nothing that is told here may hold a secret: facts, notes, sentences and proofs are kept in
    the clear, and printed. Name the file that holds it instead.
    """

    platform: Platform
    run: Path  # the run's directory; it may be gone when a runbook is resumed
    run_id: str
    parameters: Mapping[str, str]  # of the scenario: runbook("...", within_s=..., key="value")
    targets: Targets
    facts: Facts
    say: Callable[[str], None] = field(default=_in_silence)
    # False when a runbook is resumed after its run: what is mended then is no evidence of it
    witnessed: bool = True

    @classmethod
    def of(
        cls,
        platform: Platform,
        course: Course,
        *,
        file: Path | None = None,
        say: Callable[[str], None] = _in_silence,
        witnessed: bool = True,
    ) -> Ground:
        """Ground for a course; without a file, nothing of it survives the process."""
        facts = Facts(course, file)
        run, parameters = Path(course.run), course.parameters
        return cls(platform, run, course.run_id, parameters, course.targets, facts, say, witnessed)

    def prove(self, check: str, kind: str, subject: str, ok: bool | None, told: str) -> None:
        """Add a proof to the run: see `Proof` for the words."""
        if self.witnessed:
            seen_ns = time.monotonic_ns()
            lines.append_proof(self.run, Proof(check, kind, subject, ok, told, seen_ns))

    def mark(self, name: MarkName, instant: Instant, note: str = "") -> None:
        """A mark beside the one that the step stamps by itself."""
        if self.witnessed:
            mark = Mark(name, instant.earliest_ns, instant.latest_ns, note)
            events.append(self.run / layout.EVENTS, mark)

    def mark_recovery_point(self, reached_utc: str) -> None:
        """When the last commit that a restore holds was made, by the restore's own word."""
        at = instant_of(reached_utc)
        if at is not None:
            self.mark(MarkName.RECOVERY_POINT, at, reached_utc)

    def record(self, step: StepRecord) -> None:
        """How a step went. The engine's own."""
        if self.witnessed:
            lines.append_step(self.run, step)

    def look(self, name: str) -> None:
        """Read the stores back now, and save what was found as `readback/<name>`.

        The judge reads `restored`: after the restore, before any replay. The load may still run.
        """
        if self.witnessed:
            from harness.readback.read import look_again

            look_again(name, self.platform, self.run, self.run_id)

    def looked(self, name: str) -> str | None:
        """What a look came to; None when it was not whole, since then it shows nothing."""
        if not self.witnessed:
            return "not read back: the run is over"
        from harness.readback.read import rows_read

        rows = rows_read(name, self.run)
        return None if rows is None else f"{rows:,} records read back"
