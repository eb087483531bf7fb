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

from harness.attack import leaked, order
from harness.attack.__main__ import way_in
from harness.attack.told import Denied, Down
from harness.errors import PlatformError
from harness.platforms.embedded import EmbeddedPlatform, archive, s3
from harness.platforms.embedded.credentials import load
from harness.platforms.embedded.former import Former
from harness.platforms.embedded.layout import ALL_NODES, Layout
from harness.platforms.embedded.parts import node_of
from harness.platforms.embedded.waiting import await_ready

pytestmark = pytest.mark.platform

CLASSES = leaked.CLASSES
ROTATE = (
    "import sys; from pathlib import Path; from harness.platforms.embedded import attach\n"
    "secrets = attach(Path(sys.argv[1])).secrets\n"
    "print('begun', flush=True)\n"
    "secrets.rotate(sys.argv[2])\n"
)


class Thief:
    """Holds what was handed out of one class, and a session by it where it can keep one."""

    def __init__(self, platform: EmbeddedPlatform, folder: Path, credential: str) -> None:
        self.marker = f"pd-{credential}-{random.getrandbits(32):x}-attacker"
        file = folder / f"{self.marker}.json"
        platform.secrets.hand_out(credential, file)
        assert file.stat().st_mode & 0o777 == 0o600
        given = order.Order(
            self.marker, str(folder), "", platform.endpoints().version, {}, 60.0, 1000
        )
        self.held = leaked.load(file)
        self._way, self._tries = way_in(self.held, given), 0
        self.last: tuple[int, int] = (0, 0)

    def gets_in(self) -> bool:
        """Raises Down when nobody can be asked."""
        self._tries += 1
        begun_ns = time.monotonic_ns()
        try:
            self._way(self._tries)
        except Denied:
            return False
        self.last = (begun_ns, time.monotonic_ns())
        return True

    def is_shut_out(self) -> bool:
        """What is kept open breaks at first; the next try tells."""
        try:
            return not self.gets_in()
        except Down:
            return not self.gets_in()

    def leave(self) -> None:
        kept = getattr(self._way, "_kept", None)
        if kept is not None:
            kept.close()


@pytest.fixture
def thief(platform, tmp_path):
    came = []

    def make(credential: str) -> Thief:
        came.append(Thief(platform, tmp_path, credential))
        return came[-1]

    yield make
    for one in came:
        one.leave()


def test_the_classes_are_those_that_an_attacker_knows(platform: EmbeddedPlatform) -> None:
    assert set(platform.secrets.classes()) == set(CLASSES)
    with pytest.raises(PlatformError, match="no class of credentials 'root'"):
        platform.secrets.rotate("root")


@pytest.mark.parametrize("credential", CLASSES)
def test_the_old_one_is_refused_kept_sessions_end_and_the_new_one_is_accepted(
    platform: EmbeddedPlatform, thief, credential: str
) -> None:
    before = thief(credential)
    assert before.gets_in()
    assert before.gets_in()
    platform.secrets.rotate(credential)
    assert before.is_shut_out()
    after = thief(credential)
    assert after.held.secret != before.held.secret
    assert after.gets_in()
    known = [word for _, word in platform.secrets.known()]
    assert {before.held.secret, after.held.secret} <= set(known)
    await_ready("the platform to be whole", lambda: platform.whole().whole, within_s=60)


@pytest.mark.parametrize("credential", CLASSES)
def test_the_audit_tells_the_last_accepted_use(
    platform: EmbeddedPlatform, thief, credential: str
) -> None:
    stranger = thief(credential)
    assert platform.audit.last_use(credential, stranger.marker) is None
    entries = platform.audit.entries()
    for _ in range(3):
        assert stranger.gets_in()
    platform.secrets.rotate(credential)
    assert stranger.is_shut_out()
    told = await_ready(
        "the use in the audit",
        lambda: agreeing(platform, credential, stranger),
        within_s=30,
    )
    assert told.source
    assert platform.audit.entries() >= entries


def agreeing(platform: EmbeddedPlatform, credential: str, stranger: Thief):
    """The audited use, once the log that it stands in was flushed."""
    told = platform.audit.last_use(credential, stranger.marker)
    begun_ns, done_ns = stranger.last
    if told is None or told.at_ns + told.uncertainty_ns < begun_ns:
        return None
    assert told.at_ns - told.uncertainty_ns <= done_ns
    return told


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
