"""Documents that are damaged are caught and named, on disk and in object storage; and mended."""

from __future__ import annotations

import asyncio
import doctest
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from harness.core.proofs import Proof
from harness.core.scenario import Scenario
from harness.core.targets import Targets
from harness.errors import PlatformError
from harness.evidence import layout
from harness.evidence.lines import read_lines
from harness.inspection import documents as inspection
from harness.inspection.scene import Scene
from harness.platforms.documents import DocumentFolder
from harness.recovery import books, documents
from shop.filestore import Filestore, Stored
from tests.shop.stand import make_shop, postgres

DATABASE = "documents"
COUNT = 40


@dataclass
class Copies:
    """The capability over a folder and a dictionary."""

    root: Path
    kept: dict[str, bytes] = field(default_factory=dict)
    silent: bool = False

    def names(self) -> frozenset[str]:
        return DocumentFolder(self.root).names()

    def contents(self, names: Iterable[str]) -> Iterator[bytes | None]:
        return DocumentFolder(self.root).contents(names)

    def write(self, contents: Mapping[str, bytes]) -> None:
        DocumentFolder(self.root).write(contents)

    def mirrored(self, store_fname: str) -> bytes | None:
        return self.kept.get(store_fname)

    def mirrored_names(self) -> frozenset[str]:
        if self.silent:
            raise PlatformError("object storage does not answer")
        return frozenset(self.kept)

    def mirror_is_complete(self) -> bool:
        return True


@dataclass
class Stand:
    dsn: str
    copies: Copies
    stored: list[Stored]
    run: Path

    @property
    def platform(self) -> SimpleNamespace:
        return SimpleNamespace(
            endpoints=lambda: SimpleNamespace(dsn=self.dsn), filestore=self.copies
        )

    def file(self, number: int) -> Path:
        return self.copies.root / self.stored[number].store_fname

    def inspected(self) -> list[Proof]:
        scene = Scene(
            self.platform, self.run, "r1", Scenario.__new__(Scenario), Targets(workloads=()), ""
        )  # type: ignore[arg-type]
        inspection.documents_are_sound(scene)
        return list(read_lines(self.run / layout.PROOFS, Proof))

    def validated(self) -> str:
        ground = SimpleNamespace(platform=self.platform, facts={}, say=lambda _text: None)
        assert documents.validated(ground) is None
        documents.validate(ground)
        return documents.validated(ground) or ""


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("documents")
    with postgres(folder / "pg") as server:
        server.create(DATABASE)
        make_shop(folder / "shop", server, DATABASE)
        yield server.dsn(DATABASE)


