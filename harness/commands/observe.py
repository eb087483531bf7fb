"""`peakdrill observe`: tell other systems of a stored run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from harness.commands.options import FILE, run_names
from harness.commands.runs import run_directory

if TYPE_CHECKING:
    from harness.observe.destinations import Destinations

C = TypeVar("C", bound=Callable[..., object])
_NOT_SENT = 5


def observe_options(function: C) -> C:
    """Where a run is told to; each may come from the environment, too."""
    options = [
        click.option("--otlp", metavar="URL", help="OpenTelemetry collector, OTLP over HTTP."),
        click.option("--otlp-token-file", type=FILE, help="A bearer token for it."),
        click.option(
            "--prometheus-file", type=FILE, help="A .prom file, or the textfile collector's folder."
        ),
        click.option("--grafana", metavar="URL", help="Annotations of the fault's windows."),
        click.option("--grafana-token-file", type=FILE, help="A service account's token."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def destinations(
    *,
    otlp: str | None,
    otlp_token_file: Path | None,
    prometheus_file: Path | None,
    grafana: str | None,
    grafana_token_file: Path | None,
) -> Destinations:
    """Checked: what cannot work is refused before anything is done. Raises UsageError."""
    from harness.observe.destinations import Destinations, or_environment

    asked = Destinations(otlp, otlp_token_file, prometheus_file, grafana, grafana_token_file)
    found = or_environment(asked)
    found.check()
    return found


@click.command()
@click.argument("run", type=FILE, shell_complete=run_names)
@observe_options
def observe(
    *,
    run: Path,
    otlp: str | None,
    otlp_token_file: Path | None,
    prometheus_file: Path | None,
    grafana: str | None,
    grafana_token_file: Path | None,
) -> int:
    """Send a run's phases, figures and fault windows to monitoring systems.

    The run is judged again from its evidence first. Exits with 5 where something was not taken.
    """
    to = destinations(
        otlp=otlp,
        otlp_token_file=otlp_token_file,
        prometheus_file=prometheus_file,
        grafana=grafana,
        grafana_token_file=grafana_token_file,
    )
    if not to:
        raise click.UsageError("name at least one of --otlp, --prometheus-file, --grafana")
    directory = run_directory(run)
    from harness.evidence.load import load_record
    from harness.observe.export import export

    sent = export(load_record(directory), to)
    for one in sent:
        click.echo(f"{one.name}: {one.told}", err=not one.done)
    return 0 if all(one.done for one in sent) else _NOT_SENT
