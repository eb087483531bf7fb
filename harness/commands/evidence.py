"""`peakdrill verify` and `peakdrill evidence`: can a run be believed, and who says so?"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from harness.commands.evidence_ship import ship_run
from harness.commands.options import FILE, run_names
from harness.errors import DamagedEvidence, Refused

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("run", metavar="DIR", type=FILE, shell_complete=run_names)
@click.option("--chain", type=FILE, metavar="STORE", help="The folder of runs: every one before.")
@click.option(
    "--key",
    "key_files",
    type=FILE,
    multiple=True,
    help="A public key that you trust. Repeatable. Default: $PEAKDRILL_TRUSTED_KEYS.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")
def verify(*, run: Path, chain: Path | None, key_files: tuple[Path, ...], as_json: bool) -> int:
    """Is a run what was signed, and does it say what its evidence gives? Writes nothing.

    Exits with 0 when every byte, the signatures, the link and every number hold, 4 when one does
    not, and 3 when the run is unsigned or something was left out of it.
    """
    from harness.commands import rendering
    from harness.commands.evidence_text import text_of
    from harness.commands.runs import run_directory
    from harness.evidence.canonical import dumps
    from harness.evidence.keys import read_public
    from harness.evidence.verify import verify as verified

    keys = [read_public(file) for file in key_files] or None
    found = verified(run_directory(run), chain=chain, keys=keys, render=rendering.render_all)
    if as_json:
        signer = found.signer.key_id if found.signer else ""
        plain = {name: getattr(found, name) for name in found.__slots__ if name != "signer"}
        click.echo(dumps({**plain, "key_id": signer}).decode(), nl=False)
    else:
        click.echo(text_of(found))
    return found.exit_code


@click.group()
def evidence() -> None:
    """Keys, signatures, and the auditor's bundle."""


@evidence.command("key")
@click.option("--new", type=FILE, metavar="FILE", help="Make a key in FILE and FILE.pub.")
def key(*, new: Path | None) -> int:
    """Show who signs here, as a public key to hand out; or make a key."""
    from harness.evidence import keys

    if new is not None:
        made = keys.make_key(new).public
        click.echo(f"key {made.key_id} is in {new}; hand out {new}.pub, and keep {new} to yourself")
        click.echo(f"  next: export {keys.KEY_FILE}={new.absolute()}")
        return 0
    public = keys.signer().public
    if public.self_signed:
        click.echo(
            f"self-signed: no key is named, so that the installation's signs: {public.key_id}"
        )
        click.echo(f"  next: peakdrill evidence key --new FILE, and {keys.KEY_FILE}=FILE")
    else:
        click.echo(f"signed by key {public.key_id}")
    click.echo(public.pem().decode(), nl=False)
    return 0


@evidence.command("seal")
@click.argument("run", metavar="DIR", type=FILE, shell_complete=run_names)
def seal(*, run: Path) -> int:
    """Sign a run that was not signed at its end, and its reports. It is judged again first.

    The statement says when it was signed: nothing vouches for the time before.
    """
    from harness.commands import rendering
    from harness.commands.runs import run_directory
    from harness.evidence import signing
    from harness.evidence.late import reports_alone, sign_late
    from harness.evidence.load import load_record
    from harness.evidence.verify import verify as verified

    directory = run_directory(run).resolve()
    notary = signing.ready(directory.parent)
    was_unsigned = sign_late(directory, notary, signed_utc=signing.now_utc())
    if not was_unsigned:
        reports_alone(verified(directory, keys=(), render=rendering.render_all))
    rendering.write_again(load_record(directory), directory, allow_skip=frozenset())
    after = verified(directory, keys=(), render=rendering.render_all)
    if after.problems:
        raise DamagedEvidence(f"{directory.name}: {after.problems[0].name}: not sealed")
    what = "the run and its reports" if was_unsigned else "the reports"
    click.echo(f"signed: {what} of {directory.name}, by key {notary.signer.public.key_id}")
    return 0


@evidence.command("export")
@click.option("--from", "first", type=DAY, required=True, help="The first day, UTC: 2026-11-01.")
@click.option("--to", "last", type=DAY, required=True, help="The last day, UTC; it belongs to it.")
@click.option("--out", type=FILE, metavar="FILE.zip", help="Default: evidence-FROM-TO.zip.")
@click.option("--runs", type=FILE, default="runs", show_default=True, help="The folder of runs.")
@click.option("--without-bulk", is_flag=True, help="Leave out ledgers, read-backs and logs.")
def export(
    *, first: dt.datetime, last: dt.datetime, out: Path | None, runs: Path, without_bulk: bool
) -> int:
    """The auditor's bundle of a period: runs, envelopes, keys, chain, and which clauses they serve.

    Exits with 0 when every run of it holds, 3 when one is unsigned, 4 when one is damaged or gone.
    """
    from harness.commands import rendering
    from harness.evidence.export import export as exported
    from harness.evidence.period import Period
    from harness.gameday.ending import day_holds

    period = Period(f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}")
    if period.first > period.last:
        raise click.BadParameter("it is before --from", param_hint="--to")
    if not runs.is_dir():
        raise Refused(f"there is no folder {runs}", next_step="name the runs' folder with --runs")
    file = out or Path(f"evidence-{period.first}-{period.last}.zip")
    index = exported(
        runs, period, file, bulk=not without_bulk,
        render=rendering.render_all, page=rendering.bundle_page, day_holds=day_holds,
    )  # fmt: skip
    click.echo(f"{index.worst.value}: {rendering.bundle_headline(index)}")
    for run in index.runs:
        for problem in run.problems:
            name = rendering.clean(f"{run.run_id}/{problem.name}: {problem.what}")
            click.echo(f"  {name}")
    for control in index.controls:
        limits = "".join(f"; {limit}" for limit in control.limits)
        told = rendering.clean(f"{control.clause}: {control.asks}{limits}")
        click.echo(f"  {control.status.value:<16} {told}")
    click.echo(f"  {file}")
    return index.worst.exit_code


evidence.add_command(ship_run)
