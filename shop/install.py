"""Make the shop's tables, functions and first records; harmless when they are there.

    python -m shop.install CONFIG.json [--release N|before]

A database that an older release left is brought up to this one; a newer one is refused.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import psycopg

from shop import RELEASE
from shop.config import Config, ConfigError, load_config
from shop.database.migrations import ReleaseError, migrate, release_of, wanted_release
from shop.database.schema import schema_sql
from shop.renew import remove_other_keys, set_key, set_password

# Two replicas may install at once; the second waits and then finds everything there.
INSTALL_LOCK = 7_306_001


def install(config: Config, release: int = RELEASE) -> None:
    """Everything in one transaction: there is a whole shop, or none."""
    options = "-c client_min_messages=warning -c synchronous_commit=local"
    with psycopg.connect(config.dsn, options=options) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (INSTALL_LOCK,))
        there = release_of(connection)
        connection.execute(schema_sql().encode())
        migrate(connection, there, release)
        connection.execute("SELECT shop_seed()")
        _users(connection, config)
    config.filestore.mkdir(parents=True, exist_ok=True)


def _users(connection: psycopg.Connection[tuple[object, ...]], config: Config) -> None:
    connection.execute(
        "INSERT INTO res_users (id, login, partner_id, groups)"
        " VALUES (1, '__system__', 2, 'system'), (2, %s, 3, 'system')"
        " ON CONFLICT (id) DO UPDATE SET login = excluded.login",
        (config.admin_login,),
    )
    set_password(connection, config)
    set_key(connection, config)
    remove_other_keys(connection, config)  # a restored database may hold one that was taken away
    connection.execute("SELECT setval('res_users_id_seq', (SELECT max(id) FROM res_users))")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="shop.install", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--release", default=str(RELEASE), help="an older one, or `before`")
    options = parser.parse_args(arguments)
    try:
        install(load_config(options.config), wanted_release(options.release))
    except (ConfigError, ReleaseError, psycopg.Error, OSError) as error:
        print(f"shop.install: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
