"""The embedded platform, started once for the session: whole, private, and as its status says."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import psycopg
import pytest

from harness.platforms import find
from harness.platforms.capabilities import NAMES, Platform
from harness.platforms.embedded import EmbeddedPlatform, backup_store, s3
from harness.platforms.embedded.credentials import load
from harness.platforms.embedded.layout import ALL_NODES, Layout
from harness.platforms.embedded.parts import node_of
from tests.conftest import missing_in_the_end

pytestmark = pytest.mark.platform


def pids(platform: EmbeddedPlatform) -> list[int]:
    layout = Layout(platform.directory)
    return [pid for name in ALL_NODES for pid in node_of(layout, name).all_pids()]


def secrets(platform: EmbeddedPlatform) -> list[str]:
    """Of now and of before; the names that go with them are none."""
    return [word for _, word in platform.secrets.known()]


def test_it_is_whole_and_says_what_it_is(platform: EmbeddedPlatform) -> None:
    seen: Platform = platform
    assert missing_in_the_end(seen) == ()
    assert seen.facts().heading == "stand-in application"
    assert set(seen.facts().capabilities) <= set(NAMES)
    assert dict(seen.facts().loops_s) == {
        "patroni loop_wait": 2.0,
        "traefik health interval": 1.0,
    }
    assert "missing" not in dict(seen.facts().versions).values()


def test_it_is_found_again(platform: EmbeddedPlatform) -> None:
    found = find.running()
    assert found is not None
    assert found.directory == platform.directory
    assert find.platform_at(platform.directory).endpoints() == platform.endpoints()


def test_its_status_is_json_without_a_secret(platform: EmbeddedPlatform) -> None:
    told = platform.status()
    text = json.dumps(told)
    assert told["whole"] is True
    assert [word for word in secrets(platform) if word in text] == []
    assert told["leader"] in ("a", "b")


def test_the_parts_run_under_their_names(platform: EmbeddedPlatform) -> None:
    assert set(platform.nodes.process_ids("a")) == {"pg1", "app1"}
    assert set(platform.nodes.process_ids("b")) == {"pg2", "app2"}


def test_no_secret_is_in_an_argument_list_an_environment_or_a_log(
    platform: EmbeddedPlatform,
) -> None:
    words = [word.encode() for word in secrets(platform)]
    for pid in pids(platform):
        for place in ("cmdline", "environ"):
            content = Path(f"/proc/{pid}/{place}").read_bytes()
            assert not [w for w in words if w in content], f"{place} of {pid}"
    for log in Path(platform.directory, "logs").iterdir():
        content = log.read_bytes()
        assert not [w for w in words if w in content], log.name


def test_files_with_a_secret_are_for_their_owner_alone(platform: EmbeddedPlatform) -> None:
    words = [word.encode() for word in secrets(platform)]
    private = []
    for path in platform.directory.rglob("*"):
        if not path.is_file() or "pgdata" in path.parts or path.stat().st_size > 1 << 20:
            continue
        if any(word in path.read_bytes() for word in words):
            private.append(path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert len(private) >= 8
    assert stat.S_IMODE(platform.directory.stat().st_mode) == 0o700


def test_nothing_listens_outside_loopback_nor_in_tmp(platform: EmbeddedPlatform) -> None:
    ours = set()
    for pid in pids(platform):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = str(entry.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                ours.add(target[8:-1])
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in ours:
                listening.append(fields[1].split(":")[0])
    assert len(listening) > 15
    assert set(listening) == {"0100007F"}
    assert not [p for p in Path("/tmp").glob("seaweedfs-*") if p.is_socket() and _of(p, platform)]


def _of(path: Path, platform: EmbeddedPlatform) -> bool:
    ports = platform.status()["ports"]
    assert isinstance(ports, dict)
    return any(str(port) in path.name for port in ports.values())


def test_a_backup_cannot_be_deleted_by_anybody(platform: EmbeddedPlatform) -> None:
    layout = Layout(platform.directory)
    ports = platform.status()["ports"]
    assert isinstance(ports, dict)
    told = platform.status()["s3"]
    assert isinstance(told, dict)
    key = backup_store.key_of(str(told["base_backup"]), "base.tar.gz")
    admin = s3.admin(ports, load(layout))
    headers = admin.head(key)
    assert headers is not None
    version = headers["x-amz-version-id"]
    bypass = {"x-amz-bypass-governance-retention": "true"}
    refused = admin.call("DELETE", key, query={"versionId": version}, headers=bypass)
    assert refused.status == 403
    assert admin.head(key) is not None


def test_a_finished_segment_reaches_s3(platform: EmbeddedPlatform) -> None:
    from harness.platforms.embedded import archive
    from harness.platforms.embedded.waiting import await_ready

    told = platform.status()["database"]
    assert isinstance(told, dict)
    with psycopg.connect(told["superuser_dsn"], autocommit=True) as connection:
        connection.execute("SELECT pg_logical_emit_message(false, 'peakdrill', 'mark')")
        row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
    assert row is not None
    ports = platform.status()["ports"]
    assert isinstance(ports, dict)
    store = s3.archivist(ports, load(Layout(platform.directory)))
    assert await_ready("the segment", lambda: store.head(archive.key_of(row[0])), within_s=60)
    await_ready("the archive", lambda: platform.database.protected().whole, within_s=60)
