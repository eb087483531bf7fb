"""`peakdrill history`: every run that was, in one store. Lists, imports and compares; decides
nothing."""  # noqa: D209

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.history_options import history_options, opened
from harness.commands.options import FILE, run_names, scenario_names
from harness.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.core.outcome import Outcome
    from harness.history.importing import Imported

_NOTHING, _DAMAGED = 3, 4
_SHOWN = 50
_VERDICTS = ("met", "missed", "inconclusive", "invalid", "error")


class _ListByDefault(click.Group):
    """`peakdrill history --release R` lists, as `peakdrill history list --release R` does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListByDefault)
def history() -> None:
    """Every run that was: list (the default), import, show, compare.

    Exits 0 when it has shown something, 3 when there was nothing to show, 4 when something was
    damaged. It decides nothing: `peakdrill gate` and `peakdrill readiness` do.
    """


@history.command("list")
@history_options
@click.option("--scenario", shell_complete=scenario_names)
@click.option("--release")
@click.option("--season")
@click.option("--size", type=click.Choice(["smoke", "full"]))
@click.option("--platform")
@click.option("--verdict", type=click.Choice(_VERDICTS))
@click.option("--since", metavar="DATE", help="A day or an instant, UTC: 2026-11-27.")
@click.option("--limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")
def list_(
    *,
    history: str | None,
    out: Path,
    scenario: str | None,
    release: str | None,
    season: str | None,
    size: str | None,
    platform: str | None,
    verdict: str | None,
    since: str | None,
    limit: int,
    as_json: bool,
) -> int:
    """List runs, the newest last. The first line is about all that match, not only those shown."""
    from harness.core.many_runs import answer
    from harness.history.filter import Filter
    from reports.history_text import list_text

    wanted = Filter(
        scenario=scenario, release=release, season=season, size=size, platform=platform,
        verdict=verdict, since_utc=_instant(since),
    )  # fmt: skip
    with opened(history, out) as store:
        found = store.outcomes(wanted)
    if as_json:
        _print_json({"answer": answer(found), "total": len(found)}, found[-limit:])
    else:
        click.echo(list_text(answer(found), found[-limit:], len(found)))
    return 0 if found else _NOTHING


@history.command("import")
@click.argument("paths", nargs=-1, required=True, type=FILE, metavar="PATH...")
@history_options
def import_(*, paths: tuple[Path, ...], history: str | None, out: Path) -> int:
    """Add runs: run directories, or folders of them. Each is judged again from its evidence.

    What is damaged, unfinished or not what its stored verdict says is refused by name. Repeatable.
    """
    from harness.core.many_runs import answer
    from harness.history.importing import import_all
    from reports.words import clean

    with opened(history, out, must_exist=False) as store:
        done = import_all(store, paths, lambda text: click.echo(clean(text), err=True))
        click.echo(clean(answer(store.outcomes())))
        click.echo(f"{_summary(done)}; in {clean(store.place)}")
    for name, why in done.refused:
        click.echo(f"refused: {clean(name)}: {clean(why)}")
    return _DAMAGED if done.refused else 0


@history.command()
@click.argument("run", shell_complete=run_names)
@history_options
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")
def show(*, run: str, history: str | None, out: Path, as_json: bool) -> int:
    """Show one run: by its name, or as much of it as names no other."""
    from reports.history_text import show_text

    with opened(history, out) as store:
        found = _one(store.outcomes(), Path(run).name, store.place)
        directory = store.directory_of(found.run_id)
    if as_json:
        _print_json({"directory": str(directory or "")}, (found,))
    else:
        click.echo(show_text(found, directory))
    return 0


@history.command()
@click.argument("baseline")
@click.argument("candidate")
@history_options
@click.option("--scenario", shell_complete=scenario_names)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")
def compare(
    *, baseline: str, candidate: str, history: str | None, out: Path, scenario: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Compare two releases, the older one first. Only runs that are alike share a row."""
    from harness.core.side_by_side import side_by_side
    from harness.evidence.canonical import dumps
    from harness.history.filter import Filter
    from reports.history_text import compare_text

    with opened(history, out) as store:
        found = store.outcomes(Filter(scenario=scenario))
    comparison = side_by_side(found, baseline, candidate)
    if as_json:
        click.echo(dumps(comparison).decode(), nl=False)
    else:
        click.echo(compare_text(comparison))
    return 0 if comparison.comparable else _NOTHING


def _instant(since: str | None) -> str | None:
    """As the runs have theirs, so that texts compare as instants do."""
    import datetime as dt

    if since is None:
        return None
    try:
        instant = dt.datetime.fromisoformat(since)
    except ValueError as error:
        raise click.BadParameter(
            f"{since!r} is no day such as 2026-11-27", param_hint="--since"
        ) from error
    zoned = instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
    return f"{zoned.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _one(outcomes: Sequence[Outcome], named: str, place: str) -> Outcome:
    """The run of that name, else the only one whose name begins so."""
    found = [o for o in outcomes if o.run_id == named]
    found = found or [o for o in outcomes if named and o.run_id.startswith(named)]
    if len(found) != 1:
        what = f"{len(found)} runs begin with" if found else "no run is called"
        raise Refused(
            f"{what} {named!r} in {place}", next_step="`peakdrill history list` names them"
        )
    return found[0]


def _print_json(told: dict[str, object], outcomes: Sequence[Outcome]) -> None:
    from harness.evidence.canonical import dumps

    runs = [json.loads(dumps(outcome)) for outcome in outcomes]
    click.echo(json.dumps({**told, "runs": runs}, indent=2, sort_keys=True))


def _summary(done: Imported) -> str:
    parts = [f"{len(done.added)} imported", f"{len(done.there)} already there"]
    parts.append(f"{len(done.refused)} refused")
    if done.strangers:
        parts.append(f"{len(done.strangers)} folders are no runs")
    return ", ".join(parts)
