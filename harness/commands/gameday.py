"""`peakdrill gameday`: plan, approve, start, status, abort, note, answer, finding, close."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from harness.commands.gameday_call import LINE_MAX, Call, line, of_a_day, opened, say, scene
from harness.commands.gameday_findings import finding
from harness.commands.options import FILE


@click.group()
def gameday() -> None:
    """A game day: drills in order, with people, approvals, windows, findings and a report."""


gameday.add_command(finding)


@gameday.command()
@of_a_day
def plan(*, file: Path, name: str, out: Path) -> int:
    """Print everything that will happen and what is missing for a go. Touches nothing."""
    from harness.commands.gameday_text import plan_lines
    from harness.gameday import stage
    from harness.gameday.windows import now_utc

    call = opened(file, name, out)
    disposable = stage.is_disposable(call.day)
    for text in plan_lines(call.day, call.policy, call.book, now=now_utc(), disposable=disposable):
        click.echo(text)
    return 0


@gameday.command()
@of_a_day
@click.option("--as", "who", callback=line, help="Who approves: a participant.")
@click.option("--key", type=FILE, help="The private key of that person, PEM.")
@click.option("--action", default="", help="Default: the one that the plan names.")
@click.option("--scenario", "steps", multiple=True, help="A step of the plan. Default: all.")
@click.option("--expires", default="24h", show_default=True, help="24h, 3d, or a UTC instant.")
@click.option("--to", type=FILE, help="Write the signed approval there, and do not hand it in.")
@click.option("--envelope", type=FILE, help="Hand in an approval that was written with --to.")
def approve(
    *,
    file: Path,
    name: str,
    out: Path,
    who: str,
    key: Path | None,
    action: str,
    steps: tuple[str, ...],
    expires: str,
    to: Path | None,
    envelope: Path | None,
) -> int:
    """Sign the day, or some of its scenarios, until a time; a refused approval is recorded."""
    from harness.evidence.keys import read_signer
    from harness.gameday import approvals
    from harness.gameday.windows import now_utc

    call = opened(file, name, out)
    if not call.day.action:
        raise click.UsageError("the plan says `approvals: none`: there is nothing to approve")
    now = now_utc()
    if envelope is not None:
        body = envelope.read_bytes() if envelope.is_file() else b""
    elif key is None or not who:
        raise click.UsageError("who approves: --as NAME --key FILE, or --envelope FILE")
    else:
        body = approvals.give(
            call.day,
            who,
            read_signer(key),
            steps=steps or tuple(s.step for s in call.day.scenarios),
            action=action or call.day.action,
            now=now,
            expires=_expiry(expires, now),
        )
    if to is not None:
        to.write_bytes(body)
        click.echo(f"signed; hand it in with --envelope {to}")
        return 0
    given = approvals.hand_in(call.book, call.day, call.policy, body, now)
    told = given.approval
    steps_told = ", ".join(told.scenarios)
    say(f"approved by {told.who} ({given.role}): {steps_told}, until {told.expires_utc}")
    return 0


def _expiry(text: str, now: dt.datetime) -> dt.datetime:
    """`90m`, `24h`, `3d`, or an instant with its zone."""
    import re

    if found := re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", text):
        unit = {"m": "minutes", "h": "hours", "d": "days"}[found[2]]
        return now + dt.timedelta(**{unit: int(found[1])})
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError as error:
        told = "90m, 24h, 3d, or 2026-11-28T10:00:00Z"
        raise click.BadParameter(told, param_hint="--expires") from error
    if at.tzinfo is None:
        raise click.BadParameter("an instant needs its zone: ...Z", param_hint="--expires")
    return at


@gameday.command()
@of_a_day
@click.option("--as", "who", callback=line, help="Who starts it. Default: who asked for it.")
@click.option("--dated", is_flag=True, help="The day's name ends with today's date: for timers.")
@click.option("--no-questions", is_flag=True, help="Ask nobody, also at a terminal.")
def start(*, file: Path, name: str, out: Path, who: str, dated: bool, no_questions: bool) -> int:
    """Go or no-go, then one scenario after another; started again, it goes on where it was.

    Exits 0 when every scenario was met, 1 when one was missed, 2 when nothing was started, else 3.
    """
    from harness.core.gameday.view import view_of
    from harness.gameday.conduct import conduct
    from harness.gameday.windows import now_utc, refuse_outside

    call = opened(file, name, out)
    if dated:
        call = opened(file, f"{call.day.name}-{now_utc():%Y%m%d}", out)
    if not call.book.exists:
        refuse_outside(call.day, call.policy, now_utc())  # a day that cannot begin leaves nothing
    nobody = no_questions or not (sys.stdin.isatty() and sys.stderr.isatty())
    conduct(scene(call, who, None if nobody else _ask))
    _print_status(call)
    return view_of(call.day, call.book.entries()).verdict.exit_code


def _ask(to: str, role: str, text: str) -> tuple[str, bool, str] | None:
    """At the terminal; an empty name means that nobody answers now."""
    say(f"{to}: {text}")
    who = str(click.prompt(f"who answers as {role}? (empty: nobody)", default="", err=True))
    if not who.strip():
        return None
    yes = click.confirm("yes?", err=True)
    words = str(click.prompt("in words (may be empty)", default="", err=True))
    return who.strip(), yes, "".join(c for c in words if c.isprintable())[:LINE_MAX]


@gameday.command()
@of_a_day
def status(*, file: Path, name: str, out: Path) -> int:
    """How far the day has come. Holds every record, and a closed day's manifest, against itself."""
    from harness.core.gameday.state import Phase
    from harness.gameday.ending import hold_to_manifest

    call = opened(file, name, out)
    if not call.book.exists:
        click.echo(f"{call.day.name} has not begun: there is no {call.book.folder}")
        return 0
    _print_status(call)
    if call.book.state().phase is Phase.CLOSED:
        hold_to_manifest(call.book)
        click.echo("closed; every file of the day is the one that was signed")
    return 0


