"""The owner's commands that cut a node's power and give it back: words, no shell, a limit.

Their own output goes to a log of the platform's. What they say is never believed alone: whether a
node is dead or back is observed.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from harness.errors import FaultError
from harness.inputs.kubernetes_file import NodeHooks

LOG = "hooks.log"
_NOT_PASSED_ON = "PEAKDRILL_"  # signing keys, the harness's own orders
_KEPT_BYTES = 64 * 1024
_NUMBER = re.compile(r"(\d+)$")


def words_for(words: Sequence[str], node: str) -> list[str]:
    """The command for one node. Raises FaultError where it asks for a number and there is none.

    >>> words_for(["./cluster", "node-kill", "{number}"], "node2")
    ['./cluster', 'node-kill', '2']
    """
    number = _NUMBER.search(node)
    if number is None and any("{number}" in word for word in words):
        raise FaultError(
            f"the name of node {node} does not end with a number, and the hook asks for one",
            next_step="use {node} in platform.yaml",
        )
    told = number[1] if number else ""
    return [word.replace("{node}", node).replace("{number}", told) for word in words]


class Hook:
    """One command that runs, and can be waited for."""

    def __init__(self, words: Sequence[str], folder: Path, log: Path, limit_s: float) -> None:
        self._words, self._limit_s, self._log = list(words), limit_s, log
        self._until = time.monotonic() + limit_s
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_PASSED_ON)}
        descriptor = os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as words_of_it:
            words_of_it.write(f"$ {' '.join(self._words)}\n".encode())
            words_of_it.flush()
            try:
                self._child = subprocess.Popen(
                    self._words, cwd=folder, env=kept, stdin=subprocess.DEVNULL,
                    stdout=words_of_it, stderr=words_of_it,
                    start_new_session=True,  # Ctrl-C is for the harness: half an undo is none
                )  # fmt: skip
            except OSError as error:
                raise FaultError(
                    f"the hook {self._words[0]} cannot be run: {error.strerror}",
                    next_step=f"a relative path begins at {folder}; mend it in platform.yaml",
                ) from error

    def is_over(self) -> bool:
        """Raises FaultError where it failed, or did not end in time (it is killed then)."""
        code = self._child.poll()
        if code is None and time.monotonic() >= self._until:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
            raise self._failed(f"did not end within {self._limit_s:g} s, and was killed")
        if code is None:
            return False
        if code != 0:
            raise self._failed(f"ended with exit code {code}")
        return True

    def wait(self) -> None:
        """Until it is over. Raises FaultError."""
        while not self.is_over():
            time.sleep(0.05)

    def _failed(self, how: str) -> FaultError:
        said = self._log.read_bytes()[-_KEPT_BYTES:].decode(errors="replace").strip()
        last = said.splitlines()[-1][:200] if said else "nothing"
        return FaultError(
            f"the hook {' '.join(self._words)} {how}; its last words: {last}",
            next_step=f"all of them are in {self._log}",
        )


def stop(hooks: NodeHooks, node: str, folder: Path, log: Path) -> Hook:
    return Hook(words_for(hooks.stop, node), folder, log, hooks.limit_s)


def start(hooks: NodeHooks, node: str, folder: Path, log: Path) -> Hook:
    return Hook(words_for(hooks.start, node), folder, log, hooks.limit_s)
