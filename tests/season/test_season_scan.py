"""The scan of the season's outputs finds one planted credential of each class, however packed."""

import base64
import gzip
import io
import json
import lzma
import secrets
import tarfile
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.platforms.embedded import credentials
from tests.season import data, scan

DRAWN = credentials.draw()
PEM = Ed25519PrivateKey.generate().private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
AWS_ID = "AKIA" + "Q7" * 8
PLANTED = {
    "drawn by the platform": f"the queue says {DRAWN}.",
    "backup key": f'{{"key": "{secrets.token_hex(32)}"}}',
    "session": f"cookie session_id={secrets.token_urlsafe(32).replace('-', 'a')[:42]}A; Path=/",
    "private key": PEM.decode(),
    "password assigned": "connection password=hunter2 dbname=shop",
    "password in JSON": '{"db_password": "s3same"}',
    "PGPASSWORD": "env PGPASSWORD=opensesame psql",
    "password in YAML": "password: s3same\nuser: shop",
    "DSN": "postgresql://shop:opensesame@127.0.0.1:5432/shop",
    "redis URL": "redis://:opensesame@127.0.0.1:6379/0",
    "pgpass": "127.0.0.1:*:*:readback:opensesame",
    "bearer": "Authorization: Bearer abcdefgh12345678abcd",
    "basic": f"Authorization: Basic {base64.b64encode(b'admin:opensesame').decode()}",
    "web token": ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256"}, {"sub": "admin", "scope": "all"}, "signature")
    ),
    "AWS secret": f"aws_secret_access_key = {'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYxx'}",
    "AWS pair": f"{AWS_ID}\n{'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'}\n",
    "API key": 'api_key="k-12345678"',
}
HARMLESS = (
    "api-key: last accepted 1.7-1.9 s after the fault\n"
    "application-password: the old one was seen refused\n"
    '"password_file": "/state/secrets/application-password"\n'
    "postgresql://shop:***@127.0.0.1/shop\nredis://127.0.0.1:13644/0\n"
    '"marker": "pd-20261127T223550Z3a7c-attacker"\n'
    f'{{"sha256":"{secrets.token_hex(32)}"}}\n'
    "127.0.0.1:5432: connection refused\n"
)


def planted(folder: Path, body: bytes) -> scan.Scanned:
    run = folder / "run"
    run.mkdir(exist_ok=True)
    (run / "clean.log").write_text(HARMLESS)
    (run / "planted.log").write_bytes(body)
    return scan.scan(folder)


def as_zip(body: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", body)
    return packed.getvalue()


def as_tar_xz(body: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("inner.txt")
        entry.size = len(body)
        tar.addfile(entry, io.BytesIO(body))
    return lzma.compress(packed.getvalue())


def as_envelope(body: bytes) -> bytes:
    payload = base64.b64encode(body).decode()
    return json.dumps({"payload": payload, "signatures": [{"sig": "AA=="}]}).encode()


PACKINGS = {
    "plain": bytes,
    "among zeros": lambda body: bytes(200_000) + b"\n" + body + b"\n" + bytes(200_000),
    "zip": as_zip,
    "gzip": gzip.compress,
    "tar.xz": as_tar_xz,
    "envelope": as_envelope,
    "zip in an envelope": lambda body: as_envelope(as_zip(body)),
}


def test_what_is_harmless_is_no_finding(tmp_path: Path) -> None:
    done = planted(tmp_path, b"nothing to see")
    assert done.found == []
    assert done.clean
    assert done.digests == 1


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_credential_is_found_and_not_shown(
    tmp_path: Path, kind: str, packing: str
) -> None:
    text = PLANTED[kind]
    done = planted(tmp_path, PACKINGS[packing](text.encode()))
    assert not done.clean
    assert {found.file for found in done.found} == {"run/planted.log"}
    told = "\n".join(scan._told(done, 0))
    assert told.startswith("NOT clean")
    assert not any(word in told for word in (DRAWN, "hunter2", "s3same", "opensesame"))


def test_a_secret_of_a_platform_that_is_up_is_found_whatever_its_shape(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("plain words only, thus no shape")
    assert scan.scan(tmp_path).clean
    done = scan.scan(tmp_path, {b"words only": "the queue"})
    assert [found.kind for found in done.found] == ["a secret of the platform: the queue"]
    (tmp_path / "a.log").write_bytes(as_envelope(b"plain words only, thus no shape"))
    assert len(scan.scan(tmp_path, {b"words only": "the queue"}).found) == 1


def test_a_key_that_looks_like_a_digest_is_one_only_where_a_file_has_it(tmp_path: Path) -> None:
    import hashlib

    body = b"some document"
    (tmp_path / "document").write_bytes(body)
    (tmp_path / "list.txt").write_text(f"it is {hashlib.sha256(body).hexdigest()}")
    assert scan.scan(tmp_path).clean
    (tmp_path / "document").write_bytes(b"another document")
    (found,) = scan.scan(tmp_path).found
    assert found.length == 64


def test_nothing_searched_is_no_pass(tmp_path: Path) -> None:
    assert not scan.scan(tmp_path).clean
    assert next(scan._told(scan.scan(tmp_path), 0)).startswith("Not known")
    (tmp_path / "empty").touch()
    assert not scan.scan(tmp_path).clean


def test_the_kept_season_holds_none(tmp_path: Path) -> None:
    done = scan.scan(data.unpack(tmp_path / "runs"))
    assert done.found == []
    assert done.files == len(data.members())