def _print_status(call: Call) -> None:
    from harness.commands.gameday_text import status_lines
    from harness.core.gameday.view import view_of

    view = view_of(call.day, call.book.entries())
    for text in status_lines(view, call.book.state(), conducted=call.book.is_conducted()):
        click.echo(text)


@gameday.command()
@of_a_day
@click.option("--who", required=True, callback=line, help="Who decides it.")
@click.option("--why", required=True, callback=line, help="In one line; it is kept.")
def abort(*, file: Path, name: str, out: Path, who: str, why: str) -> int:
    """The red button of the day: the drill in progress is undone, and the day stops."""
    from harness.gameday import ending

    call = opened(file, name, out)
    ending.abort(scene(call, who), who, why)
    _print_status(call)
    return 0


@gameday.command()
@of_a_day
@click.option("--who", required=True, callback=line, help="Whom it is about.")
@click.option("--what", required=True, callback=line, help="paged, joined, decided ...")
@click.option("--when", default="", help="A UTC instant. Default: now.")
def note(*, file: Path, name: str, out: Path, who: str, what: str, when: str) -> int:
    """A line of the human time line."""
    from harness.gameday import answers
    from harness.gameday.windows import now_utc

    told = answers.note(opened(file, name, out).book, who, what, now_utc(), when=when)
    say(f"noted: {told.when_utc} {told.who}: {told.what}")
    return 0


@gameday.command()
@of_a_day
@click.option("--to", required=True, help="A question, or a communication: see `plan`.")
@click.option("--as", "who", required=True, callback=line, help="Who answers: a participant.")
@click.option("--yes/--no", "said_yes", required=True, default=None)
@click.option("--words", default="", callback=line, help="In one line, for the report.")
def answer(
    *, file: Path, name: str, out: Path, to: str, who: str, said_yes: bool, words: str
) -> int:
    """Answer a go/no-go question, or confirm that somebody was told."""
    from harness.gameday import answers
    from harness.gameday.conduct import refuse_another_plan
    from harness.gameday.windows import now_utc

    call = opened(file, name, out)
    refuse_another_plan(call.book, call.day)
    answers.answer(call.book, call.day, to, who, said_yes=said_yes, words=words, now=now_utc())
    say(f"{to}: {'yes' if said_yes else 'no'}, says {who}")
    return 0


@gameday.command()
@of_a_day
@click.option("--who", required=True, callback=line, help="Who closes the day.")
def close(*, file: Path, name: str, out: Path, who: str) -> int:
    """The post-exercise report, signed with everything of the day; nothing is added after it.

    Refused while a finding lacks its owner or its date.
    """
    from harness.core.gameday.view import view_of
    from harness.evidence.keys import signer
    from harness.gameday import ending
    from harness.gameday.conduct import refuse_another_plan
    from harness.gameday.windows import now_utc
    from reports.gameday_report import SignedBy, render_gameday

    call = opened(file, name, out)
    ending.refuse_unready(call.book)
    refuse_another_plan(call.book, call.day)

    def render() -> dict[str, str]:
        key = signer().public
        view = view_of(call.day, call.book.entries())
        return render_gameday(view, SignedBy(key.key_id, key.self_signed))

    folder = ending.close(call.book, who, render, now_utc())
    _print_status(call)
    click.echo(f"closed; the report is {folder / ending.REPORT_HTML}")
    return 0
