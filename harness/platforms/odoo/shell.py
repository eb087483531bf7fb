"""One shell command of the owner's, within its time, its words in a log without secrets.

A command is run as it was written: nothing is ever put into its text. What it leaves running (a
database that it started) goes on; it inherits a file for its words, so nobody waits for its end.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_KEPT_BYTES = 64 * 1024
_SAID = re.compile(
    r"(?i)\b([\w-]*(?:passw(?:or)?d|pwd|secret|token|api_?key)[\w-]*)(\s*[=:]\s*)\S+"
)
_IN_URL = re.compile(r"(?i)(://[^\s/:@]+:)[^\s@]+@")
_NOT_PASSED_ON = "PEAKDRILL_"  # signing keys, the harness's own orders


@dataclass(frozen=True, slots=True)
class Ran:
    """How it ended. `code` None: it did not end in time, and was killed."""

    code: int | None
    took_s: float

    @property
    def told(self) -> str:
        if self.code is None:
            return f"it did not end within {self.took_s:.0f} s, and was killed"
        if self.code < 0:
            return f"it was ended by signal {-self.code}"
        return f"exit code {self.code}"


def run(
    command: str, *, label: str, folder: Path, limit_s: float, log: Path, secrets: Sequence[str]
) -> Ran:
    """By /bin/sh in `folder`. Its output and how it ended are added to `log`."""
    begun_s = time.monotonic()
    with tempfile.TemporaryFile(dir=log.parent) as words:
        code = _code(command, folder, limit_s, words)
        ran = Ran(code, time.monotonic() - begun_s)
        _note(log, f"{label}: {ran.told} after {ran.took_s:.2f} s", words, secrets)
    return ran


def _code(command: str, folder: Path, limit_s: float, words: IO[bytes]) -> int | None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_PASSED_ON)}
    child = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=words,
        stderr=words,
        start_new_session=True,  # Ctrl-C is for the harness: half an undo is none
    )
    try:
        return child.wait(limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return None


def _note(log: Path, head: str, words: IO[bytes], secrets: Sequence[str]) -> None:
    size = words.seek(0, os.SEEK_END)
    words.seek(max(0, size - _KEPT_BYTES))
    text = without_secrets(words.read().decode("utf-8", "replace"), secrets)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(head + "\n")
        file.writelines(f"    {line}\n" for line in text.splitlines())


def without_secrets(text: str, secrets: Sequence[str]) -> str:
    """Known secrets, and what is called one.

    >>> without_secrets("hush: PGPASSWORD=x1 psql postgres://me:y2@db key", ["hush"])
    '***: PGPASSWORD=*** psql postgres://me:***@db key'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            text = text.replace(secret, "***")
    return _IN_URL.sub(r"\1***@", _SAID.sub(r"\1\2***", text))
