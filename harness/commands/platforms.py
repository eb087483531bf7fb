"""`peakdrill platform up|status|down` and `peakdrill undo`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.commands.options import FILE


@click.group()
def platform() -> None:
    """Start, look at and end the embedded platform."""


@platform.command()
@click.option("--async", "asynchronous", is_flag=True, help="The standby may lag behind.")
@click.option("--dialect", type=click.Choice(["14", "18", "19"]), help="The Odoo that is spoken.")
@click.option("--platform", "platform_file", type=FILE, help="A platform.yaml.")
@click.option("--fresh", is_flag=True, help="From nothing, without the cached snapshot.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")
def up(
    *,
    asynchronous: bool,
    dialect: str | None,
    platform_file: Path | None,
    fresh: bool,
    as_json: bool,
) -> int:
    """Start it; it stays up until `peakdrill platform down`."""
    from dataclasses import replace

    from harness.commands import rendering
    from harness.inputs.platform_file import PlatformOptions, read_platform
    from harness.platforms.embedded import find, up

    options = PlatformOptions() if platform_file is None else read_platform(platform_file)
    if asynchronous:
        options = replace(options, synchronous=False)
    if dialect:
        options = replace(options, dialect=int(dialect))
    progress = rendering.progress(silent=as_json)
    try:
        if find() is None:
            up(
                synchronous=options.synchronous,
                dialect=options.dialect,
                fresh=fresh,
                progress=progress,
            )
        else:
            click.echo("a platform is up already; it stays as it is", err=True)
    finally:
        progress.close()
    return _tell(as_json=as_json)


@platform.command()
@click.option("--json", "as_json", is_flag=True, help="Every endpoint, as JSON.")
def status(*, as_json: bool) -> int:
    """What runs, and where: URLs, DSN, S3, queue. Secrets are named by file."""
    return _tell(as_json=as_json)


@platform.command()
def down() -> int:
    """End it, and remove its data."""
    from harness.platforms.embedded import find

    found = find()
    if found is None:
        click.echo("no platform is up")
        return 0
    found.down()
    click.echo(f"ended; {found.directory} is gone")
    return 0


def _tell(*, as_json: bool) -> int:
    from harness.platforms.embedded import find

    found = find()
    told: dict[str, object] = {"up": False} if found is None else dict(found.status())
    if as_json:
        click.echo(json.dumps(told, indent=2, sort_keys=True, default=str))
    elif found is None:
        click.echo("no platform is up; `peakdrill platform up` starts one")
    else:
        _tell_flat(told, "")
    return 0


def _tell_flat(value: object, name: str) -> None:
    """Nested values as `a.b: c`, one a line."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            _tell_flat(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and value:
        for index, item in enumerate(value):
            _tell_flat(item, f"{name}[{index}]")
    else:
        click.echo(f"{name}: {value}")


@click.command()
def undo() -> int:
    """Mend what a killed run left broken. Harmless when nothing is."""
    from harness.faults.undo import replay
    from harness.platforms import find

    running = find.running()
    if running is None:
        click.echo("no platform is up: nothing to undo")
        return 0
    mended = replay(running)
    for deed in mended:
        click.echo(f"mended: {deed}")
    if not mended:
        click.echo("nothing was broken")
    return 0
