"""The platform's own record of a reference stack, read by an exec where its logs are kept."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import PlatformError
from harness.platforms.embedded import credentials
from harness.platforms.embedded.audit import PlatformAudit
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference.audit import audit
from harness.platforms.reference.ports import Ports
from tests.reference.local_site import LocalSite

MARKER = "pd-reference-attacker"
PORTS = Ports(1, 2, 3, 4, 5, 6, 7, 8, 9)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "platform")
    made.make()
    credentials.generate(made)
    return made


@pytest.fixture
def site(tmp_path: Path) -> LocalSite:
    """A keeper that has the replicas' logs, and two members that have their own."""
    (tmp_path / "filestore" / "audit").mkdir(parents=True)
    for member in ("database-0", "database-1"):
        (tmp_path / member / "log").mkdir(parents=True)
        (tmp_path / member / "log" / "database.log").touch()
    return KeeperAlone(tmp_path)


class KeeperAlone(LocalSite):
    """Members do not have the filestore mounted."""

    def run(self, part, words, *, stdin=b"", within_s=60.0):  # type: ignore[no-untyped-def]
        hidden = self.folder / "hidden"
        if part == "keeper":
            return super().run(part, words, stdin=stdin, within_s=within_s)
        store = self.folder / "filestore"
        store.rename(hidden)
        try:
            return super().run(part, words, stdin=stdin, within_s=within_s)
        finally:
            hidden.rename(store)


@pytest.fixture
def asked(layout: Layout, site: LocalSite) -> PlatformAudit:
    return audit(layout, PORTS, site)


def log_of(site: LocalSite, member: str) -> Path:
    return site.folder / member / "log" / "database.log"


def authorized(seconds: float, name: str = MARKER) -> str:
    at = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return (
        f"{at} UTC [77] LOG:  connection authorized: user=shop database=shop "
        f"application_name={name}\n"
    )


def test_the_databases_logs_are_read_where_they_are(site: LocalSite, asked: PlatformAudit) -> None:
    wall, monotonic = time.time(), time.monotonic_ns()
    assert asked.last_use("database-role", MARKER) is None
    log_of(site, "database-0").write_text("INFO: patroni\n" + authorized(wall - 9))
    log_of(site, "database-1").write_text(authorized(wall - 4) + authorized(wall - 1, "another"))
    told = asked.last_use("database-role", MARKER)
    assert told is not None
    assert told.source == "postgresql log"
    assert abs(told.at_ns - (monotonic - 4 * 10**9)) <= told.uncertainty_ns
    assert MARKER not in str(site.asked)  # it goes by stdin, as everything that is asked does


def test_a_replicas_entry_is_told_by_the_clock_that_machines_share(
    site: LocalSite, asked: PlatformAudit
) -> None:
    """Its monotonic clock may be another machine's."""
    at = datetime.fromtimestamp(time.time() - 7, UTC)
    entry = {
        "at_ns": 5, "at_utc": at.isoformat(timespec="microseconds"), "credential": "api-key",
        "agent": MARKER, "accepted": True,
    }  # fmt: skip
    file = site.folder / "filestore" / "audit" / "audit-application-7.jsonl"
    file.write_text(json.dumps(entry) + "\n" + json.dumps({**entry, "accepted": False}) + "\n")
    told = asked.last_use("api-key", MARKER)
    assert told is not None
    assert abs(told.at_ns - (time.monotonic_ns() - 7 * 10**9)) < 2 * 10**9
    assert told.source == "application audit log"
    assert asked.last_use("application-password", MARKER) is None


def test_sessions_that_a_rotation_ended_are_put_down_here(
    layout: Layout, asked: PlatformAudit
) -> None:
    now_ns = time.monotonic_ns()
    line = json.dumps({"at_ns": now_ns, "utc": "", "who": "shop", "agent": MARKER})
    (layout.logs / "audit-sessions.jsonl").write_text(line + "\n")
    told = asked.last_use("database-role", MARKER)
    assert told is not None
    assert (told.at_ns, told.source) == (now_ns, "sessions ended by the rotation")


def test_silence_is_not_absence(site: LocalSite, asked: PlatformAudit) -> None:
    log_of(site, "database-0").write_text(authorized(time.time()))
    site.dead.add("database-1")
    with pytest.raises(PlatformError, match="database-1 does not run"):
        asked.last_use("database-role", MARKER)
    with pytest.raises(PlatformError, match="database-1 does not run"):
        asked.entries()


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"lines": [1], "heads": [1]}'])
def test_an_answer_that_is_none_is_refused(layout: Layout, tmp_path: Path, answer: bytes) -> None:
    asked = audit(layout, PORTS, LocalSite(tmp_path, answer=lambda *_: answer))
    with pytest.raises(PlatformError, match="cannot be understood"):
        asked.last_use("database-role", MARKER)
    with pytest.raises(PlatformError, match="cannot be understood"):
        asked.heads()


def test_what_a_log_began_with_it_begins_with_for_ever(
    site: LocalSite, asked: PlatformAudit
) -> None:
    replicas = site.folder / "filestore" / "audit" / "audit-application-0.jsonl"
    replicas.write_text("{}\n" * 4 + "{torn")
    log_of(site, "database-0").write_text("one\ntwo\n")
    heads = asked.heads()
    assert {log: lines for log, (lines, _) in heads.items()} == {
        "audit/audit-application-0.jsonl": 4,
        "database-0/database.log": 2,
        "database-1/database.log": 0,
    }
    assert asked.entries() == 6
    with replicas.open("a") as file:
        file.write("} and more\n{}\n")
    known = {log: lines for log, (lines, _) in heads.items()}
    assert asked.heads(known) == heads
    log_of(site, "database-0").write_text("one\nanother\n")
    assert asked.heads(known) != heads
    replicas.unlink()
    assert asked.entries() == 2
