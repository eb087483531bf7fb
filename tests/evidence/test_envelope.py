"""An envelope has one spelling, and one bit of it is enough."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.errors import DamagedEvidence
from harness.evidence import envelope
from harness.evidence.keys import PublicKey, Signer

KIND = "application/vnd.in-toto+json"


def signer_of(seed: bytes) -> Signer:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return Signer(PublicKey.of(private.public_key().public_bytes_raw()), private)


MINE, OTHER = signer_of(b"\x01" * 32), signer_of(b"\x02" * 32)
SEALED = envelope.seal(b'{"a":"\xc3\xa91"}', KIND, MINE)


@given(payload=st.binary(max_size=300), kind=st.text(st.characters(codec="utf-8"), max_size=30))
def test_what_was_sealed_is_opened_and_sealed_again_to_the_same_bytes(payload, kind) -> None:
    sealed = envelope.seal(payload, kind, MINE)
    found = envelope.opened(sealed, [OTHER.public, MINE.public], kind)
    assert (found.payload, found.signed_by) == (payload, (MINE.public,))
    assert envelope.seal(payload, kind, MINE) == sealed
    assert json.loads(sealed)["payloadType"] == kind


def test_the_pre_authentication_encoding_is_dsse_s() -> None:
    assert envelope.pae("tést", b"\x00 1") == b"DSSEv1 5 t\xc3\xa9st 3 \x00 1"


@given(at=st.integers(0, len(SEALED) - 1), byte=st.integers(0, 255))
def test_any_other_byte_is_damage(at: int, byte: int) -> None:
    assume(SEALED[at] != byte)
    changed = SEALED[:at] + bytes([byte]) + SEALED[at + 1 :]
    with pytest.raises(DamagedEvidence):
        envelope.opened(changed, [MINE.public, OTHER.public], KIND)


@given(at=st.integers(0, len(SEALED)), more=st.binary(min_size=1, max_size=4), cut=st.booleans())
def test_a_byte_more_or_less_is_damage(at: int, more: bytes, cut: bool) -> None:
    changed = SEALED[:at] if cut else SEALED[:at] + more + SEALED[at:]
    assume(changed != SEALED)
    with pytest.raises(DamagedEvidence):
        envelope.opened(changed, [MINE.public], KIND)


def spelled_otherwise() -> list[bytes]:
    told = json.loads(SEALED)
    one = told["signatures"][0]
    payload = told["payload"]
    assert payload.endswith("=")
    tail = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = payload[:-2] + tail[tail.index(payload[-2]) + 1] + "="  # the same bytes, decoded
    assert base64.b64decode(loose) == base64.b64decode(payload)

    def dumped(value: object, **how: object) -> bytes:
        return json.dumps(value, **({"sort_keys": True, "separators": (",", ":")} | how)).encode()

    return [
        dumped(told, indent=1),
        SEALED + b"\n",
        b"\xef\xbb\xbf" + SEALED,
        SEALED.decode().encode("utf-16"),
        dumped(told | {"note": 1}),
        dumped(told | {"payload": loose}),
        dumped(told | {"payload": payload.rstrip("=")}),
        dumped(told | {"payload": payload[:4] + "\n" + payload[4:]}),
        dumped(told | {"signatures": [one, one]}),
        dumped(told | {"signatures": []}),
        dumped(told | {"signatures": [one | {"cert": ""}]}),
        SEALED.replace(b'"keyid"', b'"key\\u0069d"'),
        SEALED[:-1] + b',"signatures":[]}',  # a key that stands twice: the last one wins
        SEALED.replace(b'{"payload"', b'{"payload":"AAAA","payload"'),
        b"[" * 100_000,
        b"",
        b"null",
    ]


@pytest.mark.parametrize("other", spelled_otherwise(), ids=range(17))
def test_another_spelling_of_the_same_value_is_damage(other: bytes) -> None:
    with pytest.raises(DamagedEvidence):
        envelope.opened(other, [MINE.public], KIND)


def test_a_signature_under_another_key_s_name_is_damage() -> None:
    told = json.loads(SEALED)
    told["signatures"][0]["keyid"] = OTHER.public.key_id
    forged = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(DamagedEvidence, match="does not hold"):
        envelope.opened(forged, [MINE.public, OTHER.public], KIND)


def test_an_unknown_key_and_another_type_are_named() -> None:
    with pytest.raises(DamagedEvidence, match=f"unknown key '{MINE.public.key_id[:16]}"):
        envelope.opened(SEALED, [OTHER.public], KIND)
    with pytest.raises(DamagedEvidence, match="not 'text/plain'"):
        envelope.opened(SEALED, [MINE.public], "text/plain")
