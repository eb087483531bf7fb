"""What a use of a credential came to: it returns, or it raises one of these two.

The difference matters: that nobody could be asked proves nothing about a credential.
"""

from __future__ import annotations

ACCEPTED = "accepted"
BY_KEPT_SESSION = "accepted: by the session that was kept open"


class Denied(Exception):
    """The credential was refused; the text says how: an SQLSTATE, an HTTP status, a reply."""


class Down(Exception):
    """Nobody could be asked: no connection, no answer in time, or one that is about something else.

    The text holds no secret: an error's name, or a status.
    """
