"""`peakdrill evidence ship`, and what `peakdrill run --ship-to` does at the end of a drill."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from harness.commands.options import FILE, run_names

if TYPE_CHECKING:
    from harness.evidence.shipping import Destination, Shipped

C = TypeVar("C", bound=Callable[..., object])
_NOBODY = "peakdrill-was-here"  # a key that nobody has: asked for before anything is broken


def ship_options(*, required: bool) -> Callable[[C], C]:
    """Where to; each may come from the environment, too."""

    def decorated(function: C) -> C:
        options = [
            click.option(
                "--ship-to" if not required else "--to",
                "ship_to",
                envvar="PEAKDRILL_SHIP_TO",
                required=required,
                metavar="s3://BUCKET/PREFIX",
                help="Keep the signed run in object storage.",
            ),
            click.option(
                "--ship-endpoint" if not required else "--endpoint",
                "ship_endpoint",
                envvar="PEAKDRILL_SHIP_ENDPOINT",
                default="",
                metavar="URL",
                help="Of an object storage that is not AWS's.",
            ),
            click.option(
                "--ship-keep-days" if not required else "--keep-days",
                "ship_keep_days",
                envvar="PEAKDRILL_SHIP_KEEP_DAYS",
                type=click.IntRange(0, 36_500),
                default=0,
                metavar="N",
                help="Lock every object for so long (compliance mode). 0: no lock.",
            ),
        ]
        for option in reversed(options):
            function = option(function)
        return function

    return decorated


def place(ship_to: str | None, ship_endpoint: str, ship_keep_days: int) -> Destination | None:
    """Raises UsageError for what names no place."""
    from harness.evidence.shipping import destination

    if not ship_to:
        return None
    return destination(ship_to, endpoint=ship_endpoint, keep_days=ship_keep_days)


def ask(to: Destination) -> None:
    """Does it answer us? Before anything is broken. Raises PeakdrillError."""
    from harness.evidence.shelf import s3_shelf

    s3_shelf(to).get(to.key(_NOBODY))


def shipped(directory: Path, to: Destination) -> Shipped:
    """Verify and ship a run. Raises PeakdrillError."""
    from harness.commands import rendering
    from harness.evidence.shelf import s3_shelf
    from harness.evidence.shipping import ship
    from harness.evidence.verify import verify

    return ship(
        directory.resolve(),
        to,
        s3_shelf(to),
        verify=partial(verify, render=rendering.render_all),
        now=dt.datetime.now(dt.UTC),
    )


@click.command("ship")
@click.argument("run", metavar="DIR", type=FILE, shell_complete=run_names)
@ship_options(required=True)
def ship_run(*, run: Path, ship_to: str, ship_endpoint: str, ship_keep_days: int) -> int:
    """Keep a signed run in object storage, and read back what lies there.

    Credentials come from the usual AWS variables and files. Twice is harmless; what lies there is
    never replaced.
    """
    from harness.commands.runs import run_directory

    to = place(ship_to, ship_endpoint, ship_keep_days)
    assert to is not None
    found = shipped(run_directory(run), to)
    click.echo(f"kept: {found.sentence()}")
    if found.sent < found.files:
        click.echo(f"  {found.files - found.sent} of them lay there already")
    return 0
