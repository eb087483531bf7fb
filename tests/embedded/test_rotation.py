"""Each class of credentials is rotated under a running platform: out with the old, in with the new.

What a thief would do is done by the attacker's own code: by a session that is kept, and anew.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from harness.attack import leaked
from harness.platforms.embedded import EmbeddedPlatform, archive, s3
from harness.platforms.embedded.credentials import load
from harness.platforms.embedded.former import Former
from harness.platforms.embedded.layout import ALL_NODES, Layout
from harness.platforms.embedded.parts import node_of
from harness.platforms.embedded.waiting import await_ready
from tests.contracts.thief import Thief

pytestmark = pytest.mark.platform

CLASSES = leaked.CLASSES
ROTATE = (
    "import sys; from pathlib import Path; from harness.platforms.embedded import attach\n"
    "secrets = attach(Path(sys.argv[1])).secrets\n"
    "print('begun', flush=True)\n"
    "secrets.rotate(sys.argv[2])\n"
)


@pytest.fixture
def thief(platform, tmp_path):
    came = []

    def make(credential: str) -> Thief:
        came.append(Thief(platform, tmp_path, credential))
        return came[-1]

    yield make
    for one in came:
        one.leave()


def test_segments_are_archived_by_the_new_key(platform: EmbeddedPlatform) -> None:
    platform.secrets.rotate("backup-writer")
    ports, layout = platform.status()["ports"], Layout(platform.directory)
    assert isinstance(ports, dict)
    with psycopg.connect(platform.database.superuser_dsn(), autocommit=True) as connection:
        connection.execute("SELECT pg_logical_emit_message(false, 'peakdrill', 'mark')")
        row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
    assert row is not None
    store = s3.archivist(ports, load(layout))
    assert await_ready("the segment", lambda: store.head(archive.key_of(row[0])), within_s=60)


def test_no_secret_shows_while_it_is_renewed_nor_afterwards(platform: EmbeddedPlatform) -> None:
    over, shown = threading.Event(), []

    def watch() -> None:
        """Command lines and environments of everything, again and again."""
        while not over.is_set():
            words = [word.encode() for _, word in platform.secrets.known()]
            shown.extend(name for name, text in process_texts() if any(w in text for w in words))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        for credential in ("application-password", "api-key", "database-role", "queue"):
            platform.secrets.rotate(credential)
    finally:
        over.set()
        watching.join()
    assert shown == []
    words = [word.encode() for _, word in platform.secrets.known()]
    for log in Path(platform.directory, "logs").iterdir():
        content = log.read_bytes()
        assert not [word for word in words if word in content], log.name


def process_texts():
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                text = place.joinpath("cmdline").read_bytes()
                yield text, text + place.joinpath("environ").read_bytes()
            except OSError:
                continue


def test_files_of_secrets_are_all_there_and_for_their_owner_alone(
    platform: EmbeddedPlatform,
) -> None:
    platform.secrets.rotate("queue")
    for file in Layout(platform.directory).secrets.iterdir():
        if file.is_file():
            assert file.stat().st_mode & 0o777 == 0o600, file
    at = platform.endpoints()
    assert at.queue_password_file is not None
    assert at.queue_password_file.read_text() == load(Layout(platform.directory)).valkey
    assert not Former(Layout(platform.directory)).intention.exists()


def test_a_rotation_that_is_killed_at_any_instant_is_taken_up(
    platform: EmbeddedPlatform, thief
) -> None:
    chance = random.Random(20)
    for credential in (*CLASSES, *chance.sample(CLASSES, 2)):
        before = thief(credential)
        assert before.gets_in()
        child = subprocess.Popen(
            [sys.executable, "-c", ROTATE, str(platform.directory), credential],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert child.stdout is not None
        with child.stdout:
            assert child.stdout.readline() == "begun\n"
            time.sleep(chance.uniform(0.0, 0.6))
            child.kill()
            child.wait()
        platform.secrets.rotate(credential)
        assert before.is_shut_out(), credential
        assert thief(credential).gets_in(), credential
        assert not Former(Layout(platform.directory)).intention.exists()
    for credential in CLASSES:
        assert thief(credential).gets_in(), credential
    await_ready("the platform to be whole", lambda: platform.whole().whole, within_s=60)


def test_two_who_rotate_at_once_come_out_with_one_secret(platform: EmbeddedPlatform, thief) -> None:
    before = thief("api-key")
    both = [threading.Thread(target=platform.secrets.rotate, args=["api-key"]) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert before.is_shut_out()
    assert thief("api-key").gets_in()


def test_nothing_of_the_platform_was_restarted(platform: EmbeddedPlatform) -> None:
    layout = Layout(platform.directory)
    pids = {name: node_of(layout, name).part_pids() for name in ALL_NODES}
    for credential in CLASSES:
        platform.secrets.rotate(credential)
    assert {name: node_of(layout, name).part_pids() for name in ALL_NODES} == pids
