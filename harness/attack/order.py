"""ORDER.json: what the attacker is to do. It names the folder of the secrets, and holds none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

PER_S = {  # tries a second; slower where each one costs the application a password's hash
    "database-role": 10.0,
    "backup-writer": 10.0,
    "application-password": 1.0,
    "api-key": 10.0,
    "session-cookie": 10.0,
    "queue": 10.0,
}


@dataclass(frozen=True, slots=True)
class Order:
    """Whatever is named here bounds the attack; nothing outside it is touched."""

    marker: str  # every use carries it
    leaked: str  # the folder of `<class>.json`
    uses: str  # the file that the uses are added to
    version: int  # the application's major one
    per_s: Mapping[str, float]  # by class: only these are tried
    max_s: float
    max_tries: int  # of each class


def write(order: Order, file: Path) -> None:
    file.write_text(json.dumps(asdict(order), indent=1, sort_keys=True), encoding="utf-8")


def read(file: Path) -> Order:
    """Raises OSError, ValueError and TypeError."""
    return Order(**json.loads(file.read_text(encoding="utf-8")))
