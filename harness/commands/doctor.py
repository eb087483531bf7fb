"""`peakdrill doctor`: what this machine can run, and what is missing."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from harness.commands.doctor_checks import Line, examine

_CANNOT = 2


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")
def doctor(*, as_json: bool) -> int:
    """Say what this machine can run and what is missing. Changes nothing.

    Exits 0 unless the default platform (embedded) cannot run.
    """
    lines = examine()
    missing = [line for line in lines if line.needed and not line.ok]
    if as_json:
        told = {"embedded_can_run": not missing, "lines": [asdict(line) for line in lines]}
        click.echo(json.dumps(told, indent=2, sort_keys=True))
    else:
        for line in lines:
            click.echo(_told(line))
        click.echo("")
        click.echo(
            f"the embedded platform cannot run: {len(missing)} missing"
            if missing
            else "the embedded platform can run: peakdrill run node-loss"
        )
    return _CANNOT if missing else 0


def _told(line: Line) -> str:
    mark = "ok" if line.ok else "missing"
    text = f"{mark:<9}{line.name:<20}{line.found}"
    if line.ok:
        return text
    return f"{text}\n{'':<29}-> {line.how}{'' if line.needed else f' (only for {line.serves})'}"
