"""Sign what was not signed at its end: a run of before there were signatures, or a torn one."""

from __future__ import annotations

from pathlib import Path

from harness.errors import DamagedEvidence, Refused
from harness.evidence import chain, layout
from harness.evidence.check import check
from harness.evidence.findings import NO_REPORT, Verified
from harness.evidence.manifest import listing
from harness.evidence.signing import Notary, is_signed, sign_run, write_run_envelope

_NEXT = "restore the run directory; what cannot be judged is not signed"


def sign_late(directory: Path, notary: Notary, *, signed_utc: str) -> bool:
    """Sign an unsigned run, after judging it again; False where it is signed already.

    The statement says that it was signed late: nothing vouches for the time before. Raises
    Refused where there is nothing to sign, DamagedEvidence where it is not what was sealed.
    """
    if is_signed(directory):
        return False
    checked = check(directory)
    if not checked.stored or not (directory / layout.SEAL).exists():
        raise Refused(
            f"the run in {directory} never came to its end: it has no verdict to vouch for",
            next_step="run the drill again",
        )
    if not checked.same:
        told = f"{directory.name}: the recomputed verdict differs from the stored one"
        raise DamagedEvidence(told, next_step=_NEXT)
    known = chain.entry_of(notary.store, checked.judgement.run_id)
    if known is None:
        sign_run(directory, notary, signed_utc=signed_utc, late=True)
        return True
    if known.statement().subjects != listing(directory).of_the_run():
        raise DamagedEvidence(
            f"{directory.name}: the chain holds an envelope of this run, and it is of other bytes",
            next_step=_NEXT,
        )
    write_run_envelope(directory, known)
    return True


def reports_alone(found: Verified) -> None:
    """Whether a signed run wants its reports written and signed again, and nothing else of it.

    Raises Refused where all of it holds, DamagedEvidence where the run itself does not.
    """
    may = {*layout.REPORTS, layout.REPORTS_ENVELOPE, layout.REPORTS_KEY}
    wrong = [problem for problem in found.problems if problem.name not in may]
    if wrong:
        told = "; ".join(f"{problem.name}: {problem.what}" for problem in wrong)
        raise DamagedEvidence(f"{found.directory}: {told}", next_step=_NEXT)
    if not found.problems and not found.left_out and found.notes != (NO_REPORT,):
        raise Refused(
            f"{found.directory} is signed already, and so are its reports",
            next_step="peakdrill verify says by whom",
        )
