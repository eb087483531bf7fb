"""`peakdrill check` and `peakdrill report`: what a run directory says."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.commands.options import FILE, run_names
from harness.errors import Refused

_DIFFERS = 4


def run_directory(named: Path) -> Path:
    """A run's directory, by its path or by its name under ./runs."""
    for candidate in (named, Path("runs") / named):
        if candidate.is_dir():
            return candidate
    raise Refused(
        f"there is no run directory {named}",
        next_step="name the directory that `peakdrill run` printed, runs/<run>",
    )


@click.command()
@click.argument("run", type=FILE, shell_complete=run_names)
@click.option("--print-verdict", is_flag=True, help="The recomputed verdict.json, and no more.")
def check(*, run: Path, print_verdict: bool) -> int:
    """Judge a run again from its evidence alone, and compare. Writes nothing.

    Exits by the recomputed verdict, and with 4 where it differs from the stored one.
    """
    directory = run_directory(run)
    from harness.evidence.check import check as recompute

    checked = recompute(directory)
    same = checked.stored == checked.recomputed
    if print_verdict:
        sys.stdout.flush()
        sys.stdout.buffer.write(checked.recomputed)
        sys.stdout.buffer.flush()
    else:
        click.echo(f"{checked.judgement.verdict.value}: {checked.judgement.scenario}")
        for reason in checked.judgement.reasons:
            click.echo(f"  {reason}")
        if same:
            click.echo("the recomputed verdict is the stored one, byte for byte")
    if not same:
        told = "the recomputed verdict differs from the stored one"
        if not checked.stored:
            told = "the run stored no verdict: it never came to its end"
        click.echo(f"peakdrill: {directory.name}: {told}", err=True)
        return _DIFFERS
    return checked.judgement.verdict.exit_code


@click.command()
@click.argument("run", type=FILE, shell_complete=run_names)
@click.option("--html", "form", flag_value="html", help="One self-contained file.")
@click.option("--json", "form", flag_value="json", help="By the published schema.")
@click.option("--junit", "form", flag_value="junit", help="One case per workload and check.")
@click.option("--markdown", "form", flag_value="markdown", help="A summary for CI.")
@click.option("--out", type=FILE, help="Write to this file instead of stdout.")
@click.option("--allow-skip", multiple=True, metavar="CAPABILITY", help="For --junit.")
def report(*, run: Path, form: str | None, out: Path | None, allow_skip: tuple[str, ...]) -> int:
    """Render a run again from its evidence; without a format, on the terminal."""
    if form is None and out is not None:
        raise click.UsageError("--out needs one of --html, --json, --junit, --markdown")
    directory = run_directory(run)
    from harness.commands import rendering
    from harness.evidence.load import load_record

    record = load_record(directory)
    if form is None:
        rendering.print_verdict(record, directory)
        return 0
    text = rendering.as_text(record, form, allow_skip=frozenset(allow_skip))
    if out is None:
        click.echo(text, nl=not text.endswith("\n"))
        return 0
    if out.resolve().is_relative_to(directory.resolve()):
        _check_its_place(out, directory, form)
        rendering.write_again(record, directory, allow_skip=frozenset(allow_skip))
    else:
        _write(out, text)
    click.echo(str(out), err=True)
    return 0


def _check_its_place(out: Path, directory: Path, form: str) -> None:
    """Into the run directory goes a report under its own name, with the others, signed again."""
    from harness.evidence import layout

    own = dict(zip(("html", "json", "junit", "markdown"), layout.REPORTS, strict=True))[form]
    if out.resolve() != directory.resolve() / own:
        raise Refused(
            f"{out} is no report of {directory.name}: its evidence stays as it is",
            next_step=f"--out {directory / own} writes its reports again, or name a file elsewhere",
        )


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(
            f"cannot write {out}: {error.strerror}", next_step="name another file with --out"
        ) from error
