"""Contract: documents are listed, read and mended where they lie, and each has its copy."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import urllib.parse
from http.client import HTTPConnection

import pytest

from harness.core.operation import document_bytes, document_sha1
from harness.errors import PlatformError
from harness.platforms.capabilities import Filestore, Platform
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.having import having
from harness.recovery import documents
from tests.contracts.stands import needs

pytestmark = pytest.mark.timeout(900)
COPIED_S = 60.0


def attach(platform: Platform, keys: list[str]) -> None:
    """As the application's users do."""
    known = platform.endpoints()
    password = known.password_file.read_text().strip()
    values = [
        {"name": key, "datas": base64.b64encode(document_bytes(key)).decode()} for key in keys
    ]
    call = [known.database, 2, password, "ir.attachment", "create", [values]]
    params = {"service": "object", "method": "execute_kw", "args": call}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "call", "params": params})
    where = urllib.parse.urlsplit(known.application_url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=60)
    try:
        connection.request("POST", "/jsonrpc", body, {"Content-Type": "application/json"})
        told = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    assert "error" not in told, told


def name_of(key: str) -> str:
    digest = document_sha1(key)
    return f"{digest[:2]}/{digest}"


@pytest.fixture
def attached(kept: Platform) -> list[str]:
    """The names of a hundred documents of this test alone, each with its copy."""
    needs(kept, "filestore", "application")
    run = f"pd-contract-{random.getrandbits(40):x}"
    keys = [f"{run}-{n}" for n in range(100)]
    attach(kept, keys)
    store = having(kept.filestore, "filestore")
    await_ready("every copy", store.mirror_is_complete, within_s=COPIED_S, poll_s=0.5)
    return [name_of(key) for key in keys]


def test_what_is_listed_is_what_is_mirrored(kept: Platform, attached: list[str]) -> None:
    store = having(kept.filestore, "filestore")
    assert set(attached) <= store.names() <= store.mirrored_names()
    for name, content in zip(attached, store.contents(attached), strict=True):
        assert content is not None
        assert hashlib.sha1(content).hexdigest() == name.partition("/")[2]
    assert store.mirrored(attached[0]) == next(iter(store.contents(attached[:1])))
    nobody = "00/" + "0" * 40
    assert store.mirrored(nobody) is None
    assert list(store.contents([nobody, "../outside", "/etc/passwd"])) == [None] * 3


def test_a_damaged_document_is_named_and_mended_from_its_copy(
    kept: Platform, attached: list[str]
) -> None:
    store = having(kept.filestore, "filestore")
    rows = documents.rows_of(kept.endpoints().dsn)
    sound = dict(zip(attached, store.contents(attached), strict=True))
    first, second = attached[:2]
    try:
        store.write({first: (sound[first] or b"")[:100], second: b""})
        disk, copies = documents.on_disk(store, rows), documents.in_store(store, rows)
        assert {damage.store_fname for damage in disk.damaged} == {first, second}
        assert not {damage.store_fname for damage in copies.damaged} & set(attached)
        assert documents.mend(store, rows, disk.damaged) == 2
    finally:
        store.write({name: sound[name] or b"" for name in (first, second)})
    assert list(store.contents(attached)) == list(sound.values())
    assert documents.on_disk(store, rows).damaged == ()


def test_nothing_is_written_that_is_no_document(kept: Platform, attached: list[str]) -> None:
    store: Filestore = having(kept.filestore, "filestore")
    before = store.names()
    for name in ("../outside", "ab/short", "", "aa/" + "b" * 40):
        with pytest.raises(PlatformError, match="names no document"):
            store.write({name: b"x", attached[0]: b"y"})
    assert store.names() == before
    content = next(iter(store.contents(attached[:1])))
    assert content is not None
    assert hashlib.sha1(content).hexdigest() == attached[0].partition("/")[2]
