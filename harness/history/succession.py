"""What may take the place of a run that is known already. Pure."""

from __future__ import annotations

from harness.core.outcome import Outcome
from harness.errors import DamagedEvidence, Refused


def refuse_forgetting(known: Outcome, new: Outcome) -> None:
    """Changed evidence is named; a loss that was proven stays proven, whoever judges it later.

    The same judge on the same evidence must say the same; only a loss that it had not proven yet
    may be added. A newer judge may word, and decide, the rest anew. A run that was not sealed when
    it was recorded may be followed by its sealed self.
    """
    run = f"run {known.run_id}"
    if known.evidence_digest not in {"", new.evidence_digest}:
        raise DamagedEvidence(
            f"{run} is known with the evidence {known.evidence_digest[:12]}, and comes again with "
            f"{new.evidence_digest[:12] or 'none'}: somebody changed it",
            next_step="find out who did; the outcome that was recorded first is kept",
        )
    if forgotten := _forgotten(known, new):
        raise Refused(
            f"{run} proved a loss ({forgotten}), and is now judged {new.verdict} without it",
            next_step="the loss is kept; `peakdrill check` judges the run again",
        )
    same = known.evidence_digest == new.evidence_digest and known.judge == new.judge
    if same and known.verdict is not new.verdict and not new.proven_loss:
        raise Refused(
            f"{run} was {known.verdict} and is now {new.verdict}, by the same judge "
            f"({known.judge}) and the same evidence",
            next_step="the first verdict is kept; report this, it is an error of peakdrill",
        )


def _forgotten(known: Outcome, new: Outcome) -> str:
    """Where a loss was proven that is not any more; "" where none is forgotten."""
    proven = [w.workload for w in known.workloads if w.proven_loss]
    still = {w.workload for w in new.workloads if w.proven_loss}
    gone = [workload.value for workload in proven if workload not in still]
    if known.proven_loss and not new.proven_loss and not gone:
        return "across the stores"
    return ", ".join(gone)
