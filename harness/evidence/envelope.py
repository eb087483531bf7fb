"""DSSE: a signed envelope, of which exactly one spelling is true.

    {"payload":"<base64>","payloadType":"<type>","signatures":[{"keyid":"<hex>","sig":"<base64>"}]}

That is the whole file: keys sorted, no spaces, no newline, one signature. What is signed is the
pre-authentication encoding of type and payload (`pae`). JSON and base64 have many spellings of
one value, and a signature holds for all of them; so an envelope is opened only when writing it
again gives the same bytes. Any other byte is damage.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import DamagedEvidence
from harness.evidence.keys import PublicKey, Signer
from harness.json_text import parsed

_NEXT = "restore the file from where it was archived; this one proves nothing"


@dataclass(frozen=True, slots=True)
class Opened:
    """A payload whose signature holds, and the keys that it holds for."""

    payload: bytes
    signed_by: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True)
class Unchecked:
    """What an envelope says before any signature was looked at. Believe nothing of it."""

    payload: bytes
    payload_type: str
    key_id: str
    signature: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, payload_type: str, signer: Signer) -> bytes:
    """The one envelope of a payload by this signer: Ed25519 is deterministic, and so is this."""
    signature = signer.sign(pae(payload_type, payload))
    return _spelled(Unchecked(payload, payload_type, signer.public.key_id, signature))


def opened(envelope: bytes, keys: Sequence[PublicKey], payload_type: str) -> Opened:
    """The payload, when one of the keys signed it. Raises DamagedEvidence."""
    told = unchecked(envelope)
    if told.payload_type != payload_type:
        raise _damaged(f"the envelope holds {told.payload_type!r}, not {payload_type!r}")
    named = [key for key in keys if key.key_id == told.key_id]
    if not named:
        raise _damaged(f"the envelope is signed by the unknown key {told.key_id[:16]!r}")
    message = pae(told.payload_type, told.payload)
    signed_by = tuple(key for key in named if key.verifies(told.signature, message))
    if not signed_by:
        raise _damaged(f"the signature of the key {told.key_id[:16]!r} does not hold")
    return Opened(told.payload, signed_by)


def unchecked(envelope: bytes) -> Unchecked:
    """What the envelope says, if it is in canonical form. Raises DamagedEvidence."""
    try:
        told = parsed(envelope)
        (signature,) = told["signatures"]
        found = Unchecked(
            payload=base64.b64decode(told["payload"], validate=True),
            payload_type=str(told["payloadType"]),
            key_id=str(signature["keyid"]),
            signature=base64.b64decode(signature["sig"], validate=True),
        )
        same = _spelled(found) == envelope
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
        raise _damaged("not an envelope with one signature") from error
    if not same:
        raise _damaged("the envelope is not in its canonical form")
    return found


def _spelled(told: Unchecked) -> bytes:
    fields = {
        "payload": base64.b64encode(told.payload).decode("ascii"),
        "payloadType": told.payload_type,
        "signatures": [
            {
                "keyid": told.key_id,
                "sig": base64.b64encode(told.signature).decode("ascii"),
            }
        ],
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def _damaged(what: str) -> DamagedEvidence:
    return DamagedEvidence(what, next_step=_NEXT)
