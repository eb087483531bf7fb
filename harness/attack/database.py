"""The application's database role: log in anew, and keep a session open."""

from __future__ import annotations

import re

import psycopg
from psycopg import conninfo

from harness.attack.leaked import Leaked
from harness.attack.told import Denied, Down
from harness.attack.ways import TwoWays

_TIMEOUT_MS = 2000
# libpq tells no SQLSTATE of a login that failed, only the server's own (English) words
_REFUSALS = (
    (r"FATAL:  password authentication failed", "28P01"),
    (r'FATAL:  role ".*" (does not exist|is not permitted to log in)', "28000"),
    (r"FATAL:  no pg_hba.conf entry", "28000"),
)
_Session = psycopg.Connection[tuple[object, ...]]


def database_role(leaked: Leaked, marker: str) -> TwoWays[_Session]:
    """As whoever takes writes sees it; `application_name` carries the marker."""
    where = conninfo.make_conninfo(
        leaked.where,
        user=leaked.who,
        application_name=marker,
        connect_timeout=_TIMEOUT_MS // 1000,
        tcp_user_timeout=_TIMEOUT_MS,
        options=f"-c statement_timeout={_TIMEOUT_MS}",
    )

    def connect() -> _Session:
        try:
            return psycopg.connect(where, password=leaked.secret, autocommit=True)
        except psycopg.Error as error:
            raise told_of(str(error)) from None

    return TwoWays(connect, _ask)


def told_of(message: str) -> Denied | Down:
    """What a failed login means, by the words of all the servers that were asked.

    >>> told_of('host 1: Connection refused; FATAL:  password authentication failed for user "x"')
    Denied('28P01')
    >>> told_of("FATAL:  the database system is starting up")
    Down('no login')
    """
    for words, state in _REFUSALS:
        if re.search(words, message):
            return Denied(state)
    return Down("no login")


def _ask(session: _Session, _number: int) -> None:
    try:
        session.execute("SELECT 1").fetchone()
    except psycopg.Error as error:  # a session that was ended says 57P01
        raise Down(error.sqlstate or type(error).__name__) from None
