"""Contract: each class of credentials is rotated in service: the old one refused, sessions ended.

And the platform's own record tells when the old one was in use for the last time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from harness.attack import leaked
from harness.errors import PlatformError
from harness.platforms.capabilities import AuditedUse, Platform
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.having import having
from tests.contracts.stands import needs
from tests.contracts.test_contract_facts import logged_in
from tests.contracts.thief import Thief

pytestmark = pytest.mark.timeout(900)
CLASSES = leaked.CLASSES
AUDITED_S = 60.0

Thieves = Callable[[str], Thief]


@pytest.fixture
def thief(kept: Platform, tmp_path: Path) -> Iterator[Thieves]:
    needs(kept, "secrets")
    came: list[Thief] = []

    def make(credential: str) -> Thief:
        came.append(Thief(kept, tmp_path, credential))
        return came[-1]

    yield make
    for one in came:
        one.leave()


def test_the_classes_are_those_that_an_attacker_knows(kept: Platform) -> None:
    needs(kept, "secrets")
    secrets = having(kept.secrets, "secrets")
    assert set(secrets.classes()) == set(CLASSES)
    with pytest.raises(PlatformError, match="no class of credentials 'root'"):
        secrets.rotate("root")


@pytest.mark.parametrize("credential", CLASSES)
def test_the_old_one_is_refused_kept_sessions_end_and_the_new_one_is_accepted(
    kept: Platform, thief: Thieves, credential: str
) -> None:
    secrets = having(kept.secrets, "secrets")
    before = thief(credential)
    assert before.gets_in()
    assert before.gets_in()
    secrets.rotate(credential)
    assert before.is_shut_out()
    after = thief(credential)
    assert after.held.secret != before.held.secret
    assert after.gets_in()
    known = [word for _, word in secrets.known()]
    assert {before.held.secret, after.held.secret} <= set(known)
    # whoever is pointed to a file is let in by what it says now
    assert logged_in(kept, kept.endpoints().password_file.read_text().strip())
    with psycopg.connect(having(kept.database, "database").application_dsn()) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("credential", CLASSES)
def test_the_audit_tells_the_last_accepted_use(
    kept: Platform, thief: Thieves, credential: str
) -> None:
    needs(kept, "audit")
    audit = having(kept.audit, "audit")
    stranger = thief(credential)
    assert audit.last_use(credential, stranger.marker) is None
    entries, heads = audit.entries(), audit.heads()
    for _ in range(3):
        assert stranger.gets_in()
    having(kept.secrets, "secrets").rotate(credential)
    assert stranger.is_shut_out()
    told = await_ready(
        "the use in the audit",
        lambda: agreeing(kept, credential, stranger),
        within_s=AUDITED_S,
        poll_s=0.5,
    )
    assert told.source
    assert audit.entries() >= entries
    assert audit.heads({log: lines for log, (lines, _) in heads.items()}) == heads


def agreeing(platform: Platform, credential: str, stranger: Thief) -> AuditedUse | None:
    """The audited use, once the log that it stands in was flushed."""
    told = having(platform.audit, "audit").last_use(credential, stranger.marker)
    begun_ns, done_ns = stranger.last
    if told is None or told.at_ns + told.uncertainty_ns < begun_ns:
        return None
    assert told.at_ns - told.uncertainty_ns <= done_ns
    return told
