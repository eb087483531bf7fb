"""The queue's password: add an entry to a stream of the attacker's own, anew and by a kept session.

As much of the Valkey protocol as AUTH and XADD need.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from harness.attack.leaked import Leaked
from harness.attack.told import Denied, Down
from harness.attack.ways import TwoWays

_TIMEOUT_S = 2.0
_ENTRIES_KEPT = 1000
_REFUSALS = {"WRONGPASS", "NOAUTH", "NOPERM"}


class Talk:
    """One connection."""

    def __init__(self, address: tuple[str, int]) -> None:
        """Raises OSError."""
        self._socket = socket.create_connection(address, timeout=_TIMEOUT_S)
        self._heard = self._socket.makefile("rb")

    def command(self, *words: str) -> None:
        """Raises Denied, and Down."""
        sent = b"".join(b"$%d\r\n%b\r\n" % (len(raw), raw) for raw in map(str.encode, words))
        try:
            self._socket.sendall(b"*%d\r\n%b" % (len(words), sent))
            first = self._heard.readline()
            if first.startswith(b"$"):  # an entry's id follows
                first += self._heard.readline()
        except OSError as error:
            raise Down(type(error).__name__) from None
        judge(first)

    def close(self) -> None:
        self._heard.close()
        self._socket.close()


def queue(leaked: Leaked, marker: str) -> TwoWays[Talk]:
    """Entries of the stream `attack:<marker>`: each one's id is the queue's own instant."""
    where = urlsplit(leaked.where)
    database = where.path.strip("/")
    credential = [leaked.who, leaked.secret] if leaked.who else [leaked.secret]

    def connect() -> Talk:
        address = (where.hostname or "", where.port or 6379)
        try:
            talk = Talk(address)
        except OSError as error:
            raise Down(type(error).__name__) from None
        try:
            talk.command("AUTH", *credential)
            if database not in {"", "0"}:
                talk.command("SELECT", database)
        except BaseException:
            talk.close()
            raise
        return talk

    def ask(talk: Talk, number: int) -> None:
        talk.command(
            "XADD", f"attack:{marker}", "MAXLEN", "~", str(_ENTRIES_KEPT), "*", "n", str(number)
        )

    return TwoWays(connect, ask)


def judge(reply: bytes) -> None:
    """Raise what a reply means, where it is not one of success.

    >>> judge(b"+OK" + bytes([13, 10]))
    >>> judge(b"-WRONGPASS invalid username-password pair" + bytes([13, 10]))
    Traceback (most recent call last):
    harness.attack.told.Denied: WRONGPASS
    """
    line = reply.decode(errors="replace")
    if not line.endswith("\r\n"):
        raise Down("closed")
    if line.startswith("-"):
        word = line[1:].split()[0][:40]
        raise Denied(word) if word in _REFUSALS else Down(word)
