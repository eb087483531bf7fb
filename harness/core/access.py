"""Who still gets in: the attacker's own log, held against what the runbook said that it revoked.

    t_F     accepted accepted accepted          denied denied denied ... the attacker's end
     |<------ time to revoke ------>|           only these prove it
     low end:  latest t_F   .. the last accepted use, when it was sent
     high end: earliest t_F .. the same, when it was answered; both widened by the clock's error

A use is `accepted`; `denied: ...` when the credential itself was refused; anything else, such as
`down: ...` (connection refused, a 503, a timeout), says nothing of the credential: a door behind a
dead service is not a locked one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core import checks
from harness.core.evidence import Evidence, Use
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import AccessJudgement, Finding, Verdict
from harness.core.wording import seconds

DENIED = "denied:"
DENIED_LEAST = 3  # after the last accepted use
SILENCE_MAX_NS = 5_000_000_000  # before the end of the attack
_ACCESS = checks.access_revoked.name


@dataclass(frozen=True, slots=True)
class _Log:
    """One class: its uses in the order of their sending, and the instants that they are held to."""

    credential: str
    uses: tuple[Use, ...]
    fault: Mark | None
    revoked: Mark | None  # what the runbook said first; a later mark repeats it
    end_ns: int  # until here the attacker had to try
    wide_ns: int

    @property
    def accepted(self) -> list[Use]:
        return [u for u in self.uses if u.accepted]

    @property
    def denied(self) -> list[Use]:
        return [u for u in self.uses if is_denied(u)]

    @property
    def denied_since(self) -> list[Use]:
        """Refused after the last accepted use had been answered."""
        last_ns = max((u.done_ns for u in self.accepted), default=0)
        return [u for u in self.denied if u.begun_ns >= last_ns]

    @property
    def accepted_since_revoked(self) -> list[Use]:
        """Sent after the runbook had seen the class revoked, and accepted all the same."""
        if self.revoked is None:
            return []
        return [u for u in self.accepted if u.begun_ns > self.revoked.latest_ns]

    @property
    def answered_ns(self) -> int:
        """When the credential was last judged by what it opens."""
        return max((u.done_ns for u in (*self.accepted, *self.denied)), default=0)

    @property
    def silent(self) -> bool:
        """Nobody judged the credential in the last seconds of the attack."""
        return self.answered_ns < self.end_ns - SILENCE_MAX_NS

    @property
    def open_at_end(self) -> bool:
        """The last try was accepted, or the last one that was answered, near the end."""
        if not self.accepted:
            return False
        last = self.uses[-1].accepted
        return last or (
            self.answered_ns == max(u.done_ns for u in self.accepted) and not self.silent
        )


def is_denied(use: Use) -> bool:
    """Whether the credential itself was refused."""
    return not use.accepted and use.told.startswith(DENIED)


def access(evidence: Evidence) -> tuple[AccessJudgement, ...]:
    """Every class that the attacker used or the runbook revoked, by name."""
    revoked = {m.note: m for m in reversed(evidence.timeline.all(MarkName.REVOKED))}
    names = sorted({u.credential for u in evidence.uses} | set(revoked))
    fault = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    end_ns = end_of_attack(evidence.timeline, evidence.load_stopped_ns)
    return tuple(
        _judged(
            _Log(
                credential=name,
                uses=tuple(
                    sorted(
                        (u for u in evidence.uses if u.credential == name),
                        key=lambda u: (u.begun_ns, u.done_ns),
                    )
                ),
                fault=fault,
                revoked=revoked.get(name),
                end_ns=end_ns,
                wide_ns=evidence.observation.clock_error_ns,
            )
        )
        for name in names
    )


def end_of_attack(timeline: Timeline, load_stopped_ns: int) -> int:
    """Until when the attacker must have tried: the fault's release, else the recovery's end."""
    for name in (MarkName.FAULT_RELEASED, MarkName.RECOVERY_ENDED):
        mark = timeline.first(name)
        if mark is not None:
            return mark.earliest_ns
    return load_stopped_ns


def gate_access(found: Sequence[AccessJudgement]) -> list[Finding]:
    """One finding a class; inconclusive where there was none at all."""
    if not found:
        told = f"{_ACCESS}: no leaked credential was used and none was revoked"
        return [Finding(_ACCESS, None, Verdict.INCONCLUSIVE, told)]
    return [Finding(_ACCESS, None, a.verdict, a.reason) for a in found]


def _judged(log: _Log) -> AccessJudgement:
    verdict, told = _verdict(log)
    accepted, denied = log.accepted, log.denied
    last = max(accepted, key=lambda u: u.done_ns, default=None)
    return AccessJudgement(
        credential=log.credential,
        verdict=verdict,
        reason=f"{log.credential}: {told}",
        tries=len(log.uses),
        accepted=len(accepted),
        denied=len(denied),
        unanswered=len(log.uses) - len(accepted) - len(denied),
        denied_since=len(log.denied_since),
        accepted_since_revoked=len(log.accepted_since_revoked),
        first_accepted_ns=_low(log, min((u.done_ns for u in accepted), default=None)),
        last_accepted_low_ns=_low(log, last.begun_ns if last else None),
        last_accepted_high_ns=_high(log, last.done_ns if last else None),
        revoked_low_ns=_low(log, log.revoked.earliest_ns if log.revoked else None),
        revoked_high_ns=_high(log, log.revoked.latest_ns if log.revoked else None),
    )


def _verdict(log: _Log) -> tuple[Verdict, str]:
    """Proven to be open, then what keeps it from being proven shut, then shut."""
    accepted, since = log.accepted, log.denied_since
    if log.accepted_since_revoked:
        number = len(log.accepted_since_revoked)
        return Verdict.MISSED, f"still accepted {number:,} times after it was said to be revoked"
    if log.open_at_end:
        return Verdict.MISSED, f"the attacker still gets in; {len(accepted):,} accepted uses"
    if not log.uses:
        return Verdict.INCONCLUSIVE, "revoked, but nobody tried it"
    if not accepted:
        return Verdict.INCONCLUSIVE, f"never accepted in {len(log.uses):,} tries: it was no leak"
    if log.silent:
        silent = seconds(log.end_ns - log.answered_ns)
        return Verdict.INCONCLUSIVE, f"no answer in the last {silent} s of the attack"
    if len(since) < DENIED_LEAST:
        told = f"only {len(since):,} refused after the last accepted use, {DENIED_LEAST} asked"
        return Verdict.INCONCLUSIVE, told
    if log.fault is None:
        return Verdict.INCONCLUSIVE, "no effect of the fault was observed, so nothing was timed"
    return Verdict.MET, _shut(log)


def _shut(log: _Log) -> str:
    last = max(log.accepted, key=lambda u: u.done_ns)
    low_ns, high_ns = _low(log, last.begun_ns) or 0, _high(log, last.done_ns) or 0
    return (
        f"last accepted {seconds(low_ns)}-{seconds(high_ns, up=True)} s after the fault, "
        f"{len(log.accepted):,} times in all; {len(log.denied_since):,} refused since"
    )


def _low(log: _Log, at_ns: int | None) -> int | None:
    """After the latest t_F, and never before it."""
    if at_ns is None or log.fault is None:
        return None
    return max(0, at_ns - log.fault.latest_ns - log.wide_ns)


def _high(log: _Log, at_ns: int | None) -> int | None:
    if at_ns is None or log.fault is None:
        return None
    return max(0, at_ns - log.fault.earliest_ns + log.wide_ns)
