"""Become one part of the stack, or do what an exec asks of one.

    python3 -m harness.platforms.reference.inside ROLE
    python3 -m harness.platforms.reference.inside doors            ingress: told, or {"closed": ...}
    python3 -m harness.platforms.reference.inside install [RELEASE]             application
    python3 -m harness.platforms.reference.inside renew password|api-key|sessions  application
    python3 -m harness.platforms.reference.inside asked             application: whom it lets in
    python3 -m harness.platforms.reference.inside keys              store: the archive's, one or two
    python3 -m harness.platforms.reference.inside logs              keeper, database: what they keep
    python3 -m harness.platforms.reference.inside reached           any: who answers from here
    python3 -m harness.platforms.reference.inside shown             any: command lines, logs
    python3 -m harness.platforms.reference.inside told              any: has a new secret arrived

All but the first read a JSON object from stdin and answer with one on stdout. Of an application it
holds secrets that win over the mounted ones: those may be a minute old.
"""

from __future__ import annotations

import importlib
import json
import signal
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from harness.errors import PeakdrillError, PlatformError, UsageError
from harness.platforms.reference.inside.settings import Settings

ROLES = (
    "database", "application", "ingress", "store", "cache", "partners", "keeper", "consensus",
    "undoer", "forward",
)  # fmt: skip
_COMMANDS = {
    "doors": "ingress", "install": "application", "renew": "application",
    "asked": "replica_asked", "keys": "store", "told": "told", "logs": "logs", "shown": "shown",
    "reached": "reached",
}  # fmt: skip


def main(words: Sequence[str]) -> int:
    """The exit code of the role's program, or of the command."""
    name, *rest = words or [""]
    try:
        if name in ROLES and not rest:
            signal.signal(signal.SIGTERM, _end)  # a process 1 without a handler never hears it
            role: Callable[[Settings], int] = _module(name).main
            return role(Settings())
        if name in _COMMANDS:
            return _answer(name, rest)
        raise UsageError(
            f"no role {name!r}", next_step=f"one of: {', '.join((*ROLES, *_COMMANDS))}"
        )
    except PeakdrillError as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        return error.exit_code


def _answer(name: str, words: Sequence[str]) -> int:
    command: Callable[[Settings, Sequence[str], dict[str, object]], dict[str, object]]
    command = getattr(_module(_COMMANDS[name]), name)
    try:
        asked = json.loads(sys.stdin.read() or "{}")
    except ValueError as error:
        raise PlatformError(f"what {name} read from stdin is not JSON: {error}") from error
    if not isinstance(asked, dict):
        raise PlatformError(f"{name} wants a JSON object from stdin")
    print(json.dumps(command(Settings(), words, asked)))
    return 0


def _module(role: str) -> ModuleType:
    return importlib.import_module(f"harness.platforms.reference.inside.{role}")


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
