"""Approvals: signed by a person, handed in once, and kept with what became of them.

The envelope carries the public key; gameday.yaml names that key's id, which is a digest of it. So
whoever wrote the plan said whose signature counts, and no list of keys has to be kept beside it.

Which approvals were handed in is kept with the installation, not with the day alone: a day of the
same name and plan in another folder, or in one whose records were removed, is another day.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

from pydantic import TypeAdapter, ValidationError

from harness.core.gameday import records as said
from harness.core.gameday.plan import GameDay, written
from harness.core.gameday.rules import Refusal, acting_role, refusal_of, roles_for
from harness.core.policy import Policy
from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical, envelope
from harness.evidence.keys import PublicKey, Signer
from harness.gameday.records import Book

APPROVAL_TYPE = "application/vnd.peakdrill.gameday-approval.v1+json"


@dataclass(frozen=True, slots=True)
class Signed:
    """What lies in the envelope."""

    approval: said.Approval
    public_key: str  # raw, hex


def give(
    day: GameDay,
    who: str,
    key: Signer,
    *,
    steps: tuple[str, ...],
    action: str,
    now: dt.datetime,
    expires: dt.datetime,
) -> bytes:
    """An envelope by `who`, to be handed in."""
    approval = said.Approval(
        day=day.name,
        plan_digest=day.digest,
        action=action,
        scenarios=steps,
        who=who,
        given_utc=written(now),
        expires_utc=written(expires),
        nonce=secrets.token_hex(16),
    )
    body = canonical.dumps(Signed(approval, key.public.raw.hex()))
    return envelope.seal(body, APPROVAL_TYPE, key)


def hand_in(
    book: Book, day: GameDay, policy: Policy, body: bytes, now: dt.datetime
) -> said.Approved:
    """Recorded, or refused by name and the refusal recorded. Raises Refused."""
    digest = hashlib.sha256(body).hexdigest()
    signed = _read(body)
    if signed is None:
        _refused(
            book, "somebody", (), Refusal("forged: this is no signed approval"), digest, now=now
        )
    told = signed.approval
    key = _key(signed)
    state = book.state()
    used = tuple(a.approval.nonce for a in state.approvals)
    refusal = refusal_of(told, day, policy, now=now, key_id=key.key_id if key else "", used=used)
    if refusal is None and (key is None or not _holds(body, key)):
        refusal = Refusal(f"forged: the signature is not that of {told.who}")
    if refusal is not None or key is None:
        refusal = refusal or Refusal("forged: it carries no key")
        _refused(book, told.who, told.scenarios, refusal, digest, now=now)
    used_up = _use(told.nonce)
    if used_up is None:
        other = Refusal("replayed: this approval was handed in before, for another day's folder")
        _refused(book, told.who, told.scenarios, other, digest, now=now)
    absent = day.absent_in(told.scenarios)
    approved = said.Approved(
        approval=told,
        role=acting_role(day, told.who, roles_for(day.action, policy), absent),
        key_id=key.key_id,
        public_key=signed.public_key,
        envelope=body.decode("ascii"),
    )
    try:
        book.add(approved, now)
    except BaseException:
        used_up.unlink(missing_ok=True)  # it counted for nothing
        raise
    return approved


def refuse_altered(approvals: tuple[said.Approved, ...]) -> None:
    """Every approval that counts is opened once more before it does. Raises DamagedEvidence."""
    for given in approvals:
        body = given.envelope.encode("ascii")
        signed = _read(body)
        key = PublicKey.of(bytes.fromhex(given.public_key))
        if signed is None or signed.approval != given.approval or not _holds(body, key):
            raise DamagedEvidence(
                f"the approval by {given.approval.who} is not what was signed",
                next_step="have it approved again",
            )


def _use(nonce: str) -> Path | None:
    """Its mark among those that were handed in here; None where it was among them already."""
    from harness.platforms.embedded.layout import state_home

    name = hashlib.sha256(nonce.encode()).hexdigest()[:32]
    mark = state_home() / "gamedays" / f"{name}.approval"
    mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        mark.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return None
    return mark


def _refused(
    book: Book,
    who: str,
    steps: tuple[str, ...],
    refusal: Refusal,
    digest: str,
    *,
    now: dt.datetime,
) -> NoReturn:
    book.add(said.ApprovalRefused(who, refusal.why, steps, digest, refusal.absent), now)
    raise Refused(
        f"the approval by {who} is refused: {refusal.why}",
        next_step="the refusal is recorded; `peakdrill gameday plan` says what is missing",
    )


def _read(body: bytes) -> Signed | None:
    """What it says, whoever signed it; None where it says nothing."""
    try:
        told = envelope.unchecked(body)
        return _adapter().validate_json(told.payload)
    except (DamagedEvidence, ValidationError, UnicodeDecodeError):
        return None


def _key(signed: Signed) -> PublicKey | None:
    try:
        return PublicKey.of(bytes.fromhex(signed.public_key))
    except ValueError:
        return None


def _holds(body: bytes, key: PublicKey) -> bool:
    try:
        envelope.opened(body, (key,), APPROVAL_TYPE)
    except DamagedEvidence:
        return False
    return True


@cache
def _adapter() -> TypeAdapter[Signed]:
    return TypeAdapter(Signed)
