"""What a game day remembers: one value for everything that can be recorded, and their chain.

Records are only ever added. Each names the one before by its digest, so that one which is changed,
moved or taken away shows. May not live here: what follows from them (state.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.core.gameday.findings import CheckResult, Finding, Reach
from harness.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Opened:
    """The first record of every day."""

    day: str
    peakdrill: str
    kind: Literal["opened"] = "opened"


@dataclass(frozen=True, slots=True)
class Approval:
    """What an approving person signs: this plan, these scenarios, until then, once."""

    day: str
    plan_digest: str
    action: str
    scenarios: tuple[str, ...]  # steps
    who: str
    given_utc: str
    expires_utc: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval that held when it was handed in, with the envelope that proves it."""

    approval: Approval
    role: str  # in which the person acted; a deputy acts in another's
    key_id: str
    public_key: str  # raw, hex: it makes the key id, which gameday.yaml names
    envelope: str
    kind: Literal["approved"] = "approved"


@dataclass(frozen=True, slots=True)
class ApprovalRefused:
    """One that did not hold, and why. `absent` is the role whose absence refused it."""

    who: str
    why: str
    scenarios: tuple[str, ...] = ()
    envelope_digest: str = ""
    absent: str = ""
    kind: Literal["approval-refused"] = "approval-refused"


@dataclass(frozen=True, slots=True)
class Answered:
    """A go/no-go question, or "I told them" of a communication."""

    to: str
    who: str
    role: str
    said: bool
    words: str = ""
    kind: Literal["answered"] = "answered"


@dataclass(frozen=True, slots=True)
class AnswerRefused:
    to: str
    who: str
    why: str
    absent: str = ""
    kind: Literal["answer-refused"] = "answer-refused"


@dataclass(frozen=True, slots=True)
class Noted:
    """The human time line: who was paged, who decided, who joined."""

    who: str
    what: str
    when_utc: str
    kind: Literal["noted"] = "noted"


@dataclass(frozen=True, slots=True)
class Held:
    """A start that was not allowed to start anything. The day may be started again."""

    why: tuple[str, ...]
    kind: Literal["held"] = "held"


@dataclass(frozen=True, slots=True)
class Started:
    """Go. From here on the plan is this one."""

    plan_digest: str
    targets_digest: str
    by: str
    kind: Literal["started"] = "started"


@dataclass(frozen=True, slots=True)
class Resumed:
    """The day's process had gone; another goes on."""

    by: str
    kind: Literal["resumed"] = "resumed"


@dataclass(frozen=True, slots=True)
class PlatformUp:
    """`own`: the day brought it up, and ends it."""

    own: bool
    why: str = ""
    kind: Literal["platform-up"] = "platform-up"


@dataclass(frozen=True, slots=True)
class PlatformDown:
    kind: Literal["platform-down"] = "platform-down"


@dataclass(frozen=True, slots=True)
class Measured:
    """A go/no-go check that needs nobody's opinion."""

    check: str
    holds: bool
    told: str
    kind: Literal["measured"] = "measured"


@dataclass(frozen=True, slots=True)
class ScenarioBegun:
    """The seed is drawn here: it finds the run again whose process was killed."""

    step: str
    attempt: int
    seed: int
    kind: Literal["scenario-begun"] = "scenario-begun"


@dataclass(frozen=True, slots=True)
class ScenarioEnded:
    """A judged run. `interrupted` says who or what cut it short, "" when nothing did."""

    step: str
    scenario: str
    attempt: int
    run_id: str
    verdict: Verdict
    reason: str
    evidence_digest: str
    results: tuple[CheckResult, ...]
    reach: Reach
    interrupted: str = ""
    proven_loss: bool = False
    not_checked: tuple[str, ...] = ()
    kind: Literal["scenario-ended"] = "scenario-ended"


@dataclass(frozen=True, slots=True)
class ScenarioLost:
    """It began and left no verdict: its process was killed, or it could not be run at all."""

    step: str
    attempt: int
    why: str
    again: bool  # whether the day may try it once more
    kind: Literal["scenario-lost"] = "scenario-lost"


@dataclass(frozen=True, slots=True)
class Looked:
    """Between scenarios: is the platform whole?"""

    step: str
    whole: bool
    missing: tuple[str, ...] = ()
    kind: Literal["looked"] = "looked"


@dataclass(frozen=True, slots=True)
class AbortAsked:
    who: str
    why: str
    kind: Literal["abort-asked"] = "abort-asked"


@dataclass(frozen=True, slots=True)
class Stopped:
    """The day ended before its plan did."""

    why: str
    kind: Literal["stopped"] = "stopped"


@dataclass(frozen=True, slots=True)
class Finished:
    kind: Literal["finished"] = "finished"


@dataclass(frozen=True, slots=True)
class FindingOpened:
    """New, or carried over from an earlier day (then its origin is another)."""

    finding: Finding
    kind: Literal["finding-opened"] = "finding-opened"


@dataclass(frozen=True, slots=True)
class FindingAgain:
    """A later run found the same."""

    origin: str
    name: str
    run_id: str
    kind: Literal["finding-again"] = "finding-again"


@dataclass(frozen=True, slots=True)
class FindingAssigned:
    origin: str
    name: str
    owner: str
    due: str
    who: str
    kind: Literal["finding-assigned"] = "finding-assigned"


@dataclass(frozen=True, slots=True)
class FindingClosed:
    origin: str
    name: str
    who: str
    proof: str
    kind: Literal["finding-closed"] = "finding-closed"


@dataclass(frozen=True, slots=True)
class Closed:
    """The last record: the manifest over everything, by its digest."""

    manifest_digest: str
    who: str
    kind: Literal["closed"] = "closed"


Said = (
    Opened | Approved | ApprovalRefused | Answered | AnswerRefused | Noted | Held | Started
    | Resumed | PlatformUp | PlatformDown | Measured | ScenarioBegun | ScenarioEnded
    | ScenarioLost | Looked | AbortAsked | Stopped | Finished | FindingOpened | FindingAgain
    | FindingAssigned | FindingClosed | Closed
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in its place."""

    number: int  # 1 is the first
    previous: str  # SHA-256 of the envelope before, hex; "" for the first
    at_utc: str
    said: Said
