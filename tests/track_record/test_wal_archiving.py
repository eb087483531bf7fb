"""An interpreter a segment: how far a WAL archive falls behind one that a resident process fills.

A ratio of two measurements that alternate in one run, on the same bytes and the same S3; no
absolute time says anything on a machine that is not known.
"""

from __future__ import annotations

import shlex
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.platforms.embedded import EmbeddedPlatform, archive, backup_key, postgres
from harness.platforms.embedded.archive import Uploader
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.layout import Layout, load_state
from harness.platforms.embedded.line_server import LineServer
from tests.track_record.barman import Barman

pytestmark = [pytest.mark.track_record, pytest.mark.platform, pytest.mark.timeout(300)]
SEGMENTS, AT_LEAST = 7, 2.0
TOKEN = "a-token-of-this-test"


def test_an_interpreter_a_segment_lags_behind_a_resident_uploader(
    platform: EmbeddedPlatform, barman: Barman, tmp_path: Path
) -> None:
    content = _a_segment(platform)
    names = [f"0000000100000000000000{number:02X}" for number in range(1, SEGMENTS + 1)]
    by_barman, by_resident = [], []
    with _resident(platform, barman, tmp_path) as command:
        for name in names:
            path = tmp_path / name
            path.write_bytes(content)
            by_barman.append(_took(lambda path=path: _by_barman(barman, path)))
            by_resident.append(_took(lambda name=name: _run([*command, "a", name])))
    assert all(barman.store.head(archive.key_of(name)) for name in names)
    one, other = statistics.median(by_barman), statistics.median(by_resident)
    print(
        f"a segment: barman-cloud-wal-archive {one:.2f} s, resident {other:.2f} s: {one / other:.1f}x"
    )
    assert one / other > AT_LEAST


def _a_segment(platform: EmbeddedPlatform) -> bytes:
    """Real WAL, finished."""
    layout = Layout(platform.directory)
    node = platform.database.leader()
    assert node is not None
    with postgres.connected(load_state(layout).ports[f"pg_{node}"], files_of(layout)) as database:
        database.execute("SELECT pg_logical_emit_message(false, 'peakdrill', 'mark')")
        row = database.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
    assert row is not None
    return (layout.pgdata(node) / "pg_wal" / str(row[0])).read_bytes()


@contextmanager
def _resident(platform: EmbeddedPlatform, barman: Barman, folder: Path) -> Iterator[list[str]]:
    """The uploader as the platform has it, for a folder of ours; how it is asked."""
    token = folder / "token"
    token.write_text(TOKEN)
    uploader = Uploader(
        store=barman.store,
        key=backup_key.load(Layout(platform.directory)).key,
        token=TOKEN,
        folders={"a": folder},
        wrong_key=folder / "wrong-key",
    )
    with LineServer(0, uploader.answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield shlex.split(archive.asking(server.server_address[1], token))
        finally:
            server.shutdown()


def _by_barman(barman: Barman, segment: Path) -> None:
    done = barman.run("wal-archive", *barman.target, str(segment))
    assert done.returncode == 0, done.stderr


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def _took(deed: object) -> float:
    begun = time.monotonic()
    deed()  # type: ignore[operator]
    return time.monotonic() - begun
