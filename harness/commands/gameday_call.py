"""What every command of a game day shares: the file, the name, the folder, and one scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from harness.commands.options import FILE

if TYPE_CHECKING:
    from harness.core.gameday.plan import GameDay
    from harness.core.policy import Policy
    from harness.gameday.records import Book
    from harness.gameday.scene import Ask, Scene

C = TypeVar("C", bound=Callable[..., object])
LINE_MAX = 500


@dataclass(frozen=True, slots=True)
class Call:
    """What every command of a day needs."""

    file: Path
    day: GameDay
    policy: Policy
    book: Book


def of_a_day(function: C) -> C:
    """FILE, --name and --out."""
    options = [
        click.argument("file", type=FILE),
        click.option("--name", default="", callback=_name, help="Of this day, for the file's own."),
        click.option("--out", type=FILE, default="runs", show_default=True, help="Of its runs."),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def _name(_ctx: click.Context, _param: click.Parameter, text: str) -> str:
    import re

    if text and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
        raise click.BadParameter("small letters, digits and hyphens")
    return text


def line(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str:
    """What a person typed: one printable line, not endless."""
    if text and (len(text) > LINE_MAX or not text.isprintable()):
        raise click.BadParameter(f"one printable line of at most {LINE_MAX} characters")
    if text is not None and not text.strip() and text:
        raise click.BadParameter("must not be empty")
    return (text or "").strip()


def opened(file: Path, name: str, out: Path) -> Call:
    from harness.gameday.records import Book
    from harness.gameday.windows import policy_of
    from harness.inputs.gameday_file import read_gameday

    day = read_gameday(file, name=name)
    return Call(file, day, policy_of(day), Book.of(out, day.name))


def scene(call: Call, by: str, ask: Ask | None = None, *, silent: bool = False) -> Scene:
    from harness.commands import rendering
    from harness.gameday.scene import Scene

    return Scene(
        book=call.book,
        day=call.day,
        policy=call.policy,
        file=call.file,
        by=by or call.day.requested_by or "peakdrill",
        progress=lambda: rendering.progress(silent=silent),
        say=say,
        ask=ask,
    )


def say(text: str) -> None:
    from reports.words import clean

    click.echo(clean(text), err=True)
