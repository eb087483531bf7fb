"""A season without its bulk: what the gate and readiness read of each run, as one small archive.

    python -m tests.season.keep runs/season        # or `make season-keep`, after `make season`

writes tests/season/kept.tar.xz: for each run the files of its directory itself (plan, head,
events, observation, seal, verdict, experiment) and its envelopes, without the ledger, the
read-backs, the load's logs and the reports. The same runs give the same bytes. A run that has no
verdict yet is left out by name.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.evidence import layout

ARCHIVE = Path(__file__).with_name("kept.tar.xz")
TOLD = "season.jsonl"  # what the conductor wrote down, a line for each drill
_REPORTS = set(layout.REPORTS)
_FILE_BYTES_MAX = 100_000
_ARCHIVE_BYTES_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """Names of run directories."""

    runs: tuple[str, ...]
    left_out: tuple[str, ...]


def keep(folder: Path, archive: Path = ARCHIVE) -> Kept:
    """Write the archive of all ended runs in `folder`."""
    found = sorted(file.parent for file in folder.glob(f"*/{layout.PLAN}"))
    ended = [run for run in found if (run / layout.VERDICT).exists()]
    if not ended:
        raise SystemExit(f"there is no ended run in {folder}")
    body = lzma.compress(_packed(folder, ended), preset=9 | lzma.PRESET_EXTREME)
    if len(body) > _ARCHIVE_BYTES_MAX:
        raise SystemExit(f"{len(body):,} bytes are too many for test data: what grew so?")
    archive.write_bytes(body)
    return Kept(
        runs=tuple(run.name for run in ended),
        left_out=tuple(run.name for run in found if run not in ended),
    )


def _packed(folder: Path, runs: list[Path]) -> bytes:
    """A tar that knows nothing of whoever made it, when or where."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, body in _members(folder, runs):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(body), 0o644
            tar.addfile(entry, io.BytesIO(body))
    return packed.getvalue()


def _members(folder: Path, runs: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Alike files stand together, which halves the archive."""
    told = folder / TOLD
    ended = {run.name for run in runs}
    if told.exists():
        lines = told.read_bytes().splitlines(keepends=True)
        # a drill may end between our look at the folder and the one at what was told
        yield TOLD, b"".join(line for line in lines if _run_of(line) in ended)
    if (folder / layout.CHAIN).exists():
        yield layout.CHAIN, (folder / layout.CHAIN).read_bytes()
    files = [(run, file) for run in runs for file in _kept_of(run)]
    for run, file in sorted(files, key=lambda f: (f[1].name, f[0].name)):
        body = file.read_bytes()
        if len(body) > _FILE_BYTES_MAX:
            raise SystemExit(f"{file} has {len(body):,} bytes: bulk is not kept")
        yield f"{run.name}/{file.relative_to(run)}", body


def _kept_of(run: Path) -> Iterator[Path]:
    for file in (*run.iterdir(), *(run / layout.SIGNED).glob("*")):
        if file.is_file() and file.name not in _REPORTS and not file.name.startswith("."):
            yield file


def _run_of(line: bytes) -> str:
    return str(json.loads(line)["run_id"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of run directories")
    parser.add_argument("--archive", type=Path, default=ARCHIVE)
    asked = parser.parse_args()
    kept = keep(asked.folder, asked.archive)
    size = asked.archive.stat().st_size
    print(f"{len(kept.runs)} runs kept in {asked.archive}, {size:,} bytes")
    for name in kept.left_out:
        print(f"left out, for want of a verdict: {name}")
