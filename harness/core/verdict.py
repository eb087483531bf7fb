"""The verdict's vocabulary and its lattice (measurement.md, section 6).

Per workload and check: met < inconclusive < missed, the gravest wins, nothing checked is
inconclusive. `invalid` (the instrument was not fit) and `error` (ours) stand apart and never pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from harness.core.later import LATER
from harness.core.operation import Workload


class Verdict(StrEnum):
    MET = "met"
    INCONCLUSIVE = "inconclusive"
    MISSED = "missed"
    INVALID = "invalid"
    ERROR = "error"

    @property
    def exit_code(self) -> int:
        return {"met": 0, "missed": 1, "inconclusive": 3, "invalid": 4, "error": 5}[self.value]


_GRAVITY = {Verdict.MET: 0, Verdict.INCONCLUSIVE: 1, Verdict.MISSED: 2}


def gravest(verdicts: list[Verdict]) -> Verdict:
    """The gravest of met, inconclusive and missed; of nothing, inconclusive.

    >>> gravest([Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE])
    <Verdict.MISSED: 'missed'>
    >>> gravest([])
    <Verdict.INCONCLUSIVE: 'inconclusive'>
    """
    return max(verdicts, key=_GRAVITY.__getitem__, default=Verdict.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class RecoveryTime:
    """RTO of one workload, in ns after t_F; `high_ns` is None when it did not recover."""

    target_ns: int
    low_ns: int
    high_ns: int | None
    recovered: bool
    observed_until_ns: int  # end of observation, after t_F
    resolution_ns: int
    widened_by_ns: int  # clock error and generator lag
    outage_low_ns: int | None = None  # the same on the outage's clock, t_R - t_D
    outage_high_ns: int | None = None
    first_success_ns: int | None = None  # first GOOD after t_D
    first_bad_ns: int | None = None  # t_D
    flaps: int = 0
    down_ns: int = 0  # bins in which nothing was GOOD
    degraded_ns: int = 0  # bins that were not well, yet not down
    backlog_drained_ns: int | None = None  # the tills' last late order was acknowledged
    well_at_end: bool = False  # not recovered, yet well at the end, for less than W
    shed: int = 0  # arrivals answered by an explicit 503 after t_F
    full_low_ns: int | None = None  # full recovery, where a degraded mode is what is gated
    full_high_ns: int | None = None
    burn_rate_alert_ns: int | None = None  # a reference alert rule would have fired


@dataclass(frozen=True, slots=True)
class WriteCounts:
    """Every class of measurement.md, section 4, for one read-back of one workload.

    Counts are of records. `recovery_point_ns` is relative to t_F (negative: before it).
    """

    acked: int = 0
    unknown: int = 0
    refused: int = 0
    lost: int = 0
    replayed: int = 0
    absent: int = 0
    recovered: int = 0
    ghost: int = 0
    unexpected: int = 0
    duplicate: int = 0
    altered: int = 0
    partial: int = 0
    resurrected: int = 0
    stale: int = 0
    duplicate_by_retry: int = 0
    lost_value_cents: int = 0
    achieved_ns: int = 0
    recovery_point_ns: int | None = None
    lost_is_suffix: bool = True
    # acknowledged by a queue that nobody saw drained: neither LOST nor stored
    waiting: int = field(default=0, metadata=LATER)
    # what the clocks of workers elsewhere leave open of `achieved_ns`, either way
    widened_by_ns: int = field(default=0, metadata=LATER)

    @property
    def violations(self) -> int:
        return (
            self.ghost + self.unexpected + self.duplicate + self.altered
            + self.partial + self.resurrected + self.stale
        )  # fmt: skip


EXAMPLES_MAX = 20


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """RPO of one workload. `target_ns` None: not applicable, with the reason."""

    target_ns: int | None
    lost_max: int | None
    gated: WriteCounts
    before_replay: WriteCounts
    gated_read_back: str  # "first" | "second"
    examples: tuple[str, ...] = ()  # "lost pd-r1-0-17", at most 20
    not_applicable_reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged check: of a workload, or of the platform where `workload` is None."""

    check: str
    workload: Workload | None
    verdict: Verdict
    reason: str  # one sentence, figures in it, for the person at 3 a.m.


