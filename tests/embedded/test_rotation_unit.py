"""What a rotation leaves on disk, and what the audit reads there; no platform runs."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import NotReady, PlatformError
from harness.platforms.embedded import credentials, rotation
from harness.platforms.embedded.audit import embedded as audit_of
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.former import Former
from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.embedded.rotation import RotatedSecrets, Way

MARKER = "pd-unit-attacker"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "platform")
    made.make()
    credentials.generate(made)
    return made


@pytest.fixture
def secrets(layout: Layout) -> RotatedSecrets:
    return rotation.embedded(layout, {}, Options())


class Component:
    """Takes a new password in two steps, and can be made to die before either of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.password, self.deaths, self.seen = "", [], []
        monkeypatch.setitem(rotation.WAYS, "queue", Way(("valkey",), self.renew))

    def renew(self, work) -> None:
        self.seen.append((work.old("valkey"), work.secrets.valkey))
        self._die("before")
        self.password = work.secrets.valkey
        self._die("between")
        work.write_files()
        self._die("after")

    def _die(self, where: str) -> None:
        if where in self.deaths:
            self.deaths.remove(where)
            raise NotReady(where)


@pytest.mark.parametrize("death", ["before", "between", "after"])
def test_the_next_rotation_finishes_with_what_was_written_down_and_then_makes_another(
    layout: Layout, secrets: RotatedSecrets, monkeypatch: pytest.MonkeyPatch, death: str
) -> None:
    component, first = Component(monkeypatch), credentials.load(layout).valkey
    component.deaths = [death]
    with pytest.raises(NotReady):
        secrets.rotate("queue")
    intended = component.seen[0][1]
    assert {first, intended} <= {word for _, word in secrets.known()}
    rotation.embedded(layout, {}, Options()).rotate("queue")
    now = credentials.load(layout).valkey
    assert component.seen == [(first, intended), (first, intended), (intended, now)]
    assert component.password == now
    assert now not in {first, intended}
    assert files_of(layout).valkey_password.read_text() == now


