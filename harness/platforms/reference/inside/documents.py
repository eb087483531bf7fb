"""What an exec asks of the documents, where the filestore is mounted.

    python3 -m harness.platforms.reference.inside.documents list     names, one a line
    python3 -m harness.platforms.reference.inside.documents read     names in, one a line; a tar out
    python3 -m harness.platforms.reference.inside.documents write    a tar in

A name that no file has is not in the tar. Exit code 0; or 1, and a sentence on stderr.
"""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO

from harness.errors import PlatformError
from harness.platforms.documents import DocumentFolder
from harness.platforms.reference.inside.settings import Settings

DATABASE = "shop"  # as everywhere: Odoo keeps a folder for each database
WORDS = ("python3", "-m", "harness.platforms.reference.inside.documents")


def pack(contents: Iterable[tuple[str, bytes | None]], stream: IO[bytes]) -> None:
    """A tar of those that are there; nothing is told but names and bytes."""
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        for name, content in contents:
            if content is not None:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))


def unpack(stream: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Whatever a tar holds, in its order. Raises tarfile.TarError."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for entry in archive:
            if (content := archive.extractfile(entry)) is not None:
                yield entry.name, content.read()


def packed(contents: Mapping[str, bytes]) -> bytes:
    """The tar that `write` takes."""
    stream = io.BytesIO()
    pack(contents.items(), stream)
    return stream.getvalue()


def _list(folder: DocumentFolder) -> None:
    sys.stdout.write("".join(f"{name}\n" for name in sorted(folder.names())))


def _read(folder: DocumentFolder) -> None:
    named = [name for name in sys.stdin.buffer.read().decode("utf-8").split("\n") if name]
    pack(zip(named, folder.contents(named), strict=True), sys.stdout.buffer)


def _write(folder: DocumentFolder) -> None:
    folder.write(dict(unpack(sys.stdin.buffer)))


_ASKED: Mapping[str, Callable[[DocumentFolder], None]] = {
    "list": _list, "read": _read, "write": _write,
}  # fmt: skip


def main(words: Sequence[str], settings: Settings | None = None) -> int:
    folder = DocumentFolder((settings or Settings()).filestore / DATABASE)
    asked = _ASKED.get(" ".join(words))
    if asked is None:
        print(f"wanted: {', '.join(_ASKED)}", file=sys.stderr)
        return 1
    try:
        asked(folder)
    except (PlatformError, OSError, ValueError, tarfile.TarError) as error:
        print(error.what if isinstance(error, PlatformError) else error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
