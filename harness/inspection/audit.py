"""Does the platform's own audit know when the attacker was let in for the last time?

Two logs that know nothing of each other: the attacker's, on the run's clock, and the platform's.
An organisation that cannot tell the last use from its own records cannot tell when it was over.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.attack.leaked import marker_of
from harness.core import checks
from harness.core.evidence import Use
from harness.core.timeline import MarkName
from harness.evidence import events, layout
from harness.evidence.lines import read_lines
from harness.inspection.scene import Inspection, Scene
from harness.platforms.capabilities import AuditedUse
from harness.platforms.having import having

_CHECK = checks.audit_agrees.name


def audit_agrees(scene: Scene) -> None:
    """One proof for each class of credentials that leaked."""
    audit = having(scene.platform.audit, "audit")
    uses = read_lines(scene.run / layout.USES, Use)
    fault = events.read(scene.run / layout.EVENTS).timeline.first(MarkName.FAULT_ACTIVE)
    zero_ns = fault.earliest_ns if fault else 0
    for name in having(scene.platform.secrets, "secrets").classes():
        mine = [use for use in uses if use.credential == name]
        record = audit.last_use(name, marker_of(scene.run_id))
        ok, told = compared(mine, record, zero_ns)
        scene.prove(_CHECK, "audit-log", name, ok, f"{name}: {told}")


def compared(
    uses: Sequence[Use], record: AuditedUse | None, zero_ns: int
) -> tuple[bool | None, str]:
    """Whether both logs mean the same last use; all uses are of one class.

    A use whose answer the attacker did not hear may have been accepted: that is no disagreement.
    """
    accepted = [use for use in uses if use.accepted]
    if not accepted:
        told = "never accepted" if uses else "never tried"
        return None, f"the attacker was {told}: there is no last use to find"
    last = max(accepted, key=lambda use: use.done_ns)
    his = f"his last accepted use was {_span(last, zero_ns)} s after the fault"
    if record is None:
        return False, f"{his}, and the platform's audit holds none of {len(accepted):,}"
    theirs = (
        f"the platform's own record {(record.at_ns - zero_ns) / 1e9:.3f} s "
        f"(to within {record.uncertainty_ns / 1e9:.3f} s; {record.source})"
    )
    if _holds(last, record):
        return True, f"{his}; {theirs}"
    unheard = [u for u in uses if u.begun_ns >= last.done_ns and u.told.startswith("down:")]
    if any(_holds(use, record) for use in unheard):
        return True, f"{his}; {theirs}, which is a use whose answer he did not hear"
    return False, f"they disagree: {his}; {theirs}"


def _holds(use: Use, record: AuditedUse) -> bool:
    """The record's instant can lie within the use."""
    earliest_ns = record.at_ns - record.uncertainty_ns
    latest_ns = record.at_ns + record.uncertainty_ns
    return use.begun_ns <= latest_ns and earliest_ns <= use.done_ns


def _span(use: Use, zero_ns: int) -> str:
    return f"{(use.begun_ns - zero_ns) / 1e9:.3f}-{(use.done_ns - zero_ns) / 1e9:.3f}"


INSPECTIONS: dict[str, Inspection] = {checks.audit_agrees.name: audit_agrees}
