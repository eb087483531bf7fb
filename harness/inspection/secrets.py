"""Does anything hold a secret that may not: a log, the process list, the run's own evidence?

Every secret of now and of before is searched for. What is found is named by its place and by the
class of credential, and never shown.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness.core import checks
from harness.errors import PlatformError
from harness.inspection.scene import Inspection, Scene
from harness.platforms.capabilities import Platform
from harness.platforms.having import having

Prove = Callable[[str, str, str, bool | None, str], None]
_LOOK_S = 0.02
Known = Mapping[bytes, str]
_CHECK = checks.secrets_hidden.name
_LOG_ENDINGS = {".log", ".jsonl", ".err", ".out"}


def secrets_are_hidden(scene: Scene) -> None:
    """Logs, processes, and the evidence so far: what comes later is computed from that evidence,
    and from the stores' records.
    """
    secrets = known_to(scene.platform)
    prove_files(secrets, scene.prove, "log", logs_of(scene.platform.directory))
    prove_processes(scene.platform, scene.prove)
    prove_shown(secrets, scene.prove, scene.platform)
    prove_files(secrets, scene.prove, "evidence", files_below(scene.run))


def known_to(platform: Platform) -> Known:
    """Every secret of now and of before, and what it opens. Raises PlatformError without any."""
    found = having(platform.secrets, "secrets").known()
    if not found or not all(secret for _, secret in found):
        raise PlatformError("the platform names no secrets: there is nothing to search for")
    return {secret.encode(): opens for opens, secret in found}


def prove_files(secrets: Known, prove: Prove, kind: str, files: Iterable[Path]) -> None:
    """A proof for each file that holds a secret or cannot be read, and one for all others."""
    clean = size = 0
    for file in files:
        try:
            body = file.read_bytes()
        except FileNotFoundError:
            continue  # turned over while we looked
        except OSError as error:
            told = f"{file.name} could not be searched: {type(error).__name__}"
            prove(_CHECK, kind, file.name, None, told)
            continue
        found = named(secrets, body)
        if found:
            prove(_CHECK, kind, file.name, False, f"{file.name} holds a secret: {found}")
            continue
        clean, size = clean + 1, size + len(body)
    if size:  # empty files hold nothing that could be found
        told = f"{clean:,} files of {size:,} bytes hold none of {len(secrets)} secrets"
        prove(_CHECK, kind, "files", True, told)


def prove_shown(secrets: Known, prove: Prove, platform: Platform) -> None:
    """The same of parts that are not on this machine; one that cannot be asked proves nothing."""
    clean: dict[str, int] = {}
    try:
        for shown in having(platform.secrets, "secrets").shown():
            if found := named(secrets, shown.body):
                prove(
                    _CHECK, shown.kind, shown.place, False, f"{shown.place} holds a secret: {found}"
                )
            else:
                clean[shown.kind] = clean.get(shown.kind, 0) + 1
    except PlatformError as error:
        prove(
            _CHECK,
            "log",
            "parts",
            None,
            f"the platform's parts could not be searched: {error.what}",
        )
        return
    for kind, count in clean.items():
        told = f"{count:,} of the platform's parts' own, a {kind} each, hold none of {len(secrets)}"
        prove(_CHECK, kind, "parts", True, told)


def prove_processes(platform: Platform, prove: Prove) -> None:
    """Command lines and environments of all processes on this machine, whosoever they are.

    A process of the platform or of the drill whose environment cannot be read leaves the question
    open; somebody else's does not.
    """
    secrets, clean = known_to(platform), 0
    for process in processes():
        subject = f"{process.name} ({process.pid})"
        if found := named(secrets, process.shown):
            told = f"the command line or environment of {subject} holds a secret: {found}"
            prove(_CHECK, "process", subject, False, told)
        elif process.hidden and _is_ours(process.pid, platform.directory):
            told = f"the environment of {subject} cannot be read"
            prove(_CHECK, "process", subject, None, told)
        else:
            clean += not process.hidden
    if clean:
        told = f"{clean:,} processes show none of {len(secrets)} secrets"
        prove(_CHECK, "process", "processes", True, told)


class Newcomers:
    """The processes that begin while within, as they show themselves every few milliseconds.

    A tool that is handed a secret by its command line is gone again before anybody searches. What
    lives shorter than a look apart can be missed.
    """

    def __init__(self) -> None:
        self._shown: dict[bytes, str] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._before = frozenset(_pids())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def prove(self, platform: Platform, prove: Prove, subject: str) -> None:
        """Searched afterwards, since a secret that is being made is known only then."""
        secrets, names = known_to(platform), set(self._shown.values())
        for shown, name in self._shown.items():
            if found := named(secrets, shown):
                told = f"{name} began during {subject} and showed a secret: {found}"
                prove(_CHECK, "process", name, False, told)
                names.discard(name)
        if names:
            told = f"{len(names):,} processes began during {subject}: none showed a secret"
            prove(_CHECK, "process", subject, True, told)

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            for process in processes(besides=self._before):
                self._shown[process.shown] = f"{process.name} ({process.pid})"


def named(secrets: Known, text: bytes) -> str:
    """What the secrets open that a text holds, "" where it holds none."""
    return ", ".join(sorted({opens for secret, opens in secrets.items() if secret in text}))


@dataclass(frozen=True, slots=True, repr=False)
class Process:
    """What one shows to whoever may look."""

    pid: int
    name: str
    shown: bytes
    hidden: bool  # its environment cannot be read


def processes(besides: frozenset[int] = frozenset()) -> Iterator[Process]:
    for pid in _pids():
        if pid in besides:
            continue
        place = Path("/proc", str(pid))
        try:
            name = place.joinpath("comm").read_text(errors="replace").strip()
            shown, hidden = place.joinpath("cmdline").read_bytes(), False
            try:
                shown += b"\0" + place.joinpath("environ").read_bytes()
            except PermissionError:
                hidden = True
        except OSError:
            continue  # it has ended
        yield Process(pid, name, shown, hidden)


def _pids() -> Iterator[int]:
    return (int(place.name) for place in Path("/proc").iterdir() if place.name.isdigit())


def _is_ours(pid: int, directory: Path) -> bool:
    """It, or one that it descends from, is this drill, or names the platform's directory."""
    while pid > 1:
        if pid == os.getpid():
            return True
        try:
            place = Path("/proc", str(pid))
            if os.fsencode(directory) in place.joinpath("cmdline").read_bytes():
                return True
            fields = place.joinpath("stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return False
        pid = int(fields[1])
    return False


def logs_of(directory: Path) -> Iterator[Path]:
    """Every file of a folder called `logs`, and whatever is called a log elsewhere."""
    for file in files_below(directory):
        if "logs" in file.relative_to(directory).parts[:-1] or file.suffix in _LOG_ENDINGS:
            yield file


def files_below(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            if file.is_file() and not file.is_symlink():
                yield file


INSPECTIONS: dict[str, Inspection] = {checks.secrets_hidden.name: secrets_are_hidden}
