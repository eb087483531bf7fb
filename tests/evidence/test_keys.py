"""Keys by file and by environment; what is wrong with one says what to do, and never its text."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from harness.errors import Refused
from harness.evidence import keys


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "ours.pem"
    keys.make_key(file)
    return file


def test_without_a_key_the_installation_s_signs_and_says_so(tmp_path: Path) -> None:
    first = keys.signer()
    assert first.public.self_signed
    assert keys.signer().public == first.public
    file = keys.installation_key()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.is_relative_to(tmp_path / "home")
    assert first.public.verifies(first.sign(b"x"), b"x")
    assert not first.public.verifies(first.sign(b"x"), b"y")
    assert not first.public.verifies(b"", b"x")


def test_two_that_begin_at_once_share_one_key(tmp_path: Path) -> None:
    script = "from harness.evidence.keys import signer; print(signer().public.key_id)"
    started = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(4)
    ]
    assert len({one.communicate()[0] for one in started}) == 1
    assert [p.name for p in (tmp_path / "home").iterdir()] == ["signing-key.pem"]


def test_a_key_by_file_and_by_text(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.KEY_FILE, str(key))
    by_file = keys.signer()
    assert not by_file.public.self_signed
    assert keys.read_public(key.with_name("ours.pem.pub")) == by_file.public
    monkeypatch.setenv(keys.KEY_TEXT, key.read_text())
    with pytest.raises(Refused, match="both set"):
        keys.signer()
    monkeypatch.delenv(keys.KEY_FILE)
    assert keys.signer().public == by_file.public
    assert not keys.installation_key().exists()


def test_the_id_is_what_openssl_and_sha256sum_say(key: Path) -> None:
    der = subprocess.run(
        ["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert keys.read_signer(key).public.key_id == hashlib.sha256(der).hexdigest()


def test_the_private_half_shows_nowhere(key: Path) -> None:
    signer = keys.read_signer(key)
    secret = key.read_text().splitlines()[1]
    assert secret not in repr(signer)
    assert "_private" not in repr(signer)
    key.write_text(key.read_text().replace("BEGIN PRIVATE", "BEGIN PRIVATEX"))
    with pytest.raises(Refused) as caught:
        keys.read_signer(key)
    assert secret not in str(caught.value)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o660, 0o606])
def test_a_key_that_others_can_reach_is_refused(key: Path, mode: int) -> None:
    key.chmod(mode)
    with pytest.raises(Refused, match="chmod 600"):
        keys.read_signer(key)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640])
def test_a_key_for_its_owner_and_its_group_is_read(key: Path, mode: int) -> None:
    key.chmod(mode)
    assert keys.read_signer(key).public.key_id


def rsa_pem(encryption: object) -> bytes:
    made = rsa.generate_private_key(65537, 2048)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def test_wrong_keys_say_what_to_do(key: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    for body, told in (
        (rsa_pem(NoEncryption()), "another kind of key than Ed25519"),
        (rsa_pem(BestAvailableEncryption(b"x")), "encrypted"),
        (b"", "no private key in PEM"),
        (b"\xff" * 100, "no private key in PEM"),
        (b"x" * 20_000, "too large"),
        (key.with_name("ours.pem.pub").read_bytes(), "no private key in PEM"),
    ):
        wrong.write_bytes(body)
        wrong.chmod(0o600)
        with pytest.raises(Refused, match=told) as caught:
            keys.read_signer(wrong)
        assert caught.value.next_step
    for missing in (tmp_path / "nobody.pem", tmp_path):
        with pytest.raises(Refused, match="cannot be read"):
            keys.read_signer(missing)


def test_wrong_public_keys_say_what_to_do(key: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="holds a private key"):
        keys.read_public(key)
    wrong = tmp_path / "wrong.pub"
    wrong.write_bytes(b"no key")
    with pytest.raises(Refused, match="no public key in PEM"):
        keys.read_public(wrong)
    public = rsa.generate_private_key(65537, 2048).public_key()
    wrong.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(Refused, match="another kind"):
        keys.read_public(wrong)


def test_a_key_is_never_overwritten(key: Path) -> None:
    before = key.read_bytes()
    with pytest.raises(Refused, match="there already"):
        keys.make_key(key)
    key.with_name("ours.pem.pub").unlink()
    with pytest.raises(Refused, match="there already"):
        keys.make_key(key)
    assert key.read_bytes() == before


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(Refused, match="cannot be written"):
        keys.signer()


def test_who_is_trusted_is_named_by_files_and_folders(key: Path, tmp_path: Path, monkeypatch):
    assert keys.trusted_keys() == ()
    folder = tmp_path / "trusted"
    folder.mkdir()
    monkeypatch.setenv(keys.TRUSTED, str(folder))
    with pytest.raises(Refused, match="names no key"):
        keys.trusted_keys()
    other = keys.make_key(tmp_path / "other").public
    (folder / "other.pem").write_bytes(other.pem())
    monkeypatch.setenv(keys.TRUSTED, f"{folder}:{key}.pub")
    assert keys.trusted_keys() == (other, keys.read_signer(key).public)
