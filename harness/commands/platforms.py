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
@click.option("--port", type=click.IntRange(1024, 65535), help="The ingress's, on 127.0.0.1.")
@click.option("--platform", "platform_file", type=FILE, help="A platform.yaml.")
@click.option("--fresh", is_flag=True, help="From nothing, without the cached snapshot.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")
def up(
    *,
    asynchronous: bool,
    dialect: str | None,
    port: int | None,
    platform_file: Path | None,
    fresh: bool,
    as_json: bool,
) -> int:
    """Start it; it stays up until `peakdrill platform down`."""
    from harness.commands import rendering
    from harness.inputs.platform_file import PlatformOptions, read_platform
    from harness.platforms.embedded import platform as embedded

    options = PlatformOptions() if platform_file is None else read_platform(platform_file)
    if embedded.find() is not None:
        click.echo("a platform is up already; it stays as it is", err=True)
        return _tell(as_json=as_json)
    progress = rendering.progress(silent=as_json)
    try:
        embedded.up(
            synchronous=options.synchronous and not asynchronous,
            dialect=int(dialect) if dialect else options.dialect,
            leader_ttl_s=options.leader_ttl_s,
            ingress_port=port or options.ingress_port,
            fresh=fresh,
            progress=progress,
        )
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
    from harness.platforms.embedded import platform as embedded

    found = embedded.find()
    if found is None:
        click.echo("no platform is up")
        return 0
    found.down()
    click.echo(f"ended; {found.directory} is gone")
    return 0


def _tell(*, as_json: bool) -> int:
    from harness.platforms.embedded import platform as embedded

    found = embedded.find()
    told: dict[str, object] = {"up": False} if found is None else {"up": True, **found.status()}
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
    """Mend what a killed run left broken, and end its platform. Harmless when nothing is."""
    from harness.tenancy import adoption, mending

    said: list[str] = []

    def say(what: str) -> None:
        said.append(what)
        click.echo(what)

    found = mending.mend_every(say)
    found |= adoption.mend_all(say)
    if not said:
        click.echo("nothing was broken" if found else "no platform is up: nothing to undo")
    return 0
