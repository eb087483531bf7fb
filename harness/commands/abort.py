"""`peakdrill abort`: the red button on the command line."""

from __future__ import annotations

import getpass
import os

import click

_NOT_SEEN = 5


@click.command()
@click.option("--who", help="Your name, for the evidence. Default: the user of this shell.")
@click.option("--why", default="the red button was pressed", show_default=True, metavar="REASON")
@click.option(
    "--within-s",
    type=click.FloatRange(0, 3600),
    default=180.0,
    show_default=True,
    help="How long to look on. The drill undoes its fault whether anybody looks on or not.",
)
def abort(*, who: str | None, why: str, within_s: float) -> int:
    """Stop the drill in progress: its fault is undone at once, and who and why are kept.

    Ends when the fault was observed to be gone. A runbook in its middle is finished first.
    """
    from harness.watching import abort as button

    def say(text: str) -> None:
        click.echo(button.one_line(text, 500), err=True)

    seen = button.abort(who or _user(), why, within_s=within_s, say=say)
    if seen.is_over:
        told = "the fault is gone" if seen.was_armed else "nothing had been broken yet"
        click.echo(f"aborted: {told}; run {seen.run_id} is invalid unless a loss is proven")
        return 0
    click.echo(
        f"peakdrill: run {seen.run_id}: the end of the fault was not observed\n"
        "  next: the drill still undoes it unless its process is gone; "
        "`peakdrill undo` mends what is left",
        err=True,
    )
    return _NOT_SEEN


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
