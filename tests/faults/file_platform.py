"""A platform of two nodes that are files: quick, and the same seen from every process.

Quirks are files in `<directory>/quirks`, so that a test can set them while others look.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from harness.core.plan import PlatformFacts
from harness.errors import FaultError, PlatformError
from harness.platforms.capabilities import Database, Endpoints, Instant, Nodes, Wholeness

NAMES = ("A", "B")


class FileNodes:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def names(self) -> tuple[str, ...]:
        return NAMES

    def resolve(self, selector: str) -> str:
        primary = (self._directory / "primary").read_text()
        found = {"primary": primary, "standby": "B" if primary == "A" else "A"}.get(
            selector, selector
        )
        if found not in NAMES:
            raise FaultError(f"no node matches {selector!r}")
        return found

    def kill(self, node: str) -> Instant:
        earliest_ns = time.monotonic_ns()
        self._log(f"kill {node}")
        if self._quirk("kill-fails"):
            raise PlatformError("no permission to kill")
        if not self._quirk("kill-without-effect"):
            (self._directory / f"{node}.alive").unlink()
            (self._directory / "primary").write_text("B" if node == "A" else "A")
        return Instant(earliest_ns, time.monotonic_ns())

    def start(self, node: str) -> None:
        self._log(f"start {node}")
        if self._quirk("start-fails"):
            raise PlatformError("no room to start")
        (self._directory / f"{node}.alive").touch()

    def is_dead(self, node: str) -> bool:
        return not (self._directory / f"{node}.alive").exists()

    def is_back(self, node: str) -> bool:
        return not self.is_dead(node) and not self._quirk("never-back")

    def _quirk(self, name: str) -> bool:
        return (self._directory / "quirks" / name).exists()

    def _log(self, deed: str) -> None:
        with (self._directory / "deeds.log").open("a") as log:
            log.write(deed + "\n")


class FilePlatform:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._nodes = FileNodes(directory)

    @classmethod
    def up(cls, directory: Path) -> FilePlatform:
        (directory / "quirks").mkdir(parents=True)
        (directory / "primary").write_text("A")
        for name in NAMES:
            (directory / f"{name}.alive").touch()
        return cls(directory)

    def set_quirk(self, name: str, on: bool = True) -> None:
        quirk = self._directory / "quirks" / name
        quirk.touch() if on else quirk.unlink(missing_ok=True)

    def deeds(self) -> list[str]:
        log = self._directory / "deeds.log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def directory(self) -> Path:
        return self._directory

    @property
    def undo_lease_s(self) -> float | None:
        """How long a watchdog waits for us, where a test wants one."""
        file = self._directory / "undo-lease-s"
        return float(file.read_text()) if file.exists() else None

    @property
    def nodes(self) -> Nodes | None:
        return self._nodes

    @property
    def database(self) -> Database | None:
        return None

    backups = ingress = filestore = secrets = audit = clean_room = None

    def whole(self) -> Wholeness:
        while (self._directory / "quirks" / "slow-answer").exists():
            time.sleep(0.02)
        if (self._directory / "quirks" / "not-whole").exists():
            return Wholeness(False, ("the standby does not stream",))
        return Wholeness(whole=True)

    def facts(self) -> PlatformFacts:
        raise NotImplementedError

    def endpoints(self) -> Endpoints:
        raise NotImplementedError

    def down(self) -> None:
        raise NotImplementedError


def platform_at(directory: Path) -> FilePlatform:
    return FilePlatform(directory)


def running() -> FilePlatform | None:
    directory = os.environ.get("FILE_PLATFORM_UP")
    return FilePlatform(Path(directory)) if directory else None