def test_an_unfinished_rotation_of_another_class_is_finished_first(
    layout: Layout, secrets: RotatedSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    component = Component(monkeypatch)
    monkeypatch.setitem(
        rotation.WAYS, "api-key", Way(("api_key",), lambda work: work.write_files())
    )
    component.deaths = ["between"]
    with pytest.raises(NotReady):
        secrets.rotate("queue")
    before = credentials.load(layout).api_key
    secrets.rotate("api-key")
    now = credentials.load(layout)
    assert component.password == now.valkey
    assert now.api_key != before


def test_each_rotation_makes_another_secret_and_all_of_them_stay_known(
    layout: Layout, secrets: RotatedSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    Component(monkeypatch)
    every = [credentials.load(layout).valkey]
    for _ in range(3):
        secrets.rotate("queue")
        every.append(credentials.load(layout).valkey)
    assert len(set(every)) == 4
    assert {("queue", word) for word in every} <= set(secrets.known())
    assert Former(layout).read() == {"valkey": tuple(every[:3])}


def test_all_environments_secrets_are_known_and_names_that_go_with_one_are_not(
    layout: Layout, secrets: RotatedSecrets
) -> None:
    clean = Layout(layout.root, "clean-1")
    clean.make()
    theirs, ours = credentials.generate(clean), credentials.load(layout)
    words = {word for _, word in secrets.known()}
    assert {ours.shop, theirs.shop, ours.s3_archive_secret, theirs.replicator} <= words
    assert not {ours.s3_archive_key, theirs.s3_admin_key} & words


def test_what_a_rotation_writes_is_for_its_owner_alone_and_shows_nothing(
    layout: Layout, secrets: RotatedSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    component = Component(monkeypatch)
    component.deaths = ["between"]
    with pytest.raises(PlatformError) as told:
        secrets.rotate("queue")
    assert not [word for _, word in secrets.known() if word in str(told.value)]
    for name in ("former.json", "rotating.json", "secrets.json", "queue-password"):
        assert (layout.secrets / name).stat().st_mode & 0o777 == 0o600


# the audit


def at(seconds: float) -> str:
    """As PostgreSQL's log has it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def authorized(seconds: float, user: str = "shop", name: str = MARKER) -> str:
    return (
        f"{at(seconds)} UTC [77] LOG:  connection authorized: user={user} database=shop "
        f"application_name={name}\n"
    )


def test_the_latest_connection_of_the_role_by_the_marker_counts(layout: Layout) -> None:
    wall, monotonic = time.time(), time.monotonic_ns()
    layout.logs.joinpath("pg1.log").write_text(
        authorized(wall - 9) + "something else\n" + authorized(wall - 1, user="postgres")
    )
    layout.logs.joinpath("pg2.log").write_text(
        authorized(wall - 5) + authorized(wall - 2, name=MARKER + "2") + "a line of " + MARKER
    )
    told = audit_of(layout, {}).last_use("database-role", MARKER)
    assert told is not None
    assert told.source == "postgresql log"
    assert abs(told.at_ns - (monotonic - 5 * 10**9)) <= told.uncertainty_ns
    assert audit_of(layout, {}).last_use("database-role", "pd-nobody-attacker") is None


def test_a_session_that_was_ended_tells_its_last_statement(layout: Layout) -> None:
    layout.logs.joinpath("pg1.log").write_text(authorized(time.time() - 60))
    now_ns = time.monotonic_ns()
    entry = {"at_ns": now_ns, "utc": "", "who": "shop", "agent": MARKER}
    layout.logs.joinpath("audit-sessions.jsonl").write_text(json.dumps(entry) + "\n")
    told = audit_of(layout, {}).last_use("database-role", MARKER)
    assert told is not None
    assert (told.at_ns, told.source) == (now_ns, "sessions ended by the rotation")


@pytest.mark.parametrize(
    ("credential", "word"),
    [
        ("application-password", "password"),
        ("api-key", "api-key"),
        ("session-cookie", "session-cookie"),
    ],
)
def test_the_replicas_logs_tell_accepted_uses_of_one_class(
    layout: Layout, credential: str, word: str
) -> None:
    def entry(at_ns: int, **more: object) -> str:
        said = {"at_ns": at_ns, "credential": word, "agent": MARKER, "accepted": True}
        return json.dumps({**said, **more}) + "\n"

    layout.logs.joinpath("audit-app1.jsonl").write_text(
        entry(100) + entry(900, accepted=False) + entry(800, credential="other")
    )
    layout.logs.joinpath("audit-app2.jsonl").write_text(
        entry(300) + entry(700, agent="somebody " + MARKER) + entry(600)[:-9]
    )
    told = audit_of(layout, {}).last_use(credential, MARKER)
    assert told is not None
    assert (told.at_ns, told.source) == (300, "application audit log")


def test_no_entry_is_lost_by_entering_a_clean_room(layout: Layout) -> None:
    layout.logs.joinpath("pg1.log").write_text(authorized(1.0) * 3)
    layout.logs.joinpath("audit-app1.jsonl").write_text("{}\n" * 4)
    layout.logs.joinpath("app1.log").write_text("no audit\n")
    clean = Layout(layout.root, "clean-1")
    clean.make()
    before = audit_of(layout, {}).entries()
    clean.logs.joinpath("audit-app1.jsonl").write_text("{}\n" * 2)
    assert (before, audit_of(clean, {}).entries()) == (7, 9)


def test_a_copy_that_forensics_made_stands_in_for_no_log(layout: Layout) -> None:
    log = layout.logs / "audit-app1.jsonl"
    log.write_text("{}\n" * 4 + "{torn")
    audit = audit_of(layout, {})
    heads = audit.heads()
    assert heads["logs/audit-app1.jsonl"][0] == 4
    copied = layout.root / "forensics" / "logs"
    copied.mkdir(parents=True)
    copied.joinpath(log.name).write_text(log.read_text())
    log.write_text("{}\n" * 4 + "{torn} and ended\n")
    assert audit.heads({"logs/audit-app1.jsonl": 4}) == heads
    log.unlink()
    assert audit.entries() == 0


def test_a_class_that_is_not_audited_is_refused_by_name(layout: Layout) -> None:
    with pytest.raises(PlatformError, match="no class of credentials 'root'"):
        audit_of(layout, {}).last_use("root", MARKER)
