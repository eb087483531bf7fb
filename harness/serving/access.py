"""Who may look, and who may press the button.

Loopback shows to everybody on the machine and lets nobody abort but who opened the one-time link
that the terminal printed. Any other address needs a token file; then nothing is shown without a
token. Every comparison of secrets takes the same time whatever is wrong.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import socket
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from harness.errors import Refused

_TOKEN_LEAST = 20
_SESSIONS_MAX = 500
_FORM = "one `viewer TOKEN` or `operator TOKEN` a line, # begins a comment"
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Token:
    role: Role
    secret: str
    once: bool = False  # void after its first use


def read_tokens(file: Path) -> tuple[Token, ...]:
    """The token file. Raises Refused when others may read it, or it is not what it must be."""
    try:
        mode = file.stat().st_mode
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{file} cannot be read: {error}", next_step=f"it holds {_FORM}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refused(f"{file} can be read by others", next_step=f"chmod 600 {file}")
    found = [
        _token(file, number, line)
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not found:
        raise Refused(f"{file} holds no token", next_step=f"it holds {_FORM}")
    return tuple(found)


def _token(file: Path, number: int, line: str) -> Token:
    role, _, secret = line.strip().partition(" ")
    secret = secret.strip()
    if role not in set(Role):
        raise Refused(f"{file}:{number}: no role of ours", next_step=f"it holds {_FORM}")
    if len(secret) < _TOKEN_LEAST or not secret.isascii() or not secret.isprintable():
        raise Refused(
            f"{file}:{number}: a token has at least {_TOKEN_LEAST} printable ASCII characters",
            next_step='python3 -c "import secrets; print(secrets.token_urlsafe())" makes one',
        )
    return Token(Role(role), secret)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass
class Access:
    """The doors of one serving process. Sessions live and die with it."""

    host: str
    port: int
    tokens: tuple[Token, ...]
    open_to_view: bool  # loopback without a token file
    page_token: str = field(default_factory=secrets.token_urlsafe)  # against forged requests
    _sessions: dict[str, Role] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    @property
    def cookie(self) -> str:
        """Cookies know no ports: two servers on one machine keep theirs apart by name."""
        return f"peakdrill_{self.port}"

    def knows_host(self, header: str | None) -> bool:
        """Whether a Host header names this server. A name that was rebound to us does not.

        A foreign site that lets its own name point to this address sends that name; an address
        written out, or a name of this machine, it cannot send.
        """
        name, port = _split_host(header or "")
        if port != self.port:
            return False
        if is_loopback(self.host):
            return name in _LOOPBACK_NAMES
        return name in self._own_names() or _is_address(name)

    def knows_origin(self, origin: str | None, host: str | None) -> bool:
        """Whether a request that changes something comes from a page of ours."""
        return origin is not None and host is not None and origin == f"http://{host}"

    def log_in(self, secret: str) -> tuple[str, Role] | None:
        """A session for a token, None for anything else. Looks at every token every time."""
        given, found = _digest(secret), None
        for token in self.tokens:
            same = hmac.compare_digest(_digest(token.secret), given)
            void = token.once and token.secret in self._used
            found = token if same and not void else found
        if found is None:
            return None
        if found.once:
            self._used.add(found.secret)
        while len(self._sessions) >= _SESSIONS_MAX:
            del self._sessions[next(iter(self._sessions))]
        session = secrets.token_urlsafe()
        self._sessions[_hex(session)] = found.role
        return session, found.role

    def role(self, cookies: Mapping[str, str]) -> Role | None:
        """Whose request it is; None: nobody's."""
        session = cookies.get(self.cookie, "")
        known = self._sessions.get(_hex(session)) if session else None
        return known or (Role.VIEWER if self.open_to_view else None)

    def knows_page(self, token: str | None) -> bool:
        return token is not None and hmac.compare_digest(_digest(token), _digest(self.page_token))

    def _own_names(self) -> Iterable[str]:
        return {self.host.strip("[]").lower(), socket.gethostname().lower(), "localhost"}


def _split_host(header: str) -> tuple[str, int | None]:
    """Name and port. `[::1]:8440` has its address in brackets."""
    name, colon, port = header.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = header, "80"
    if not (port.isascii() and port.isdigit() and len(port) <= 5):
        return "", None
    return name.removeprefix("[").removesuffix("]").lower(), int(port)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _digest(text: str) -> bytes:
    """Of one length, whatever was given; looked up by it, no comparison leaks a prefix."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _hex(text: str) -> str:
    return _digest(text).hex()
