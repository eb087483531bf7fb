"""What is signed: an in-toto Statement v1 whose subjects are files with their SHA-256.

Two kinds. The run's covers the seal, the verdict and every other file but the reports; its
predicate says who signed when, what the verdict was, and which run came before it in the same
store. The reports' covers what was rendered from the run, which may be rendered again. Both are
canonical JSON: a statement is read only when writing it again gives the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical
from harness.evidence.envelope import opened
from harness.evidence.keys import PublicKey, public_from
from harness.json_text import parsed

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Who signed. The key itself lies beside the envelope; its id stands in the envelope."""

    key_id: str
    self_signed: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A run's place in the chain of its store. The first names none before it."""

    sequence: int  # 1, 2, 3 ...
    previous_run_id: str
    previous_sha256: str  # of that run's envelope


@dataclass(frozen=True, slots=True)
class RunClaim:
    """The predicate of a run's statement."""

    run_id: str
    scenario: str
    tool: str
    judge: str
    verdict: str
    begun_utc: str
    signed_utc: str
    signed_late: bool  # by `peakdrill evidence seal`, not at the run's end
    seal_sha256: str
    signer: SignedBy
    link: Link


@dataclass(frozen=True, slots=True)
class ReportsClaim:
    """The predicate of the reports' statement."""

    run_id: str
    run_envelope_sha256: str
    tool: str
    build: str  # digest of the code that judged and rendered
    allow_skip: tuple[str, ...]
    signed_utc: str
    signer: SignedBy


_TYPES: dict[type[object], str] = {
    RunClaim: "urn:peakdrill:evidence:run:v1",
    ReportsClaim: "urn:peakdrill:evidence:reports:v1",
}
Claim = TypeVar("Claim", RunClaim, ReportsClaim)


@dataclass(frozen=True, slots=True)
class Statement(Generic[Claim]):
    """Subjects by name, each with its SHA-256 in hex, and what is claimed of them."""

    subjects: dict[str, str]
    claim: Claim

    def dumps(self) -> bytes:
        """The one spelling of it."""
        told = {
            "_type": STATEMENT,
            "subject": [
                {"name": name, "digest": {"sha256": digest}}
                for name, digest in sorted(self.subjects.items())
            ],
            "predicateType": _TYPES[type(self.claim)],
            "predicate": self.claim,
        }
        return canonical.dumps(told)


def loads(payload: bytes, kind: type[Claim]) -> Statement[Claim]:
    """The statement of an envelope's payload. Raises DamagedEvidence."""
    try:
        told = parsed(payload)
        subjects = {str(s["name"]): str(s["digest"]["sha256"]) for s in told["subject"]}
        text = json.dumps(told["predicate"])
        found = Statement(subjects, TypeAdapter(kind).validate_json(text, strict=True))
        same = found.dumps() == payload
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DamagedEvidence(f"no statement of {_TYPES[kind]}") from error
    if not same:
        raise DamagedEvidence("the statement is not in its canonical form")
    return found


def opened_by(
    envelope: bytes, key_beside: bytes, kind: type[Claim]
) -> tuple[Statement[Claim], PublicKey]:
    """A statement whose signature holds for the key beside it. Raises DamagedEvidence.

    Whether that key is anybody's whom the reader trusts is another question.
    """
    try:
        key = public_from(key_beside, "the key beside the envelope")
    except Refused as error:
        raise DamagedEvidence(error.what) from error
    if key.pem() != key_beside:
        raise DamagedEvidence("the key beside the envelope is not in its canonical form")
    statement = loads(opened(envelope, [key], PAYLOAD_TYPE).payload, kind)
    if statement.claim.signer.key_id != key.key_id:
        raise DamagedEvidence("the statement names another key than the one that signed it")
    return statement, key
