"""Process 1 of a node: starts its parts, restarts a crashed one, ends them in order when told.

Run as a plain script (`python -I -S node_init.py SPEC.json`), so that it starts quickly and needs
nothing but the standard library. The death of this process is the death of the node: the kernel
takes every other process of the pid namespace with it, and that is how a node is killed.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time

_SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
_TICK_S, _QUICK_TICK_S = 0.5, 0.02  # the quick one while a part waits for its time or its file
_BACKOFF_S = (0.3, 1.0, 2.0, 5.0)  # a part that crashes at once must not eat the machine
_STABLE_S = 30.0
_MS_BIND, _MS_REC = 0x1000, 0x4000
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4


class Part:
    """One program of the node."""

    def __init__(self, spec: dict) -> None:  # type: ignore[type-arg]
        self.name: str = spec["name"]
        self.argv: list[str] = spec["argv"]
        self.env: dict[str, str] = spec["env"]
        self.folder: str = spec["folder"]
        self.log: str = spec["log"]
        self.stop_signal: int = spec["stop_signal"]
        self.after: str = spec["after"]
        self.once: bool = spec["once"]
        self.pid = 0
        self.starts = 0
        self.crashes = 0
        self.started_at = 0.0
        self.due_at: float | None = 0.0

    def is_due(self, now: float) -> bool:
        """Time has come, and what it waits for is there."""
        return (
            self.due_at is not None
            and self.due_at <= now
            and (not self.after or os.path.exists(self.after))  # noqa: PTH110
        )

    def start(self) -> None:
        self.starts += 1
        self.started_at = time.monotonic()
        self.due_at = None
        self.pid = os.fork()
        if self.pid == 0:
            self._become()

    def _become(self) -> None:
        """In the child: never returns.

        The part stays in the node's session: where the kernel shares the processor between
        sessions, a session for each part would starve the load generator beside them.
        """
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, set())
            os.chdir(self.folder)
            log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            nothing = os.open("/dev/null", os.O_RDONLY)
            for source, target in ((nothing, 0), (log, 1), (log, 2)):
                os.dup2(source, target)
            os.closerange(3, 256)
            os.execve(self.argv[0], self.argv, self.env)  # noqa: S606
        except OSError as error:
            os.write(2, f"{self.name}: {error}\n".encode())
        finally:
            os._exit(127)

    def ended(self) -> None:
        """A part may end only with its node, so it is started again."""
        now = time.monotonic()
        self.crashes = 0 if now - self.started_at > _STABLE_S else self.crashes + 1
        self.pid = 0
        if self.once:
            return
        self.due_at = now + _BACKOFF_S[min(max(self.crashes - 1, 0), len(_BACKOFF_S) - 1)]


def _save(path: str, parts: list[Part]) -> None:
    """Pids as this namespace counts them; readers outside map them."""
    rows = {p.name: {"pid": p.pid, "starts": p.starts} for p in parts if not p.once}
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(rows, file)
    os.replace(path + ".new", path)  # noqa: PTH105


def _reap(parts: list[Part]) -> bool:
    """Collect every dead child, ours and adopted; whether a part was among them."""
    changed = False
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return changed
        if pid == 0:
            return changed
        for part in parts:
            if part.pid == pid:
                part.ended()
                changed = True


def _stop(parts: list[Part], within_s: float) -> None:
    """Ask all, wait for all; who stays longer dies with process 1."""
    ours = [part for part in parts if not part.once]
    for part in ours:
        if part.pid:
            os.kill(part.pid, part.stop_signal)
    deadline = time.monotonic() + within_s
    while any(part.pid for part in ours) and time.monotonic() < deadline:
        signal.sigtimedwait({signal.SIGCHLD}, 0.1)
        _reap(parts)


def _private_places(kept: list[str]) -> None:
    """A /tmp of the node's own: some programs leave sockets and logs there, and nowhere else. And a
    /dev/shm, where a PostgreSQL that is killed leaves its shared memory for good.

    What the node needs from the old /tmp is bound into the new. Afterwards the capabilities that
    the mounts took are given up for good: parts run without any.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    below = [path for path in kept if path.startswith("/tmp/")]  # noqa: S108
    opened = [(path, os.open(path, os.O_PATH)) for path in below]
    if libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, b"mode=0700,size=64m"):
        raise OSError(ctypes.get_errno(), "a private /tmp cannot be mounted")
    for path, descriptor in opened:
        os.makedirs(path, mode=0o700, exist_ok=True)  # noqa: PTH103
        source = f"/proc/self/fd/{descriptor}".encode()
        if libc.mount(source, path.encode(), None, _MS_BIND | _MS_REC, None):
            raise OSError(ctypes.get_errno(), f"{path} cannot be bound into the node's /tmp")
        os.close(descriptor)
    if libc.mount(b"tmpfs", b"/dev/shm", b"tmpfs", 0, b"mode=1777,size=256m"):
        raise OSError(ctypes.get_errno(), "a private /dev/shm cannot be mounted")
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def main(spec_file: str) -> None:
    """Run until told to end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    with open(spec_file, encoding="utf-8") as file:
        spec = json.load(file)
    _private_places(spec["kept"])
    parts = [Part(entry) for entry in spec["parts"]]
    first = True  # whoever launched the node waits for the first word about its parts
    while True:
        now = time.monotonic()
        due = [part for part in parts if part.is_due(now)]
        for part in due:
            part.start()
        if due or first:
            _save(spec["status"], parts)
            first = False
        waiting = any(part.due_at is not None for part in parts)
        told = signal.sigtimedwait(_SIGNALS, _QUICK_TICK_S if waiting else _TICK_S)
        if told is not None and told.si_signo != signal.SIGCHLD:
            _stop(parts, spec["stop_s"])
            return
        if _reap(parts):
            _save(spec["status"], parts)


if __name__ == "__main__":
    main(sys.argv[1])
