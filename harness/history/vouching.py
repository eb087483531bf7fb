"""Whether a run that comes in is the one that was signed.

Anybody can change evidence and seal it again; nobody but the key's holder can sign it again. The
envelope beside the run speaks, and the chain of its folder, which still has the envelope of a run
whose own was taken away. With trusted keys, nothing that they did not sign comes in as a pass.
"""

from __future__ import annotations

from pathlib import Path

from harness.core.verdict import Verdict
from harness.errors import DamagedEvidence, Refused
from harness.evidence import chain, layout
from harness.evidence.keys import PublicKey, trusted_keys
from harness.evidence.statement import RunClaim, opened_by

_NEXT = "restore the run directory from where it was archived; peakdrill verify names what is wrong"


def hold_to_signature(directory: Path, run_id: str, digest: str, verdict: Verdict) -> None:
    """Raises DamagedEvidence where other evidence was signed, or another key signed it.

    `digest` is of the seal, "" where there is none. Raises Refused where trusted keys are named
    and a pass is unsigned.
    """
    trusted = trusted_keys()
    signed = [*_beside(directory), *_in_the_chain(directory, run_id)]
    for claim, key in signed:
        if (claim.run_id, claim.seal_sha256) != (run_id, digest):
            raise _damaged(directory, f"what was signed is other evidence, of {claim.run_id}")
        if trusted and all(key.raw != one.raw for one in trusted):
            raise _damaged(directory, f"signed by key {key.key_id}, which is none of the trusted")
    if trusted and not signed and verdict is Verdict.MET:
        raise Refused(
            f"{directory.name}: it was met, and nobody signed it: no pass where keys are trusted",
            next_step=f"peakdrill evidence seal {directory}, where its evidence can be vouched for",
        )


def _beside(directory: Path) -> list[tuple[RunClaim, PublicKey]]:
    envelope, key = directory / layout.RUN_ENVELOPE, directory / layout.RUN_KEY
    if not envelope.exists() and not key.exists():
        return []
    try:
        statement, signer = opened_by(envelope.read_bytes(), key.read_bytes(), RunClaim)
    except OSError as error:
        raise _damaged(directory, f"half of its signature is gone: {error.strerror}") from error
    except DamagedEvidence as error:
        raise _damaged(directory, f"{layout.RUN_ENVELOPE}: {error.what}") from error
    return [(statement.claim, signer)]


def _in_the_chain(directory: Path, run_id: str) -> list[tuple[RunClaim, PublicKey]]:
    entry = chain.entry_of(directory.resolve().parent, run_id)
    if entry is None:
        return []
    try:
        statement, signer = opened_by(entry.envelope.encode(), entry.key.encode(), RunClaim)
    except DamagedEvidence as error:
        raise _damaged(directory, f"its link in {layout.CHAIN}: {error.what}") from error
    return [(statement.claim, signer)]


def _damaged(directory: Path, what: str) -> DamagedEvidence:
    return DamagedEvidence(f"{directory.name}: {what}", next_step=_NEXT)