@pytest.fixture
def stand(dsn: str, tmp_path: Path) -> Stand:
    """Rows and files as the shop itself writes them; each copied."""
    own = Filestore(tmp_path / "filestore")
    stored = [asyncio.run(own.keep(f"{tmp_path.name} {n}".encode() * 50)) for n in range(COUNT)]
    copies = Copies(tmp_path / "filestore")
    copies.kept = {s.store_fname: (copies.root / s.store_fname).read_bytes() for s in stored}
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute("DELETE FROM ir_attachment")
        for number, s in enumerate(stored):
            database.execute(
                "INSERT INTO ir_attachment (name, store_fname, checksum, file_size)"
                " VALUES (%s, %s, %s, %s)",
                [f"d{number}.pdf", s.store_fname, s.checksum, s.file_size],
            )
    return Stand(dsn, copies, stored, tmp_path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def test_all_is_sound(stand: Stand) -> None:
    assert [(p.kind, p.ok, p.told) for p in stand.inspected()] == [
        ("disk", True, "disk: 40 documents, 0 damaged, 0 files without a row"),
        ("object-store", True, "object-store: 40 documents, 0 damaged, 0 files without a row"),
    ]


def test_a_database_that_names_no_document_shows_none(stand: Stand) -> None:
    with psycopg.connect(stand.dsn, autocommit=True) as database:
        database.execute("DELETE FROM ir_attachment")
    assert [(p.kind, p.ok) for p in stand.inspected()] == [("disk", None), ("object-store", None)]


def test_a_truncated_document_on_disk_is_named(stand: Stand) -> None:
    truncate(stand.file(3))
    name, size = stand.stored[3].store_fname, stand.stored[3].file_size
    damage, summary, store = stand.inspected()
    assert (damage.kind, damage.subject, damage.ok) == ("disk", name, False)
    assert damage.told == (
        f"disk: {name} (d3.pdf): truncated, {size - 7:,} of {size:,} bytes"
    )  # fmt: skip
    assert (summary.kind, summary.ok) == ("disk", False)
    assert (store.kind, store.ok) == ("object-store", True)


def test_a_truncated_document_in_object_storage_is_named(stand: Stand) -> None:
    name = stand.stored[5].store_fname
    stand.copies.kept[name] = stand.copies.kept[name][:10]
    disk, damage, summary = stand.inspected()
    assert (disk.kind, disk.ok) == ("disk", True)
    assert (damage.kind, damage.subject, damage.ok) == ("object-store", name, False)
    assert "truncated, 10 of" in damage.told
    assert (summary.kind, summary.ok) == ("object-store", False)


@pytest.mark.parametrize(
    ("hurt", "told"),
    [
        (lambda file: file.unlink(), "missing"),
        (lambda file: file.write_bytes(b"\0" * file.stat().st_size), "wrong content"),
        (lambda file: file.write_bytes(file.read_bytes() + b"more"), "wrong content"),
        (lambda file: file.write_bytes(b""), "truncated, 0 of"),
    ],
)
def test_any_other_damage_is_named_too(stand: Stand, hurt, told: str) -> None:
    hurt(stand.file(9))
    damage = stand.inspected()[0]
    assert (damage.subject, damage.ok) == (stand.stored[9].store_fname, False)
    assert f"(d9.pdf): {told}" in damage.told


def test_a_name_that_leads_out_of_the_filestore_is_missing(stand: Stand) -> None:
    (stand.run / "outside").write_bytes(b"x")
    with psycopg.connect(stand.dsn, autocommit=True) as database:
        database.execute(
            "UPDATE ir_attachment SET store_fname = '../outside' WHERE name = 'd1.pdf'"
        )
    damaged = [p for p in stand.inspected() if p.subject == "../outside"]
    assert [(p.kind, p.ok) for p in damaged] == [("disk", False), ("object-store", False)]


def test_what_came_after_the_recovery_point_is_counted_and_left(stand: Stand) -> None:
    with psycopg.connect(stand.dsn, autocommit=True) as database:
        database.execute("DELETE FROM ir_attachment WHERE name IN ('d7.pdf', 'd8.pdf')")
    assert stand.validated() == (
        "disk: 38 documents, 0 damaged, 2 files without a row, 0 of them mended; "
        "object-store: 38 documents, 0 damaged, 2 files without a row"
    )
    assert stand.file(7).exists()
    assert all(proof.ok for proof in stand.inspected())


def test_a_document_is_mended_from_its_copy(stand: Stand) -> None:
    truncate(stand.file(0))
    stand.file(1).unlink()
    assert stand.validated().startswith("disk: 40 documents, 2 damaged, 0 files without a row, 2")
    assert all(proof.ok for proof in stand.inspected())
    assert not [f for f in stand.copies.root.rglob("*") if f.name.startswith(".")]


def test_it_is_not_mended_from_a_copy_that_is_damaged_too(stand: Stand) -> None:
    truncate(stand.file(0))
    stand.copies.kept[stand.stored[0].store_fname] = b"short"
    cut = stand.file(0).read_bytes()
    assert "1 damaged, 0 files without a row, 0 of them mended" in stand.validated()
    assert stand.file(0).read_bytes() == cut
    assert [p.kind for p in stand.inspected() if p.ok is False] == [
        "disk", "disk", "object-store", "object-store",
    ]  # fmt: skip


def test_a_silent_object_storage_is_no_pass(stand: Stand) -> None:
    stand.copies.silent = True
    disk, store = stand.inspected()
    assert (disk.ok, store.ok) == (True, None)
    assert "could not be looked at" in store.told


@pytest.mark.parametrize("module", [documents, books])
def test_the_examples_hold(module) -> None:
    tried = doctest.testmod(module)
    assert tried.attempted
    assert not tried.failed
