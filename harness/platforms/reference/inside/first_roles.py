"""Run by Patroni when it has made a new cluster: the roles and the database of the shop.

    python3 -m harness.platforms.reference.inside.first_roles CONNECTION

The connection string holds no password: Patroni names the file that does in the environment. The
passwords of the new roles are read from the folder of secrets.
"""

from __future__ import annotations

import sys

import psycopg

from harness.errors import PlatformError
from harness.platforms.embedded import postgres
from harness.platforms.reference.inside.settings import Settings


def main(connection_string: str) -> int:
    """0 when they are there. Patroni throws a cluster away that ends with another code."""
    try:
        known = Settings().secrets_of("shop", "readback")
        with psycopg.connect(connection_string, autocommit=True) as connection:
            postgres.application_roles(connection, known)
    except (psycopg.Error, PlatformError) as error:
        told = error.what if isinstance(error, PlatformError) else type(error).__name__
        print(f"the first roles cannot be made: {told}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
