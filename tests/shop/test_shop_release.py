"""A database that an older release left, as a restored backup is: brought up, then it serves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from shop import RELEASE
from tests.shop.stand import JSON, REPOSITORY, make_shop, send


def install(shop, release: str) -> subprocess.CompletedProcess:
    words = ["-m", "shop.install", str(shop._path), "--release", release]
    return subprocess.run(
        [sys.executable, *words], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


def release_of(server, database: str) -> str:
    with server.connect(database) as connection:
        row = connection.execute(
            "SELECT latest_version FROM ir_module_module WHERE name = 'shop'"
        ).fetchone()
    assert row is not None
    return row[0]


def keys_columns(server, database: str) -> set[str]:
    with server.connect(database) as connection:
        rows = connection.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'res_users_apikeys'"
        ).fetchall()
    return {row[0] for row in rows}


@pytest.fixture
def older(server, tmp_path):
    """A shop of the release before, and its database."""
    name = f"older{tmp_path.name[-4:]}".lower()
    server.create(name)
    shop = make_shop(tmp_path, server, name, release="before")
    yield shop, name
    shop.stop()


def by_key(shop):
    headers = {**JSON, "authorization": f"bearer {shop.config['api_key']}"}
    return send(f"{shop.url}/json/2/res.partner/search_count", "POST", headers, b'{"domain": []}')


def test_an_older_releases_database_lacks_what_the_newer_added_until_it_is_brought_up(
    server, older
):
    shop, name = older
    assert release_of(server, name) == str(RELEASE - 1)
    assert "expiration_date" not in keys_columns(server, name)
    shop.start()
    assert by_key(shop).status == 500
    assert install(shop, str(RELEASE)).returncode == 0
    assert release_of(server, name) == str(RELEASE)
    assert by_key(shop).status == 200
    assert shop.rpc("res.partner", "search_count", []) > 0


def test_a_key_ends_when_its_time_has_come(server, older):
    shop, name = older
    assert install(shop, str(RELEASE)).returncode == 0
    shop.start()
    with server.connect(name) as connection:
        connection.execute("UPDATE res_users_apikeys SET expiration_date = now() - interval '1s'")
    assert by_key(shop).status == 401


def test_a_newer_releases_database_is_refused(older):
    shop, _ = older
    assert install(shop, str(RELEASE)).returncode == 0
    refused = install(shop, "before")
    assert refused.returncode == 1
    assert f"of release {RELEASE}; release {RELEASE - 1} cannot serve it" in refused.stderr


@pytest.mark.parametrize("word", ["0", "x", str(RELEASE + 1)])
def test_a_release_that_there_is_not_is_refused(older, word):
    told = install(older[0], word)
    assert told.returncode == 1
    assert "no release" in told.stderr
