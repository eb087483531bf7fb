"""`peakdrill observe`: tell other systems of a stored run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

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


def taken_from(asked: dict[str, Any]) -> Destinations:
    """Takes what `observe_options` gave out of `asked`; what is not there the environment says.

    Raises UsageError for what cannot work, before anything is done.
    """
    from harness.observe.destinations import Destinations, or_environment

    found = or_environment(
        Destinations(
            otlp_url=asked.pop("otlp"),
            otlp_token_file=asked.pop("otlp_token_file"),
            prometheus_file=asked.pop("prometheus_file"),
            grafana_url=asked.pop("grafana"),
            grafana_token_file=asked.pop("grafana_token_file"),
        )
    )
    found.check()
    return found


@click.command()
@click.argument("run", type=FILE, shell_complete=run_names)
@observe_options
def observe(*, run: Path, **asked: object) -> int:
    """Send a run's phases, figures and fault windows to monitoring systems.

    The run is judged again from its evidence first. Exits with 5 where something was not taken.
    """
    to = taken_from(asked)
    if not to:
        raise click.UsageError("name at least one of --otlp, --prometheus-file, --grafana")
    directory = run_directory(run)
    from harness.evidence.load import load_record
    from harness.observe.export import export

    sent = export(load_record(directory), to)
    for one in sent:
        click.echo(f"{one.name}: {one.told}", err=not one.done)
    return 0 if all(one.done for one in sent) else _NOT_SENT
