"""Ed25519 keys: who signs evidence, and whom a reader trusts.

The signer is named by PEAKDRILL_SIGNING_KEY_FILE, or given as PEM text in PEAKDRILL_SIGNING_KEY.
Without either, a key that is made once for the installation signs, and says `self-signed`: it
proves that nothing changed since, and not who ran the drill. Private keys are never printed, and
no error quotes a line of one.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from harness.errors import Refused

KEY_FILE, KEY_TEXT = "PEAKDRILL_SIGNING_KEY_FILE", "PEAKDRILL_SIGNING_KEY"
TRUSTED = "PEAKDRILL_TRUSTED_KEYS"  # files and folders of *.pem, with : between them
_MAX_BYTES = 16_384
_NOT_FOR_OTHERS = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO
_MAKE_ONE = "make one with: peakdrill evidence key --new FILE"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are checked with. Its id is the SHA-256 of its DER form, hex."""

    key_id: str
    raw: bytes  # 32 bytes
    self_signed: bool = False

    @classmethod
    def of(cls, raw: bytes, *, self_signed: bool = False) -> PublicKey:
        key = Ed25519PublicKey.from_public_bytes(raw)
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(hashlib.sha256(der).hexdigest(), raw, self_signed)

    def pem(self) -> bytes:
        """What openssl reads."""
        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs. The private half shows in no representation."""

    public: PublicKey
    _private: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def signer() -> Signer:
    """The one that the environment names, else the installation's own, made at its first use.

    Raises Refused where a key is named and cannot be used: a named key is never replaced in
    silence by another.
    """
    file, text = os.environ.get(KEY_FILE, ""), os.environ.get(KEY_TEXT, "")
    if file and text:
        raise Refused(f"{KEY_FILE} and {KEY_TEXT} are both set", next_step="unset one of them")
    if file:
        return read_signer(Path(file))
    if text:
        return _signer(text.encode(), KEY_TEXT, self_signed=False)
    return _installation()


def installation_key() -> Path:
    """Where the key lies that is made when nobody names one."""
    from harness.platforms.embedded.layout import state_home

    return state_home() / "signing-key.pem"


def read_signer(file: Path, *, self_signed: bool = False) -> Signer:
    """A private key, PEM in PKCS8, that others cannot read. Raises Refused."""
    data, mode = _read(file)
    if mode & _NOT_FOR_OTHERS:
        raise Refused(
            f"the signing key {file} is open to others (mode {stat.S_IMODE(mode):04o})",
            next_step=f"chmod 600 {file} (in Kubernetes: defaultMode: 0440 on the secret)",
        )
    return _signer(data, str(file), self_signed=self_signed)


def read_public(file: Path) -> PublicKey:
    """A public key, PEM. Raises Refused."""
    data, _ = _read(file)
    return public_from(data, str(file))


def public_from(pem: bytes, where: str, *, self_signed: bool = False) -> PublicKey:
    """A public key from the text of `where`, which the message names. Raises Refused."""
    if b"PRIVATE KEY" in pem:
        raise Refused(
            f"{where} holds a private key, where a public one is wanted",
            next_step="openssl pkey -in KEY -pubout > KEY.pub, and name that",
        )
    try:
        key = load_pem_public_key(pem)
    except Exception as error:  # whatever the parser stumbles over, the file is wrong
        raise Refused(f"{where} holds no public key in PEM", next_step=_MAKE_ONE) from error
    if not isinstance(key, Ed25519PublicKey):
        raise Refused(f"{where} holds another kind of key than Ed25519", next_step=_MAKE_ONE)
    return PublicKey.of(key.public_bytes_raw(), self_signed=self_signed)


def trusted_keys() -> tuple[PublicKey, ...]:
    """Whom this reader trusts, by PEAKDRILL_TRUSTED_KEYS; () where nobody said. Raises Refused."""
    named = [Path(part) for part in os.environ.get(TRUSTED, "").split(os.pathsep) if part]
    files = [f for n in named for f in (sorted(n.glob("*.pem")) if n.is_dir() else [n])]
    if named and not files:
        raise Refused(f"{TRUSTED} names no key", next_step="put public keys there, *.pem")
    return tuple(read_public(file) for file in files)


def make_key(file: Path) -> Signer:
    """A new private key in `file` (0600), its public half beside it as `<file>.pub`.

    Raises Refused where either is there already: a key that signed evidence is not overwritten.
    """
    beside = file.with_name(f"{file.name}.pub")
    if beside.exists():
        raise Refused(f"{beside} is there already", next_step="name another file")
    if not _create(file, _new_pem()):
        raise Refused(f"{file} is there already", next_step="name another file")
    made = read_signer(file)
    if not _create(beside, made.public.pem(), mode=0o644):
        raise Refused(f"{beside} is there already", next_step="name another file")
    return made


def _installation() -> Signer:
    file = installation_key()
    if not file.exists():
        _create(file, _new_pem())  # of two that begin at once, one makes it and both read it
    return read_signer(file, self_signed=True)


def _new_pem() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _create(file: Path, body: bytes, *, mode: int = 0o600) -> bool:
    """Whole or not at all, and never over another; False where there is one."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(temporary, file)
        finally:
            temporary.unlink()
    except FileExistsError:
        return False
    except OSError as error:
        raise Refused(
            f"the key {file} cannot be written: {error.strerror}",
            next_step=f"name a key with {KEY_FILE}, or set PEAKDRILL_HOME to a folder",
        ) from error
    return True


def _read(file: Path) -> tuple[bytes, int]:
    try:
        with file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            data = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        told = f"the key {file} cannot be read: {error.strerror}"
        raise Refused(told, next_step=_MAKE_ONE) from error
    if len(data) > _MAX_BYTES:
        raise Refused(f"{file} is too large for a key", next_step=_MAKE_ONE)
    return data, mode


def _signer(pem: bytes, where: str, *, self_signed: bool) -> Signer:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise Refused(
            f"the signing key of {where} is encrypted, and nobody is there to type its passphrase",
            next_step="openssl pkey -in KEY -out PLAIN, and keep PLAIN where secrets are kept",
        ) from error
    except Exception:  # noqa: BLE001  whatever the parser stumbles over; it may quote the key
        raise Refused(f"{where} holds no private key in PEM (PKCS8)", next_step=_MAKE_ONE) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused(f"{where} holds another kind of key than Ed25519", next_step=_MAKE_ONE)
    public = PublicKey.of(key.public_key().public_bytes_raw(), self_signed=self_signed)
    return Signer(public, key)
