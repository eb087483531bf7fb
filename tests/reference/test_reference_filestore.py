"""Documents of a reference stack: by way of the keeper, byte for byte, and nothing else."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from harness.errors import PlatformError
from harness.platforms.documents import DocumentFolder
from harness.platforms.reference import filestore
from harness.platforms.reference.filestore import KeptDocuments
from tests.reference.local_site import LocalSite


def named(content: bytes) -> str:
    digest = hashlib.sha1(content).hexdigest()
    return f"{digest[:2]}/{digest}"


@pytest.fixture
def site(tmp_path: Path) -> LocalSite:
    (tmp_path / "filestore" / "shop").mkdir(parents=True)
    return LocalSite(tmp_path)


@pytest.fixture
def folder(site: LocalSite) -> DocumentFolder:
    return DocumentFolder(site.folder / "filestore" / "shop")


def test_what_was_written_there_is_read_here_and_the_other_way_round(
    site: LocalSite, folder: DocumentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filestore, "_AT_ONCE", 3)  # so that there are several batches
    kept = KeptDocuments(site)
    bodies = [os.urandom(900), b"", b"\n\0line\n", b"x" * 20_000, b"one", b"two", b"three"]
    contents = {named(body): body for body in bodies}
    assert kept.names() == frozenset()
    kept.write(contents)
    assert folder.names() == kept.names() == contents.keys()
    names = [*contents, "00/" + "0" * 40]
    assert list(kept.contents(names)) == [*contents.values(), None]
    assert list(kept.contents(names)) == list(folder.contents(names))
    first = names[0]
    folder.write({first: b"cut"})
    assert list(kept.contents([first])) == [b"cut"]  # as it is, sound or not
    assert not list(site.folder.rglob(".*"))  # no draft is left


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "ab/../../x", "aa/" + "b" * 40, ""])
def test_a_name_that_leads_out_is_not_there_and_is_not_written(
    site: LocalSite, folder: DocumentFolder, name: str
) -> None:
    (site.folder / "filestore" / "outside").write_bytes(b"secret")
    for documents in (KeptDocuments(site), folder):
        assert list(documents.contents([name])) == [None]
        with pytest.raises(PlatformError, match="names no document"):
            documents.write({name: b"x", named(b"good"): b"good"})
    assert folder.names() == frozenset()


def test_a_link_that_leads_out_is_not_there(site: LocalSite, folder: DocumentFolder) -> None:
    outside = site.folder / "outside"
    outside.write_bytes(b"secret")
    name = named(b"linked")
    (folder.root / name).parent.mkdir()
    (folder.root / name).symlink_to(outside)
    assert list(folder.contents([name])) == [None]
    assert list(KeptDocuments(site).contents([name])) == [None]


def test_a_keeper_that_cannot_be_asked_says_nothing_of_documents(site: LocalSite) -> None:
    site.dead.add("keeper")
    kept = KeptDocuments(site)
    with pytest.raises(PlatformError, match="does not run"):
        kept.names()
    with pytest.raises(PlatformError, match="does not run"):
        list(kept.contents([named(b"x")]))


@pytest.mark.parametrize("answer", [b"not a tar, but long enough to be one" * 30, b"\xff\xfe"])
def test_an_answer_that_is_none_is_refused(tmp_path: Path, answer: bytes) -> None:
    kept = KeptDocuments(LocalSite(tmp_path, answer=lambda *_: answer))
    with pytest.raises(PlatformError):
        list(kept.contents([named(b"x")]))
    with pytest.raises(PlatformError, match="no names"):
        kept.names()
