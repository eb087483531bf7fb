"""Servers and generators as child processes; what was started is ended, whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_LIMIT_S = 180


def started(*words: object, stdin: int = subprocess.PIPE) -> subprocess.Popen[str]:
    home = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, *map(str, words)], stdin=stdin, stdout=subprocess.PIPE,
        text=True, cwd=ROOT, env=home,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


@contextmanager
def light_server(log: Path | None = None) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """(port, process) of the light server."""
    words: list[object] = ["-m", "tests.bench.light_server", 0]
    process = started(*words, *([log] if log is not None else []))
    try:
        yield int(_said(process).split()[1]), process
    finally:
        ended(process)


@contextmanager
def cutting_proxy(port: int, target: int, log: Path) -> Iterator[subprocess.Popen[str]]:
    """The proxy of the load's own tests: it cuts and mends when it is told to, and logs its edges."""
    process = started(ROOT / "tests" / "load" / "cutting_proxy.py", port, target, log)
    try:
        _said(process)
        yield process
    finally:
        ended(process)


def told(process: subprocess.Popen[str], command: str) -> tuple[int, int]:
    """Say a command to the proxy; (ns before its edge, ns after it)."""
    assert process.stdin is not None
    process.stdin.write(command + "\n")
    process.stdin.flush()
    _, before_ns, after_ns = _said(process).split()
    return int(before_ns), int(after_ns)


def generator(kind: str, port: int, folder: Path, *more: object) -> subprocess.Popen[str]:
    words: list[object] = ["-m", "tests.bench.generators", kind, port, folder, *more]
    return started(*words, stdin=subprocess.DEVNULL)  # a pipe that is closed would end our load


def result_of(process: subprocess.Popen[str], *, within_s: float = _LIMIT_S) -> dict[str, Any]:
    """What a generator printed at its end."""
    try:
        out, _ = process.communicate(timeout=within_s)
    finally:
        ended(process)
    if process.returncode != 0 or not out:
        raise RuntimeError(f"{process.args} ended with {process.returncode}")
    found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return found


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args} said nothing")
    return line
