"""Put the secrets of a configuration in the place of those that may have leaked.

    python -m shop.renew CONFIG.json password|api-key|sessions

password   the administrator's, from the configuration
api-key    the configuration's; every other key of the administrator is removed
sessions   all web sessions end, and none that began before comes back

Harmless when it was done before. A replica remembers an accepted secret for two seconds, unless
its own configuration file is replaced: then it forgets at once.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from shop.config import Config, ConfigError, load_config
from shop.credentials import hash_secret, key_index, verify_secret
from shop.web.sessions import Sessions

if TYPE_CHECKING:
    Connection = psycopg.Connection[tuple[object, ...]]

ADMIN_UID = 2


def set_password(connection: Connection, config: Config) -> None:
    row = connection.execute(
        "SELECT password FROM res_users WHERE id = %s", (ADMIN_UID,)
    ).fetchone()
    stored = str(row[0] or "") if row else ""
    if not verify_secret(config.admin_password, stored):
        connection.execute(
            "UPDATE res_users SET password = %s WHERE id = %s",
            (hash_secret(config.admin_password), ADMIN_UID),
        )


def set_key(connection: Connection, config: Config) -> None:
    index = key_index(config.api_key)
    keys = connection.execute(
        "SELECT key FROM res_users_apikeys WHERE index = %s", (index,)
    ).fetchall()
    if not any(verify_secret(config.api_key, str(key)) for (key,) in keys):
        connection.execute(
            "INSERT INTO res_users_apikeys (name, user_id, index, key) VALUES (%s, %s, %s, %s)",
            ("installed", ADMIN_UID, index, hash_secret(config.api_key)),
        )


def remove_other_keys(connection: Connection, config: Config) -> None:
    rows = connection.execute(
        "SELECT id, key FROM res_users_apikeys WHERE user_id = %s", (ADMIN_UID,)
    ).fetchall()
    others = [number for number, key in rows if not verify_secret(config.api_key, str(key))]
    connection.execute("DELETE FROM res_users_apikeys WHERE id = ANY(%s)", (others,))


def renew(config: Config, what: str) -> None:
    """Done, and committed, when this returns."""
    if what == "sessions":
        Sessions(config.filestore).end_all()
        return
    with psycopg.connect(config.dsn) as connection:
        if what == "password":
            set_password(connection, config)
        else:
            set_key(connection, config)
            remove_other_keys(connection, config)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="shop.renew")
    parser.add_argument("config", type=Path)
    parser.add_argument("what", choices=("password", "api-key", "sessions"))
    options = parser.parse_args(arguments)
    try:
        renew(load_config(options.config), options.what)
    except (ConfigError, psycopg.Error, OSError) as error:
        print(f"shop.renew: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
