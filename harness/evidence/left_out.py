"""What a bundle without bulk left out of a run directory: told beside it, so that it is no damage.

The list is not signed and need not be: a file that it names and that is there, or one that is no
bulk, is damage all the same; and a run with anything left out is never called intact.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from harness.errors import DamagedEvidence
from harness.evidence import canonical, layout
from harness.evidence.compare import is_bulk

_SCHEMA = "peakdrill/left-out/v1"


@dataclass(frozen=True, slots=True)
class LeftOut:
    schema: str
    files: tuple[str, ...]


def dumps(names: tuple[str, ...]) -> bytes:
    return canonical.dumps(LeftOut(_SCHEMA, tuple(sorted(names))))


def read(directory: Path) -> tuple[str, ...]:
    """The names, () where nothing was left out. Raises DamagedEvidence."""
    file = directory / layout.LEFT_OUT
    if not file.exists():
        return ()
    body = file.read_bytes()
    try:
        told = TypeAdapter(LeftOut).validate_json(body, strict=True)
        same = body == dumps(told.files) and told.schema == _SCHEMA and bool(told.files)
    except ValueError as error:
        raise DamagedEvidence("not a list of what was left out") from error
    if not same:
        raise DamagedEvidence("the list is not in its canonical form")
    for name in told.files:
        if not is_bulk(name):
            raise DamagedEvidence(f"{name} is no bulk, and is never left out")
    return told.files
