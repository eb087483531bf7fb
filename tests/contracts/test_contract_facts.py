"""Contract: a platform is what it says, and answers where it says."""

from __future__ import annotations

import http.client
import json
import urllib.parse

import psycopg
import pytest
import redis

from harness.platforms.capabilities import NAMES, Platform
from harness.platforms.embedded.s3_client import S3Client
from harness.platforms.having import having
from tests.contracts.stands import ATTRIBUTES, PLACES, lacks, needs

pytestmark = pytest.mark.timeout(900)


def test_it_names_known_capabilities_alone_and_each_is_there(kept: Platform) -> None:
    named = set(kept.facts().capabilities)
    assert named <= set(NAMES)
    for attribute, names in ATTRIBUTES.items():
        there = getattr(kept, attribute, None) is not None
        assert there == bool(names & named), f"{attribute}: {sorted(names & named)}"
    for name, place in PLACES.items():
        assert bool(place(kept)) == (name in named), name
    explained = set().union(*ATTRIBUTES.values(), PLACES)
    assert named <= explained, "a capability that this suite knows nothing of"


def test_what_it_lacks_is_listed(kept: Platform, record_property: pytest.FixtureRequest) -> None:
    """In the report of the tests; a scenario that asks for one is skipped with the reason."""
    lacking = lacks(kept)
    record_property("lacks", ", ".join(lacking))  # type: ignore[operator]
    print(f"{kept.facts().name} lacks: {', '.join(lacking) or 'nothing'}")
    assert len(lacking) + len(set(kept.facts().capabilities)) == len(NAMES)


def test_it_is_whole_and_says_so_without_a_secret(kept: Platform) -> None:
    assert kept.whole().missing == ()
    assert kept.whole().whole
    if kept.secrets is not None:
        told = f"{kept.facts()} {kept.endpoints()}"
        assert not [word for _, word in kept.secrets.known() if word in told]


def test_its_endpoints_answer(kept: Platform) -> None:
    known = kept.endpoints()
    for url in (known.application_url, *known.application_replicas):
        assert asked(url, "/web/health?db_server_status=1")[0] == 200, url
    with psycopg.connect(known.dsn, autocommit=True) as database:
        assert database.execute("SELECT count(*) FROM sale_order").fetchone() is not None
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("DELETE FROM sale_order")  # it reads, and no more
    needs(kept, "cache", "integrations")
    assert known.queue_password_file is not None
    password = known.queue_password_file.read_text().strip()
    queue = redis.Redis.from_url(known.queue_url, password=password, socket_timeout=5)
    assert queue.ping()
    queue.close()
    status, body = asked(known.partners_url, "/payment/calls?prefix=none")
    assert status == 200
    assert json.loads(body) is not None


def test_its_login_is_let_in_and_another_one_is_not(kept: Platform) -> None:
    known = kept.endpoints()
    right = known.password_file.read_text().strip()
    assert logged_in(kept, right)
    assert not logged_in(kept, right[::-1])


def test_its_store_answers_to_the_credentials_that_it_names(kept: Platform) -> None:
    needs(kept, "backups")
    known = kept.endpoints()
    assert known.s3_credentials_file is not None
    pairs = dict(
        line.split(" = ", 1)
        for line in known.s3_credentials_file.read_text().split("[admin]")[0].splitlines()
        if " = " in line
    )
    port = urllib.parse.urlsplit(known.s3_url).port
    assert port is not None
    right = S3Client(
        port, pairs["aws_access_key_id"], pairs["aws_secret_access_key"], known.s3_bucket
    )
    wrong = S3Client(port, pairs["aws_access_key_id"], "no such secret", known.s3_bucket)
    query = {"max-keys": "1"}
    assert right.call("GET", "", query=query).status == 200
    assert wrong.call("GET", "", query=query).status == 403


def test_an_acknowledged_write_waits_for_the_standby(kept: Platform) -> None:
    needs(kept, "database.standby")
    database = having(kept.database, "database")
    with psycopg.connect(database.superuser_dsn()) as connection:
        row = connection.execute("SHOW synchronous_standby_names").fetchone()
        states = connection.execute("SELECT sync_state FROM pg_stat_replication").fetchall()
    assert row
    assert row[0]
    assert states == [("sync",)]
    assert database.protected().missing == ()


def asked(url: str, path: str) -> tuple[int, bytes]:
    """One request, without a proxy of the environment."""
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def logged_in(platform: Platform, password: str) -> bool:
    known = platform.endpoints()
    where = urllib.parse.urlsplit(known.application_url)
    body = {"params": {"db": known.database, "login": known.login, "password": password}}
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/web/session/authenticate", json.dumps(body), headers)
        return "error" not in json.loads(connection.getresponse().read())
    finally:
        connection.close()
