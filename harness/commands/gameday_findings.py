"""`peakdrill gameday finding`: what is left to do, whose it is, and what showed that it is done."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.gameday_call import line, of_a_day, opened, say


@click.group()
def finding() -> None:
    """What is left to do: add, assign, close."""


@finding.command("add")
@of_a_day
@click.option("--what", required=True, callback=line)
@click.option("--owner", default="", callback=line)
@click.option("--due", default="", help="A date: 2026-12-18.")
def add_finding(*, file: Path, name: str, out: Path, what: str, owner: str, due: str) -> int:
    """One that a person made."""
    from harness.gameday import findings
    from harness.gameday.windows import now_utc

    call = opened(file, name, out)
    say(f"finding {findings.add(call.book, what, now_utc(), owner=owner, due=due).name}")
    return 0


@finding.command("assign")
@of_a_day
@click.argument("named")
@click.option("--owner", default="", callback=line)
@click.option("--due", default="", help="A date: 2026-12-18.")
@click.option("--who", default="", callback=line, help="Who gave it. Default: the owner.")
def assign_finding(
    *, file: Path, name: str, out: Path, named: str, owner: str, due: str, who: str
) -> int:
    """Whose it is, and until when."""
    from harness.gameday import findings
    from harness.gameday.windows import now_utc

    if not owner and not due:
        raise click.UsageError("--owner, --due, or both")
    call = opened(file, name, out)
    findings.assign(call.book, named, who or owner, now_utc(), owner=owner, due=due)
    return 0


@finding.command("close")
@of_a_day
@click.argument("named")
@click.option("--who", required=True, callback=line)
@click.option("--proof", required=True, callback=line, help="What shows that it is dealt with.")
def close_finding(*, file: Path, name: str, out: Path, named: str, who: str, proof: str) -> int:
    """By a person's word. A later drill that meets the same check does it by itself."""
    from harness.gameday import findings
    from harness.gameday.windows import now_utc

    findings.close(opened(file, name, out).book, named, who, proof, now_utc())
    return 0
