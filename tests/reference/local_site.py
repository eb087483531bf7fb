"""A site without containers: an exec is a process of this machine, told where things lie."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import PlatformError

Answer = Callable[[str, Sequence[str], bytes], bytes]


@dataclass
class LocalSite:
    """What is told to it is kept, so that a test can ask. Parts in `dead` do not run."""

    folder: Path
    answer: Answer | None = None  # instead of a process
    dead: set[str] = field(default_factory=set)
    closed: tuple[bool, bool] = (False, False)
    secrets: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)

    def run(
        self, part: str, words: Sequence[str], *, stdin: bytes = b"", within_s: float = 60.0
    ) -> bytes:
        self.asked.append((part, *words))
        if part in self.dead:
            raise PlatformError(f"{part} does not run")
        if self.answer is not None:
            return self.answer(part, words, stdin)
        inside = {
            **os.environ,
            "PEAKDRILL_NAME": part,
            "PEAKDRILL_FILESTORE": str(self.folder / "filestore"),
            "PEAKDRILL_DATA": str(self.folder / part),
            "PEAKDRILL_SECRETS": str(self.folder / "secrets"),
        }
        done = subprocess.run(
            [sys.executable, *words[1:]], input=stdin, capture_output=True, check=False,
            env=inside, timeout=within_s,
        )  # fmt: skip
        if done.returncode != 0:
            raise PlatformError(f"{part}: {done.stderr.decode()[-300:]}")
        return done.stdout

    def is_running(self, part: str) -> bool:
        return part not in self.dead

    def replicas(self, part: str) -> tuple[str, ...]:
        names = [f"{part}-{n}" for n in range(2)] if part == "application" else [part]
        return tuple(name for name in names if name not in self.dead)

    def put_secrets(self, changed: Mapping[str, str]) -> None:
        self.secrets.update(changed)

    def restart(self, part: str, *, within_s: float) -> None:
        assert within_s > 0
        self.restarted.append(part)

    def set_doors(self, *, closed: bool, queue_closed: bool) -> None:
        self.closed = (closed, queue_closed)

    def doors(self) -> tuple[bool, bool]:
        return self.closed

    def logs(self, part: str) -> str:
        return f"log of {part}\n"

    def forget_cluster(self) -> None:
        self.asked.append(("forget",))

    def member_of(self, node: str) -> str:
        return {"left": "database-0", "right": "database-1"}.get(node, node)

    def node_of(self, member: str) -> str:
        return {"database-0": "left", "database-1": "right"}[member]
