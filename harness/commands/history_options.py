"""Which history is asked: options that every command over many runs shares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from harness.commands.options import FILE

if TYPE_CHECKING:
    from harness.history.store import History

C = TypeVar("C", bound=Callable[..., object])


def history_options(function: C) -> C:
    """--history and --out, as `history: str | None` and `out: Path`."""
    options = [
        click.option(
            "--history",
            metavar="STORE",
            help="postgresql://USER@HOST/DATABASE, or a file. Default: $PEAKDRILL_HISTORY, else "
            "OUT/history.sqlite.",
        ),
        click.option("--out", type=FILE, default="runs", show_default=True, help="Where runs go."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def opened(history: str | None, out: Path, *, must_exist: bool = True) -> History:
    """The store that was asked for. A password on the command line is refused: others see it."""
    from harness.history.address import VARIABLE, holds_password
    from harness.history.store import open_history

    if history and holds_password(history):
        raise click.BadParameter(
            f"everybody on this machine can read a password there; use ~/.pgpass or ${VARIABLE}",
            param_hint="--history",
        )
    return open_history(history, out=out, must_exist=must_exist)
