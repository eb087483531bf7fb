"""What the harness asks of a load pod, by an exec: one JSON object a line, in and out.

    python3 -m load.beside WORK SECRETS

    {"ask": "clock"}                       {"ns": 1234, "pace": [at, raw, within]}; it also renews
                                           the pod's lease. See harness/core/clock_pace.py
    {"ask": "put", "name": N, "data": B}   {}; base64, whole or not at all
    {"ask": "secret", "name": N, "data": B}
    {"ask": "slots", "worker": K, "seq": S}  {"header": B, "slots": Z}; Z: base64 of zlib
    {"ask": "file", "name": N, "at": O}    {"data": Z, "bytes": whole size}
    {"ask": "state"}                       {"ready": bool, "ended": null or what in_pod.py told}

Names are those of files in WORK, and of SECRETS for what is secret: it lies in memory there, and
nobody can ask for it again. It imports the standard library alone, so that it answers at once.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

LEASE_NAME, READY_NAME, ENDED_NAME = "lease", "ready", "ended.json"
_HEADER_BYTES = _SLOT_BYTES = 64
_SLOTS_AT_ONCE = 4096
_BYTES_AT_ONCE = 1 << 18


class Beside:
    """Answers about one worker's folder."""

    def __init__(self, work: Path, secrets: Path) -> None:
        self._work, self._secrets = work, secrets
        self._ways: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "put": lambda asked: _put(_within(work, asked["name"]), asked["data"]),
            "secret": lambda asked: _put(_within(secrets, asked["name"]), asked["data"]),
            "slots": self._slots,
            "file": self._file,
            "state": self._state,
        }

    def answer(self, line: str) -> dict[str, Any]:
        """Never raises: what went wrong is an answer too."""
        try:
            asked = json.loads(line)
            if asked["ask"] == "clock":
                told: dict[str, Any] = {"ns": time.monotonic_ns()}  # first: all else comes after
                self._renew()
                return {**told, "pace": _pace()}
            return self._ways[asked["ask"]](asked)
        except (OSError, ValueError, KeyError, TypeError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _renew(self) -> None:
        lease = self._work / LEASE_NAME
        with lease.open("a"):
            os.utime(lease)

    def _slots(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Slots as they stand now, from one on; a file that is not there yet has none."""
        try:
            file = os.open(self._work / f"worker-{int(asked['worker'])}.slots", os.O_RDONLY)
        except FileNotFoundError:
            return {"header": "", "slots": ""}
        try:
            header = os.pread(file, _HEADER_BYTES, 0)
            at = _HEADER_BYTES + int(asked["seq"]) * _SLOT_BYTES
            slots = os.pread(file, _SLOTS_AT_ONCE * _SLOT_BYTES, at)
        finally:
            os.close(file)
        used = len(slots.rstrip(b"\0"))
        slots = slots[: -(-used // _SLOT_BYTES) * _SLOT_BYTES]
        return {"header": base64.b64encode(header).decode(), "slots": _packed(slots)}

    def _file(self, asked: dict[str, Any]) -> dict[str, Any]:
        file = _within(self._work, asked["name"])
        with file.open("rb") as stream:
            stream.seek(int(asked["at"]))
            return {"data": _packed(stream.read(_BYTES_AT_ONCE)), "bytes": file.stat().st_size}

    def _state(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        try:
            ended = json.loads((self._work / ENDED_NAME).read_text())
        except FileNotFoundError:
            ended = None
        return {"ready": (self._work / READY_NAME).exists(), "ended": ended}


def _pace() -> list[int]:
    """The clock, and the raw one that nobody corrects; the closest pair of a few."""
    found = []
    for _ in range(3):
        at_ns = time.monotonic_ns()
        raw_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        found.append([at_ns, raw_ns, time.monotonic_ns() - at_ns])
    return min(found, key=lambda pair: pair[2])


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 1)).decode()


def _within(folder: Path, name: str) -> Path:
    if not name or Path(name).name != name:
        raise ValueError(f"{name!r} is not the name of a file")
    return folder / name


def _put(file: Path, data: str) -> dict[str, Any]:
    """A reader sees the old file or the new one."""
    beside = file.with_name(f".{file.name}.part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(base64.b64decode(data, validate=True))
    beside.replace(file)
    return {}


def main(words: list[str]) -> None:
    """Until the harness hangs up."""
    beside = Beside(Path(words[0]), Path(words[1]))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(beside.answer(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
