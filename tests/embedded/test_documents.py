"""Documents on the real platform: hashed on disk and in S3, mended from there, named where not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import psycopg
import pytest

from harness.core.operation import document_bytes, document_sha1
from harness.core.proofs import Proof
from harness.core.scenario import Scenario
from harness.core.targets import Targets
from harness.evidence import layout
from harness.evidence.lines import read_lines
from harness.inspection import documents as inspection
from harness.inspection.scene import Scene
from harness.platforms.embedded import EmbeddedPlatform
from harness.platforms.embedded.mirror import key_of
from harness.recovery import documents

pytestmark = pytest.mark.platform


@pytest.fixture(autouse=True)
def undamaged(platform: EmbeddedPlatform) -> None:
    """What earlier tests damaged on purpose is mended, or forgotten where nothing sound is left."""
    store = platform.filestore
    rows = documents.rows_of(platform.endpoints().dsn)
    documents.mend(store, rows, documents.on_disk(store, rows).damaged)
    surveys = (documents.on_disk(store, rows), documents.in_store(store, rows))
    left = [damage.store_fname for survey in surveys for damage in survey.damaged]
    with psycopg.connect(platform.database.superuser_dsn(), autocommit=True) as database:
        database.execute("DELETE FROM ir_attachment WHERE store_fname = ANY(%s)", [left])
    for file in folder_of(platform).glob("??/*"):
        if hashlib.sha1(file.read_bytes()).hexdigest() != file.name:
            file.unlink()


def folder_of(platform: EmbeddedPlatform) -> Path:
    folder = platform.endpoints().filestore
    assert folder is not None
    return folder


def name_of(key: str) -> str:
    digest = document_sha1(key)
    return f"{digest[:2]}/{digest}"


def inspected(platform: EmbeddedPlatform, run: Path) -> tuple[Proof, ...]:
    claim = Scenario.__new__(Scenario)  # an inspection of documents does not ask for it
    inspection.documents_are_sound(Scene(platform, run, "r1", claim, Targets(workloads=()), ""))
    return read_lines(run / layout.PROOFS, Proof)


def test_a_copy_that_was_cut_short_is_named(platform: EmbeddedPlatform, tmp_path: Path) -> None:
    """Its document is not on disk either, so no sound copy comes on top of it."""
    key = "pd-documents-1-0"
    name, checksum, size = name_of(key), document_sha1(key), len(document_bytes(key))
    platform.filestore.store.put(key_of(name), document_bytes(key)[:500])
    with psycopg.connect(platform.database.superuser_dsn(), autocommit=True) as database:
        database.execute(
            "INSERT INTO ir_attachment (name, store_fname, checksum, file_size)"
            " VALUES (%s, %s, %s, %s)",
            [key, name, checksum, size],
        )
        try:
            told = [p.told for p in inspected(platform, tmp_path) if p.subject == name]
            rows = documents.rows_of(platform.endpoints().dsn)
            disk = documents.on_disk(platform.filestore, rows)
            mended = documents.mend(platform.filestore, rows, disk.damaged)
        finally:
            database.execute("DELETE FROM ir_attachment WHERE name = %s", [key])
    assert told == [
        f"disk: {name} ({key}): missing",
        f"object-store: {name} ({key}): truncated, 500 of 2,048 bytes",
    ]
    assert mended == 0
