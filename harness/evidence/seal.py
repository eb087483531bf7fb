"""The seal: a digest of every file that a judgement rests on (phase 1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DamagedEvidence
from harness.evidence import canonical, layout

_AFTER_THE_SEAL = frozenset({layout.SEAL, layout.VERDICT, *layout.REPORTS, *layout.SIGNATURES})


@dataclass(frozen=True, slots=True)
class Seal:
    """Relative path -> SHA-256, hex."""

    schema: str
    files: dict[str, str]


def digest_of(file: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sealed_files(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): digest_of(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file() and str(path.relative_to(directory)) not in _AFTER_THE_SEAL
    }


def seal(directory: Path) -> str:
    """Write `seal.json` over everything that is there; returns the seal's own digest."""
    body = canonical.dumps(Seal("peakdrill/seal/v1", _sealed_files(directory)))
    (directory / layout.SEAL).write_bytes(body)
    return hashlib.sha256(body).hexdigest()


def verify(directory: Path) -> str:
    """Compare every file with the seal; returns the seal's digest, "" where there is no seal.

    Raises DamagedEvidence that names each file which was changed, added or removed.
    """
    file = directory / layout.SEAL
    if not file.exists():
        return ""
    sealed = canonical.loads(Seal, file)
    now = _sealed_files(directory)
    wrong = [f"{name}: changed" for name in now if sealed.files.get(name, now[name]) != now[name]]
    wrong += [f"{name}: missing" for name in sealed.files if name not in now]
    wrong += [f"{name}: added after the seal" for name in now if name not in sealed.files]
    if wrong:
        raise DamagedEvidence(
            f"{directory.name}: the evidence is not what was sealed: {'; '.join(sorted(wrong))}",
            next_step="restore the run directory; a changed file cannot be judged",
        )
    return digest_of(file)
