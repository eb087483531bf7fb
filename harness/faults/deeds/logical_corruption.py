"""A bad release has rewritten prices and deleted order lines; undone from their originals.

A recovery usually comes first: after a restore to before the release there is nothing to put back.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from harness.faults import bad_release
from harness.faults.deeds import Deed
from harness.platforms.capabilities import Platform
from harness.platforms.having import having
from harness.recovery.last_good import damaged_orders

NAME = "logical-corruption"


def application_dsn(platform: Platform) -> str:
    return having(platform.database, "database").application_dsn()


def is_damaged(platform: Platform) -> bool:
    """Asked of the orders themselves: whoever hurt them, and whenever."""
    with psycopg.connect(platform.endpoints().dsn, autocommit=True) as database:
        return damaged_orders(database) > 0


def _seen(platform: Platform, _parameters: Mapping[str, str]) -> bool:
    return is_damaged(platform)


DEED = Deed(
    name=NAME,
    describe=lambda _entry: "prices and order lines put back from their originals",
    holds=lambda platform, _entry: is_damaged(platform),
    begin=lambda platform, _entry: bad_release.undo(application_dsn(platform)),
    is_undone=lambda platform, _entry: bad_release.is_undone(application_dsn(platform)),
    seen=_seen,
    held=False,
)
