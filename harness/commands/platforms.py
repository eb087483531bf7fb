"""`peakdrill platform up|status|down` and `peakdrill undo`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import click

from harness.commands.options import FILE
from harness.commands.platform_check import check

if TYPE_CHECKING:
    from harness.progress import Progress


@click.group()
def platform() -> None:
    """Start, look at and end a platform: the embedded one, or one of another kind."""


@runtime_checkable
class _Told(Protocol):
    """One that says what runs, and where."""

    def status(self) -> dict[str, object]: ...


@runtime_checkable
class _TakenUp(Protocol):
    """One that may have been brought from elsewhere."""

    @property
    def brought_by(self) -> str: ...
    def down(self, *, brought_elsewhere: bool = False) -> None: ...


platform.add_command(check)
_ON = click.option("--on", help="Of which kind; by default what --platform describes, or embedded.")
_FILE = click.option("--platform", "platform_file", type=FILE, help="A platform.yaml.")
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")


@platform.command()
@_ON
@click.option("--async", "asynchronous", is_flag=True, help="The standby may lag behind.")
@click.option("--dialect", type=click.Choice(["14", "18", "19"]), help="The Odoo that is spoken.")
@click.option("--port", type=click.IntRange(1024, 65535), help="The ingress's, on 127.0.0.1.")
@_FILE
@click.option("--fresh", is_flag=True, help="From nothing, without the cached snapshot.")
@click.option("--yes", is_flag=True, help="Do not ask before bringing a stack to a cluster.")
@_JSON
def up(
    *,
    on: str | None,
    asynchronous: bool,
    dialect: str | None,
    port: int | None,
    platform_file: Path | None,
    fresh: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Start it; it stays up until `peakdrill platform down`."""
    from harness.commands import rendering
    from harness.inputs.platform_file import EMBEDDED
    from harness.platforms import find

    kind = _kind(on, platform_file)
    if kind != EMBEDDED and (asynchronous or dialect or port or fresh):
        raise click.UsageError(
            f"--async, --dialect, --port and --fresh are of the embedded platform; {kind} is set "
            "up by --platform platform.yaml"
        )
    if find.running(kind, platform_file) is not None:
        click.echo("a platform is up already; it stays as it is", err=True)
        return _tell(kind, platform_file, as_json=as_json)
    agreed = kind != EMBEDDED and is_agreed(kind, platform_file, yes=yes)
    progress = rendering.progress(silent=as_json)
    try:
        if kind == EMBEDDED:
            asked = {"dialect": int(dialect) if dialect else None, "ingress_port": port}
            _up_embedded(platform_file, progress, asked, synchronous=not asynchronous, fresh=fresh)
        else:
            find.start(kind, platform_file, agreed=agreed, progress=progress)
    finally:
        progress.close()
    return _tell(kind, platform_file, as_json=as_json)


def _up_embedded(
    platform_file: Path | None,
    progress: Progress,
    asked: Mapping[str, int | None],
    *,
    synchronous: bool,
    fresh: bool,
) -> None:
    """What is asked for on the command line goes before what the file says."""
    from harness.inputs.platform_file import PlatformOptions, read_platform
    from harness.platforms.embedded import platform as embedded

    options = PlatformOptions() if platform_file is None else read_platform(platform_file)
    embedded.up(
        synchronous=options.synchronous and synchronous,
        dialect=asked["dialect"] or options.dialect,
        leader_ttl_s=options.leader_ttl_s,
        ingress_port=asked["ingress_port"] or options.ingress_port,
        fresh=fresh,
        progress=progress,
    )


@platform.command()
@_ON
@_FILE
@click.option("--json", "as_json", is_flag=True, help="Every endpoint, as JSON.")
def status(*, on: str | None, platform_file: Path | None, as_json: bool) -> int:
    """What runs, and where: URLs, DSN, S3, queue. Secrets are named by file."""
    return _tell(_kind(on, platform_file, default=""), platform_file, as_json=as_json)


@platform.command()
@_ON
@_FILE
@click.option(
    "--brought-elsewhere", is_flag=True, help="Also a stack that somebody brought from elsewhere."
)
def down(*, on: str | None, platform_file: Path | None, brought_elsewhere: bool) -> int:
    """End it, and remove its data: everything that `up` made, and nothing else."""
    from harness.platforms import find
    from harness.tenancy import lock
    from harness.tenancy.left_behind import mend_what_outlives

    kind = _kind(on, platform_file, default="")
    if not kind and len(every := find.every_running()) > 1:
        raise click.UsageError(
            f"several platforms are up ({', '.join(p.directory.name for p in every)}): say which "
            "one, --on KIND or --platform platform.yaml"
        )
    found = find.running(kind, platform_file)
    if found is None:
        click.echo("no platform is up")
        return 0
    with lock.alone(found):  # never under a drill that lives
        mend_what_outlives(found, click.echo)
        if isinstance(found, _TakenUp) and found.brought_by:
            found.down(brought_elsewhere=brought_elsewhere)
            if not brought_elsewhere:
                click.echo(
                    f"forgotten here, and left as it is: it was brought by {found.brought_by}; "
                    "--brought-elsewhere ends it"
                )
                return 0
        else:
            found.down()
    click.echo(f"ended; {found.directory} is gone")
    return 0


def is_agreed(kind: str, platform_file: Path | None, *, yes: bool) -> bool:
    """Whether a stack may be brought to a cluster: said by an option, by the file, or asked."""
    from harness.inputs.platform_file import KUBERNETES

    if kind != KUBERNETES or yes:
        return True
    from harness.platforms.kubernetes.kind import options_of

    options = options_of(platform_file)
    if options.disposable:
        return True
    if not sys.stdin.isatty():
        return False  # it is refused with what to do about it
    from harness.platforms.kubernetes.up import question

    return click.confirm(question(options), err=True)


def _kind(on: str | None, platform_file: Path | None, *, default: str = "embedded") -> str:
    """As said, as the file describes, or the default; "" is any that is up."""
    from harness.errors import UsageError
    from harness.inputs.platform_file import ODOO, kind_of, read_platform
    from harness.inputs.words import did_you_mean, shown
    from harness.platforms import find

    if on is not None and on not in find.OURS:
        raise UsageError(
            f"there is no platform {shown(on)} to bring up{did_you_mean(on, find.OURS)}; "
            f"there are: {', '.join(find.OURS)}"
        )
    described = kind_of(platform_file) if platform_file else None
    if platform_file and described == ODOO:
        read_platform(platform_file)  # says why not
    if on is not None and described is not None and on != described:
        raise UsageError(f"{platform_file} describes {described}, not {on}")
    return on or described or default


def _tell(kind: str, platform_file: Path | None, *, as_json: bool) -> int:
    from harness.platforms import find

    found: object = find.running(kind, platform_file)
    told: dict[str, object] = {"up": found is not None}
    if isinstance(found, _Told):
        told |= found.status()
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
