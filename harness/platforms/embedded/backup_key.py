"""The backup key: two copies, because a backup that nobody can open is no backup.

One copy lies with the platform's secrets; the other stands in for an escrow elsewhere. Losing one
is survived, and said; losing both is refused by name.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded.layout import Layout, write_private
from harness.platforms.embedded.sealing import KEY_BYTES


@dataclass(frozen=True, slots=True, repr=False)
class BackupKey:
    """The key, and a sentence for each copy that was lost."""

    key: bytes
    lost: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"BackupKey(lost={self.lost!r})"


def copies(layout: Layout) -> tuple[Path, Path]:
    """Ours, and the escrow's."""
    return layout.secrets / "backup-key", layout.secrets / "escrow" / "backup-key"


def make(layout: Layout) -> None:
    """Draw it where there is none yet. A copy that was lost is not made anew."""
    ours, escrow = copies(layout)
    if ours.exists() or escrow.exists():
        return
    escrow.parent.mkdir(mode=0o700, exist_ok=True)
    word = secrets.token_hex(KEY_BYTES)
    for file in (escrow, ours):
        write_private(file, word)


def lose(layout: Layout) -> str:
    """Our own copy goes, as a thief would have it. Harmless when it is gone."""
    ours, _ = copies(layout)
    ours.unlink(missing_ok=True)
    return str(ours.relative_to(layout.home))


def mend(layout: Layout) -> None:
    """Every copy anew from one that is left. Raises PlatformError when none is."""
    word = load(layout).key.hex()
    for file in copies(layout):
        write_private(file, word)


def load(layout: Layout) -> BackupKey:
    """From the first copy that can be read. Raises PlatformError when none can."""
    lost: list[str] = []
    for file in copies(layout):
        try:
            key = bytes.fromhex(file.read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            key = b""
        if len(key) == KEY_BYTES:
            return BackupKey(key, tuple(lost))
        lost.append(f"the backup key's copy {file.relative_to(layout.home)} is lost or damaged")
    raise PlatformError(
        f"no backup can be opened: {'; '.join(lost)}",
        next_step="put a copy of the key back; without it the backups are noise",
    )
