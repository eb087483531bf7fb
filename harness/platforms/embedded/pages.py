"""Page checksums of a data folder, read from its files: also of a server that runs.

PostgreSQL verifies a page when it reads it, so a page that lies in its buffers, or that nobody
asks for, can be damaged on disk for months. `pg_checksums` wants the server stopped, and
`pg_basebackup` passes over every page whose (perhaps garbled) LSN looks newer than the backup.
Here every page counts. A page that is being written may be read half old and half new: one that
looks damaged is read again, and it is damaged when it stays exactly as it is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

PAGE_BYTES = 8192
SEGMENT_PAGES = 131_072  # a relation is cut into files of 1 GiB
_CHUNK_PAGES = 2048
_LOOKS, _BETWEEN_S = 20, 0.05
_RELATION_FILE = re.compile(r"(?P<node>\d+)(?P<fork>_[a-z]+)?(\.(?P<segment>\d+))?$")
_WORDS, _LANES, _PRIME = PAGE_BYTES // 4, 32, np.uint32(16_777_619)
_BASES = np.array(  # checksumBaseOffsets of PostgreSQL's storage/checksum_impl.h
    [
        0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2,
        0x83E13D2C, 0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C,
        0xF718902A, 0x0B1C9CDB, 0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979,
        0xCCA6C0B2, 0x304A0979, 0x85AA43D4, 0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E,
        0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
    ],
    dtype=np.uint32,
)  # fmt: skip
Pages = npt.NDArray[np.uint32]  # one row a page


@dataclass(frozen=True, slots=True)
class DamagedPage:
    """A page that is not what was written."""

    database_oid: int  # 0: shared by all databases
    filenode: int
    fork: str  # "" the relation itself, else "_fsm", "_vm" ...
    block: int


def damaged_pages(pgdata: Path) -> tuple[tuple[DamagedPage, ...], int]:
    """What is damaged among all pages of all relations, and how many pages there were."""
    damaged: list[DamagedPage] = []
    count = 0
    for file in _relation_files(pgdata):
        suspects, pages = _suspects(file)
        count += pages
        damaged += [_page(pgdata, file, block) for block in suspects if _stays_damaged(file, block)]
    return tuple(damaged), count


def wrong_blocks(content: bytes, first_block: int) -> tuple[tuple[int, int], ...]:
    """(block, LSN as it stands there) of the pages that are not what their checksum says."""
    pages = _as_pages(content)
    wrong = np.flatnonzero(~_are_sound(pages, first_block))
    return tuple((first_block + int(n), (int(pages[n, 0]) << 32) | int(pages[n, 1])) for n in wrong)


def is_relation_file(file: Path) -> bool:
    """Temporary relations (t3_16432) belong to one session, and are nobody's data."""
    return _RELATION_FILE.match(file.name) is not None


def _relation_files(pgdata: Path) -> Iterator[Path]:
    for folder in (pgdata / "global", *sorted((pgdata / "base").glob("[0-9]*"))):
        yield from (f for f in sorted(folder.iterdir()) if is_relation_file(f))


def _suspects(file: Path) -> tuple[list[int], int]:
    """Blocks within one file that look damaged at first sight, and how many it has."""
    suspects: list[int] = []
    begin, count = first_block_of(file), 0
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK_PAGES * PAGE_BYTES):
                pages = _as_pages(chunk)
                wrong = np.flatnonzero(~_are_sound(pages, begin + count))
                suspects += [count + int(block) for block in wrong]
                count += len(pages)
    except FileNotFoundError:  # dropped while we looked
        return [], 0
    return suspects, count


def _stays_damaged(file: Path, block: int) -> bool:
    """Read again until it is well, or does not change any more."""
    before = b""
    for _ in range(_LOOKS):
        time.sleep(_BETWEEN_S)
        try:
            with file.open("rb") as stream:
                stream.seek(block * PAGE_BYTES)
                now = stream.read(PAGE_BYTES)
        except FileNotFoundError:
            return False
        if len(now) < PAGE_BYTES or _are_sound(_as_pages(now), first_block_of(file) + block)[0]:
            return False
        if now == before:
            return True
        before = now
    return True


def _as_pages(chunk: bytes) -> Pages:
    """Whole pages only: the end of a file that grows is not written yet."""
    whole = len(chunk) // PAGE_BYTES
    return np.frombuffer(chunk, dtype="<u4", count=whole * _WORDS).reshape(whole, _WORDS)


def _are_sound(pages: Pages, first_block: int) -> npt.NDArray[np.bool_]:
    """All zeros (a new page), or with the checksum that its content and place ask for."""
    stored = pages[:, 2] & np.uint32(0xFFFF)
    content = pages.copy()
    content[:, 2] &= np.uint32(0xFFFF0000)
    blocks = np.arange(first_block, first_block + len(pages), dtype=np.uint32)
    wanted = (_sums(content) ^ blocks) % np.uint32(65_535) + np.uint32(1)
    sound: npt.NDArray[np.bool_] = (stored == wanted) | ~pages.any(axis=1)
    return sound


def _sums(pages: Pages) -> npt.NDArray[np.uint32]:
    """pg_checksum_block: 32 FNV-1a sums side by side, mixed, and folded into one."""
    sums = np.broadcast_to(_BASES, (len(pages), _LANES)).copy()
    rows = pages.reshape(len(pages), _WORDS // _LANES, _LANES)
    for row in (*rows.swapaxes(0, 1), np.uint32(0), np.uint32(0)):
        mixed = sums ^ row
        sums = (mixed * _PRIME) ^ (mixed >> np.uint32(17))
    folded: npt.NDArray[np.uint32] = np.bitwise_xor.reduce(sums, axis=1)
    return folded


def first_block_of(file: Path) -> int:
    """Of a relation's file: each but the first is a later piece of 1 GiB."""
    found = _RELATION_FILE.match(file.name)
    return int((found and found["segment"]) or 0) * SEGMENT_PAGES


def _page(pgdata: Path, file: Path, block: int) -> DamagedPage:
    found = _RELATION_FILE.match(file.name)
    assert found
    database = 0 if file.parent == pgdata / "global" else int(file.parent.name)
    return DamagedPage(
        database, int(found["node"]), found["fork"] or "", first_block_of(file) + block
    )
