"""Marks on one monotonic clock: what happened when, and within which bounds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MarkName(StrEnum):
    """Every mark that a run can carry."""

    LOAD_BEGUN = "load-begun"
    BASELINE_BEGUN = "baseline-begun"
    BASELINE_ENDED = "baseline-ended"
    FAULT_ARMED = "fault-armed"  # the undo is on disk
    FAULT_ACTIVE = "fault-active"  # effect observed; its interval is t_F
    NO_EFFECT = "no-effect"  # the fault's own check did not see an effect in time
    DETECTED = "detected"  # the platform's own alert or role change
    DECIDED = "decided"
    FAILED_OVER = "failed-over"  # a new leader takes writes
    SERVICE_WELL = "service-well"  # the harness, live; the judge computes its own
    FAULT_RELEASED = "fault-released"
    FAULT_HEALED = "fault-healed"  # observed
    FAULT_SPOILED = "fault-spoiled"
    RECOVERY_BEGUN = "recovery-begun"  # the first step of a runbook
    UNPROTECTED = "unprotected"  # from here on nothing was protected, whatever was reported
    INGRESS_CLOSED = "ingress-closed"  # observed from outside
    RECOVERY_POINT = "recovery-point"  # when the last commit that was restored was made
    RESTORED = "restored"  # the data is back: "data back" is not yet "service back"
    REPLAYED = "replayed"  # integration calls after the recovery point are made good
    REVOKED = "revoked"  # one class of credentials; the note names it
    APPROVED = "approved"  # the note names who, and whether simulated
    INGRESS_OPENED = "ingress-opened"  # observed from outside
    RECOVERY_ENDED = "recovery-ended"  # the last step of a runbook
    FAILBACK_BEGUN = "failback-begun"
    FAILBACK_ENDED = "failback-ended"
    PROTECTED = "protected"  # redundant, archiving, backed up again
    LOAD_STOPPED = "load-stopped"
    OBSERVATION_ENDED = "observation-ended"
    READ_BACK_FIRST = "read-back-first"
    READ_BACK_SECOND = "read-back-second"
    SETTLED = "settled"  # queues drained, replay ended
    INTERRUPTED = "interrupted"
    STEP = "step"  # a step of the experiment or of a runbook; the note names it


@dataclass(frozen=True, slots=True)
class Mark:
    """Something happened between two instants, in nanoseconds on the run's clock."""

    name: MarkName
    earliest_ns: int
    latest_ns: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The marks of a run, in the order of their writing."""

    marks: tuple[Mark, ...]

    def first(self, name: MarkName) -> Mark | None:
        return next((m for m in self.marks if m.name is name), None)

    def last(self, name: MarkName) -> Mark | None:
        return next((m for m in reversed(self.marks) if m.name is name), None)

    def all(self, name: MarkName) -> tuple[Mark, ...]:
        return tuple(m for m in self.marks if m.name is name)