@dataclass(frozen=True, slots=True)
class FitnessFinding:
    """One condition of measurement.md, section 5."""

    name: str
    fit: bool
    measured: str
    limit: str
    voids_loss: bool = False  # unfit here voids a proven loss too (ledger, read-back)


@dataclass(frozen=True, slots=True)
class WorkloadJudgement:
    workload: Workload
    verdict: Verdict
    rto: RecoveryTime | None
    rpo: RecoveryPoint | None
    findings: tuple[Finding, ...]
    # its outage during the way back to the original layout, counted from the begin of that
    failback: RecoveryTime | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True)
class AccessJudgement:
    """One class of leaked credentials, as the attacker's own log has it.

    Times in ns after t_F, as intervals: `low` from the latest t_F, `high` from the earliest, both
    widened by the clock's error. None where there is nothing to tell.
    """

    credential: str
    verdict: Verdict
    reason: str
    tries: int
    accepted: int
    denied: int  # refused because of the credential
    unanswered: int  # the service was down, or its answer says nothing of the credential
    denied_since: int  # after the last accepted use
    accepted_since_revoked: int  # tried after the runbook had said that the class was revoked
    first_accepted_ns: int | None  # when it was answered
    last_accepted_low_ns: int | None  # when it was sent
    last_accepted_high_ns: int | None  # when it was answered
    revoked_low_ns: int | None  # the runbook's own mark
    revoked_high_ns: int | None


@dataclass(frozen=True, slots=True)
class RestorationCounts:
    """What a restore cost one workload, and what replay made of it. Counts are of records.

    Of what was acknowledged before the ingress was closed: `lost` = `back` + `gone` + `spoiled`
    + `waiting`.
    `back`, `gone` and `spoiled` are None where the stores were not read whole at the end.
    """

    workload: Workload
    acked: int
    lost: int  # not in the restored data, or not as far as was acknowledged
    back: int | None  # at the end there exactly once, whole and unchanged
    gone: int | None  # at the end still lost: for good
    spoiled: int | None  # there again, but altered, partial or twice
    lost_value_cents: int
    back_value_cents: int | None
    gone_value_cents: int | None
    recovery_point_ns: int | None  # just before the earliest lost acknowledgement, after t_F
    last_lost_ns: int | None  # the last lost acknowledgement, after t_F
    span_ns: int  # from the recovery point to the last lost acknowledgement
    examples: tuple[str, ...] = ()  # "gone pd-r1-0-17", then "spoiled ...", then "back ..."
    waiting: int = field(default=0, metadata=LATER)  # perhaps still in a queue: see WriteCounts


@dataclass(frozen=True, slots=True)
class UnprotectedWindow:
    """Nothing was protected, whatever was reported. Times in ns after t_F; negative before it."""

    since_ns: int  # the earliest instant that the mark allows
    until_ns: int | None  # protected again; None: not before the load stopped
    length_ns: int
    acked: int  # records acknowledged in it
    value_cents: int
    lost: int | None  # of these, not in the store at the end; None where it was not read whole
    told: str  # the mark's note


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows from a plan and its evidence: the whole of `verdict.json`."""

    run_id: str
    scenario: str
    judge: str
    verdict: Verdict
    reasons: tuple[str, ...]  # the first one answers "are we safe for Saturday?"
    workloads: tuple[WorkloadJudgement, ...]
    findings: tuple[Finding, ...]  # platform-wide checks: stores-agree, recovery within_s ...
    fitness: tuple[FitnessFinding, ...]
    not_checked: tuple[str, ...]
    notes: tuple[str, ...]
    access: tuple[AccessJudgement, ...] = field(default=(), metadata=LATER)
    restoration: tuple[RestorationCounts, ...] = field(default=(), metadata=LATER)
    unprotected: UnprotectedWindow | None = field(default=None, metadata=LATER)
