"""A filestore in a bucket: by the hash of the bytes; what is gone is gone, a refusal is no answer."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from botocore.exceptions import ClientError
from test_own_odoo_file import LEAST, written

from harness.errors import BadInput
from harness.inputs.odoo_file import BucketAt, read_odoo
from harness.platforms.capabilities import Endpoints
from harness.platforms.odoo import whole
from harness.readback import documents

CONTENT = b"an invoice"
SHA1 = hashlib.sha1(CONTENT).hexdigest()
NAME = f"{SHA1[:2]}/{SHA1}"


class Store(BaseHTTPRequestHandler):
    """Answers GETs as S3 does, path style."""

    objects: ClassVar[dict[str, bytes]] = {}
    refuses = False

    def do_GET(self) -> None:
        body = self.objects.get(self.path)
        code = 403 if self.refuses else 200 if body is not None else 404
        error = {403: b"AccessDenied", 404: b"NoSuchKey"}.get(code, b"")
        answer = body if code == 200 else b"<Error><Code>" + error + b"</Code></Error>"
        self.send_response(code)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoints]:
    monkeypatch.setattr(Store, "objects", {f"/own/docs/{NAME}": CONTENT})
    monkeypatch.setattr(Store, "refuses", False)
    keys = tmp_path / "credentials"
    keys.write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Endpoints(
            application_url="", application_replicas=(), database="", login="",
            password_file=Path("none"), dsn="", kind="odoo", version=14, queue_url="",
            queue_password_file=None, filestore=None,
            s3_url=f"http://127.0.0.1:{server.server_port}", s3_credentials_file=keys,
            s3_bucket="own/docs", partners_url="",
        )  # fmt: skip
        server.shutdown()


@pytest.mark.parametrize("named", [NAME, f"s3://own/{NAME}", f"fs-code://{NAME}"])
def test_documents_are_read_by_what_their_rows_name(at: Endpoints, named: str) -> None:
    found = documents.read([(1, named, SHA1)], documents.source_of(at, None))
    assert found[1] == documents.Document(int(SHA1[:16], 16), True)


def test_what_is_gone_is_missing_and_what_is_another_has_another_digest(at: Endpoints) -> None:
    Store.objects["/own/docs/x"] = b"other bytes"
    source = documents.source_of(at, None)
    assert not documents.read([(1, "gone", SHA1)], source)[1].whole
    assert documents.read([(1, "x", SHA1)], source)[1].digest != int(SHA1[:16], 16)


def test_a_refusal_is_no_answer(at: Endpoints) -> None:
    assert whole._bucket(at) == []
    Store.refuses = True
    with pytest.raises(ClientError):
        documents.read([(1, NAME, SHA1)], documents.source_of(at, None))
    assert whole._bucket(at) == ["the bucket own/docs cannot be read: AccessDenied"]


def test_a_folder_comes_first(at: Endpoints, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT)
    source = documents.source_of(replace(at, filestore=tmp_path), None)
    assert documents.read([(1, "x", SHA1)], source)[1].whole
    assert documents.source_of(replace(at, s3_bucket=""), None) is None


def test_in_platform_yaml(tmp_path: Path) -> None:
    more = "bucket: {name: own/docs, url: 'https://s3.example', credentials_file: keys}\n"
    found = read_odoo(written(tmp_path, LEAST + more))
    assert found.bucket == BucketAt("own/docs", "https://s3.example", tmp_path / "keys")
    for wrong, told in (
        (more + "filestore: /srv\n", "is named beside filestore"),
        ("bucket: {name: own, url: s3.example}\n", "bucket: must be http"),
    ):
        with pytest.raises(BadInput, match=told):
            read_odoo(written(tmp_path, LEAST + wrong))
