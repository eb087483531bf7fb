"""`peakdrill schedule`: a drill or a game day that comes again, for systemd or Kubernetes."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.core.cron import Cron
    from harness.many_runs.scheduling import Repeated

_VOLUME = "/var/lib/peakdrill/runs"
_ACCOUNT = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("what")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--every", required=True, help="daily, weekly, monthly, quarterly, yearly, or cron.")
@click.option("--as", "form", type=click.Choice(["systemd", "cronjob"]), required=True)
@click.option("--image", default="peakdrill:latest", show_default=True, help="Of the CronJob.")
@click.option("--claim", default="peakdrill", show_default=True, help="Its volume claim, for runs.")
@click.option(
    "--service-account",
    metavar="NAME",
    help="Of the CronJob, for a drill in its own cluster. Without it no token is mounted.",
)
@click.option("--json", "as_json", is_flag=True, help="The units by name, as JSON.")
def schedule(
    *,
    what: str,
    words: tuple[str, ...],
    every: str,
    form: str,
    image: str,
    claim: str,
    service_account: str | None,
    as_json: bool,
) -> int:
    """Print a systemd service and timer, or a Kubernetes CronJob. Nothing is installed.

    WHAT is a gameday.yaml or a scenario; what follows it is given to `gameday start` or `run`.
    All times are UTC.
    """
    from harness.many_runs import scheduling

    account = _account(service_account, form)
    repeated = _repeated(what, words, _when(every), inside=form == "cronjob")
    if form == "cronjob":
        click.echo(
            scheduling.cron_job(repeated, image=image, claim=claim, account=account), nl=False
        )
        return 0
    units = scheduling.systemd_units(repeated, program=_program(), folder=str(Path.cwd()))
    click.echo(scheduling.as_json(units) if as_json else scheduling.listing(units))
    return 0


def _account(name: str | None, form: str) -> str:
    if name is None:
        return ""
    if form != "cronjob":
        raise click.UsageError("--service-account is a CronJob's: --as cronjob")
    if len(name) > 253 or not _ACCOUNT.fullmatch(name):
        raise click.BadParameter("no name of a service account", param_hint="--service-account")
    return name


def _when(every: str) -> Cron:
    from harness.core.cron import cron

    try:
        return cron(every)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--every") from error


def _repeated(what: str, words: tuple[str, ...], when: Cron, *, inside: bool) -> Repeated:
    """Read once, so that a mistake is told now and not at three in the morning."""
    from harness.inputs.gameday_file import read_gameday
    from harness.inputs.scenario_file import load_scenario
    from harness.inputs.yaml_lines import read_text
    from harness.many_runs.scheduling import Repeated

    file = Path(what)
    where = ("--out", _VOLUME) if inside and "--out" not in words else ()
    if file.suffix in {".yaml", ".yml"}:
        day = read_gameday(file)
        named = file.name if inside else str(file.resolve())
        command = ("gameday", "start", named, "--dated", "--no-questions", *where, *words)
        beside = [f for f in (day.platform_file, day.targets_file) if f]
        files = {Path(f).name: read_text(Path(f)) for f in (str(file), *beside)} if inside else {}
        return Repeated(
            f"gameday {day.name}", f"peakdrill: game day {day.name}", command, when, files
        )
    scenario = load_scenario(what).scenario
    named = str(file.resolve()) if file.is_file() else what
    command = ("run", named, *where, *words)
    return Repeated(scenario.name, f"peakdrill: {scenario.name}", command, when)


def _program() -> tuple[str, ...]:
    """By its absolute path: a timer knows no PATH of ours."""
    beside = Path(sys.executable).with_name("peakdrill")
    found = str(beside) if beside.exists() else shutil.which("peakdrill")
    return (found,) if found else (sys.executable, "-m", "harness.cli")
