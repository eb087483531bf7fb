"""What a thief has: one file of mode 0600 for each class of credential, its form defined here.

`Secrets.hand_out(credential, file)` writes it, for instance as `dump(Leaked(...))`; the attacker
reads it. One JSON object of strings, exactly these five:

    kind      one of CLASSES
    where     what to connect to, without a secret (the table below)
    who       the name that goes with the secret, "" where there is none
    database  Odoo's database name for the three that go to the application, else ""
    secret    the credential itself

    kind                  where                                        who             secret
    database-role         libpq string: hosts, ports, dbname, ...      role            password
                          without user, password and passfile
    backup-writer         http://HOST:PORT/BUCKET                      access key id   secret key
    application-password  http://HOST:PORT (the ingress)               login           password
    api-key               the same                                     user id ("2")   key
    session-cookie        the same                                     login           session_id
    queue                 redis://HOST:PORT/DB                         user or ""      password

The session is one that the platform begins for the administrator when it hands it out, so a
cookie is a live one. Every use carries a marker where the platform can see it: application_name;
the object key `attack/<marker>/backup-writer-<n>`; the User-Agent; the stream `attack:<marker>`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from harness.json_text import parsed

CLASSES = (
    "database-role", "backup-writer", "application-password", "api-key", "session-cookie", "queue",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Leaked:
    """One leaked credential."""

    kind: str
    where: str
    who: str
    database: str
    secret: str

    def __repr__(self) -> str:
        return f"Leaked({self.kind})"


def dump(leaked: Leaked) -> str:
    """The text of the file."""
    return json.dumps(asdict(leaked), indent=1)


def load(file: Path) -> Leaked:
    """Raises ValueError, which names the file and holds nothing of its text."""
    try:
        return _parse(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, LookupError, AttributeError):
        raise ValueError(f"{file}: not a leaked credential of the form in {__name__}") from None


def _parse(text: str) -> Leaked:
    said = parsed(text)
    leaked = Leaked(**{field.name: said.pop(field.name) for field in fields(Leaked)})
    texts = all(isinstance(value, str) for value in asdict(leaked).values())
    if said or not texts or leaked.kind not in CLASSES:
        raise ValueError("other keys, or other values")
    return leaked


def folder_of(platform: Path) -> Path:
    """Where the files lie, below a platform's directory: `<kind>.json` each, gone at the end."""
    return platform / "secrets" / "leaked"


def marker_of(run_id: str) -> str:
    """What every use of a run's attacker carries."""
    return f"pd-{run_id}-attacker"
