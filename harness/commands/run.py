"""`peakdrill run` and `peakdrill plan`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from harness.commands import evidence_ship
from harness.commands.observe import observe_options, taken_from
from harness.commands.options import FILE, amount, peak, scenario_names
from harness.errors import Interrupted

if TYPE_CHECKING:
    from harness.core.guard import GuardRails
    from harness.core.record import RunRecord
    from harness.observe.destinations import Destinations
    from harness.session import Order

C = TypeVar("C", bound=Callable[..., object])

_MAX_SEED = 2**32 - 1


def _order_options(function: C) -> C:
    """What `run` and `plan` both take."""
    options = [
        click.argument("scenario", shell_complete=scenario_names),
        click.option(
            "--on", help="The platform to drill; by default what --platform describes, or embedded."
        ),
        click.option("--targets", type=FILE, help="Default: ./targets.yaml, else the example."),
        click.option("--experiment", type=FILE, help="A name or a file, for the scenario's own."),
        click.option("--platform", "platform_file", type=FILE, help="A platform.yaml."),
        click.option(
            "--size",
            type=click.Choice(["smoke", "full"]),
            default="full",
            show_default=True,
            help="smoke: at most 100 s, and never a proof.",
        ),
        click.option("--peak", type=peak, default="1x", show_default=True, metavar="1x|2x|3x"),
        click.option("--seed", type=click.IntRange(0, _MAX_SEED), help="Default: a new one."),
        click.option(
            "--workers",
            type=click.IntRange(1, 64),
            default=1,
            show_default=True,
            help="Load workers, each with its own share of the schedule.",
        ),
        click.option(
            "--workers-in",
            type=click.Choice(["here", "pods"]),
            default="here",
            show_default=True,
            help="here: beside the harness. pods: in the cluster that is drilled.",
        ),
        click.option("--release", default="", help="The release that is drilled, for the history."),
        click.option("--season", help="Default: the one that the targets declare."),
        click.option("--tenant", default="", help="Whose overrides hold."),
        click.option("--alerts", metavar="URL", help="The platform's Prometheus or Alertmanager."),
        click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def _guard_options(function: C) -> C:
    """What ends a drill early: `plan` takes them too, and prints them."""
    options = [
        click.option(
            "--abort-refused-per-minute",
            type=click.IntRange(0),
            metavar="N",
            help="Undo the fault when more orders than N were refused within a minute.",
        ),
        click.option(
            "--abort-money",
            type=amount,
            metavar="AMOUNT",
            help="... when more than this is at risk, in the currency of the targets.",
        ),
        click.option(
            "--abort-alert",
            multiple=True,
            metavar="NAME",
            help="... when this alert of the platform fires. Repeatable.",
        ),
        click.option(
            "--heartbeat-s",
            type=click.FloatRange(1, 600),
            default=15.0,
            show_default=True,
            help="... when the prober is silent for longer.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def _guards(
    refused: int | None, money: int | None, alerts: tuple[str, ...], heartbeat_s: float
) -> GuardRails:
    from harness.core.guard import GuardRails

    for name in alerts:
        if not name or len(name) > 100 or not name.isprintable():
            raise click.BadParameter("1 to 100 printable characters", param_hint="--abort-alert")
    return GuardRails(refused, money, tuple(dict.fromkeys(alerts)), heartbeat_s)


def _order(
    *,
    scenario: str,
    on: str | None,
    targets: Path | None,
    experiment: Path | None,
    platform_file: Path | None,
    size: str,
    peak: float,
    seed: int | None,
    workers: int,
    workers_in: str,
    release: str,
    season: str | None,
    tenant: str,
    alerts: str | None,
    abort_refused_per_minute: int | None,
    abort_money: int | None,
    abort_alert: tuple[str, ...],
    heartbeat_s: float,
    out: Path = Path("runs"),
    observe: Destinations | None = None,
) -> Order:
    from harness.core.load_places import WorkersIn
    from harness.core.plan import Size
    from harness.inputs.order_check import check_order
    from harness.inputs.platform_file import EMBEDDED, kind_of
    from harness.session import Order

    for option, word in (("--release", release), ("--season", season), ("--tenant", tenant)):
        if word and (len(word) > 100 or not word.isprintable()):
            raise click.BadParameter("at most 100 printable characters", param_hint=option)
    order = Order(
        scenario=scenario,
        on=on or (kind_of(platform_file) if platform_file else EMBEDDED),
        targets_file=targets,
        experiment_file=experiment,
        platform_file=platform_file,
        size=Size(size),
        peak=peak,
        seed=seed,
        workers=workers,
        workers_in=WorkersIn(workers_in),
        out=out,
        release=release,
        season=season,
        tenant=tenant,
        guards=_guards(abort_refused_per_minute, abort_money, abort_alert, heartbeat_s),
        alerts_url=alerts,
        observe=observe,
    )
    check_order(order)
    return order


@click.command()
@_order_options
@_guard_options
@observe_options
@click.option("--out", type=FILE, default="runs", show_default=True, help="Runs go to OUT/<run>.")
@click.option("--yes", is_flag=True, help="Do not ask before bringing a stack to a cluster.")
@click.option(
    "--allow-skip",
    multiple=True,
    metavar="CAPABILITY",
    help="In junit.xml, a check skipped for want of this is no failure. Repeatable.",
)
@evidence_ship.ship_options(required=False)
def run(
    *,
    as_json: bool,
    out: Path,
    yes: bool,
    allow_skip: tuple[str, ...],
    ship_to: str | None,
    ship_endpoint: str,
    ship_keep_days: int,
    **asked: object,
) -> int:
    """Run a drill, and end with its verdict.

    SCENARIO is a name of `peakdrill list`, or a scenario's file.
    """
    from harness.commands import rendering
    from harness.preflight import FULL_DISK, FULL_NEEDS_BYTES, SMOKE_NEEDS_BYTES, refuse_full_disk

    _check_capabilities(allow_skip)
    to = evidence_ship.place(ship_to, ship_endpoint, ship_keep_days)
    order = _order(out=out, observe=taken_from(asked), **asked)  # type: ignore[arg-type]
    order = _with_consent(order, yes=yes)
    refuse_full_disk(out, SMOKE_NEEDS_BYTES if order.size == "smoke" else FULL_NEEDS_BYTES)
    if to is not None:
        evidence_ship.ask(to)
    try:
        record, directory = _execute(order, as_json=as_json)
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        raise Interrupted(
            f"the disk filled up while the run went on: {error.filename or out}",
            next_step="free some space; `peakdrill undo` mends what may be broken",
        ) from error
    if allow_skip:
        rendering.write_again(record, directory, allow_skip=frozenset(allow_skip))
    if as_json:
        click.echo(rendering.as_text(record, "json"), nl=False)
    else:
        rendering.print_verdict(record, directory)
    if to is not None:  # last: whoever reads the exit code of a drill whose proof is gone sees 5
        kept = evidence_ship.shipped(directory, to)
        click.echo(f"kept: {kept.sentence()}", err=as_json)
    return record.judgement.verdict.exit_code


def _with_consent(order: Order, *, yes: bool) -> Order:
    """Nothing is brought to a cluster that nobody agreed to; what is there already is no matter."""
    from harness.commands.platforms import is_agreed
    from harness.inputs.platform_file import KUBERNETES
    from harness.platforms import find

    if order.on != KUBERNETES or find.is_own_cluster(order.on, order.platform_file):
        return order
    if find.running(order.on, order.platform_file) is not None:
        return order
    return replace(order, agreed=is_agreed(order.on, order.platform_file, yes=yes))


def _execute(order: Order, *, as_json: bool) -> tuple[RunRecord, Path]:
    from harness import session
    from harness.commands import rendering

    progress = rendering.progress(silent=as_json)
    try:
        return session.execute(order, progress)
    finally:
        progress.close()


def _check_capabilities(names: tuple[str, ...]) -> None:
    from harness.inputs.words import did_you_mean
    from harness.platforms.capabilities import NAMES

    for name in names:
        if name not in NAMES:
            raise click.BadParameter(
                f"{name!r} is no capability{did_you_mean(name, NAMES)}; "
                f"there are: {', '.join(NAMES)}",
                param_hint="--allow-skip",
            )


@click.command()
@_order_options
@_guard_options
def plan(*, as_json: bool, **asked: object) -> int:
    """Print what `run` would do. Nothing is started, nothing is touched."""
    from harness import session
    from harness.commands.plan_text import plan_text, plan_value

    made = session.plan_only(_order(**asked))  # type: ignore[arg-type]
    if as_json:
        from harness.evidence.canonical import dumps

        click.echo(dumps(plan_value(made)).decode(), nl=False)
    else:
        click.echo(plan_text(made))
    return 0
