"""A store that lists what it does not hand out yet is not ready."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from memory_store import Store

from harness.platforms.embedded import backup_store, mirror, store_ready
from harness.platforms.embedded.s3_client import S3Error

RECORD = f"{backup_store.FOLDER}20260101T000000/{backup_store.RECORD}"


def slow_to_give(prefix: str) -> Callable[[str], bytes]:
    def get(key: str, **_: object) -> bytes:
        if key.startswith(prefix):
            raise S3Error(f"GET {key}: HTTP 500")
        return b"here"

    return get


def test_it_is_ready_when_it_hands_out_what_it_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    assert store_ready.gives(store)  # nothing is in it
    monkeypatch.setattr(Store, "get", lambda _, key, **__: slow_to_give("nothing")(key))
    store.put(RECORD, b"{}")
    store.put(f"{mirror.FOLDER}aa/aaaa", b"a document")
    assert store_ready.gives(store)
    for prefix in (backup_store.FOLDER, mirror.FOLDER):
        monkeypatch.setattr(Store, "get", lambda _, key, p=prefix, **__: slow_to_give(p)(key))
        assert not store_ready.gives(store)
