"""`peakdrill selftest`: does the instrument catch what it is there to catch? On any platform."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import FILE

if TYPE_CHECKING:
    from harness.core.selftest import Tally

_NOT_SHOWN = 3
_CLEAN = {"smoke": 1, "full": 20}


@click.command()
@click.option("--on", help="The platform; by default what --platform describes, or embedded.")
@click.option("--platform", "platform_file", type=FILE, help="A platform.yaml.")
@click.option("--targets", type=FILE, help="Default: ./targets.yaml, else the example.")
@click.option(
    "--size",
    type=click.Choice(["smoke", "full"]),
    default="smoke",
    show_default=True,
    help="smoke: one clean run beside the planted ones; full: twenty.",
)
@click.option("--clean", type=click.IntRange(0, 1000), metavar="N", help="So many clean runs.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Which calls are lied about.")
@click.option("--out", type=FILE, default="runs", show_default=True, help="OUT/selftest-<time>.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")
def selftest(
    *,
    on: str | None,
    platform_file: Path | None,
    targets: Path | None,
    size: str,
    clean: int | None,
    seed: int | None,
    out: Path,
    as_json: bool,
) -> int:
    """Plant known defects in a platform's answers and in the instrument, and see each caught.

    Exits with 0 when everything planted was caught and nothing else was reported, else with 1.
    Only a disposable platform loses a standby, once; orders are left behind, as by any drill.
    """
    from contextlib import closing

    from harness.commands import rendering
    from harness.inputs.platform_file import EMBEDDED, kind_of
    from harness.interrupts import interruptible
    from harness.selftest.conduct import new_bench
    from harness.selftest.conduct import selftest as held
    from harness.session import Order
    from harness.tenancy.taking import platform_for

    where = on or (kind_of(platform_file) if platform_file else EMBEDDED)
    order = Order("node-loss", on=where, targets_file=targets, platform_file=platform_file, out=out)
    progress = rendering.progress(silent=as_json)
    with (
        closing(progress),
        interruptible(),
        platform_for(where, platform_file, progress) as platform,
    ):
        bench, drawn = new_bench(platform, order, out, progress, seed=seed)
        runs = _CLEAN[size] if clean is None else clean
        found = held(bench, clean_runs=runs)
    _tell(found, drawn, runs, bench.out, as_json=as_json)
    if found.trusted and not fit_runs(found, runs):
        return _NOT_SHOWN
    return 0 if found.trusted else 1


def _tell(found: Tally, seed: int, clean_runs: int, folder: Path, *, as_json: bool) -> None:
    from harness.evidence.canonical import dumps

    told = {
        "trusted": found.trusted, "planted": found.planted, "caught": found.caught,
        "false": found.false, "noise": found.noise, "rows": found.rows,
        "seed": seed, "clean_runs": clean_runs,
    }  # fmt: skip
    folder.joinpath("selftest.json").write_bytes(dumps(told))
    if as_json:
        click.echo(dumps(told).decode(), nl=False)
        return
    click.echo(headline(found, clean_runs))
    wide = max(len(row.defect) for row in found.rows)
    click.echo(f"  {'defect':<{wide}}  planted  caught  missed")
    for row in found.rows:
        counts = f"{row.planted:>7}  {row.caught:>6}  {row.missed:>6}"
        click.echo(f"  {row.defect:<{wide}}  {counts}  {_clean(row.what)}: {_clean(row.how)}")
    for told_falsely in found.false:
        click.echo(f"  falsely reported: {_clean(told_falsely)}")
    for busy in found.noise:
        click.echo(f"  no proof, the machine was busy: {_clean(busy)}")
    click.echo(f"  seed {seed}; runs and selftest.json in {folder}")


def fit_runs(found: Tally, clean_runs: int) -> int:
    """Clean runs that the machine was quiet enough for: a busy one proves nothing."""
    busy = {told.split(":")[0] for told in found.noise if told.startswith("clean run")}
    return clean_runs - len(busy)


def headline(found: Tally, clean_runs: int) -> str:
    """The answer, first."""
    busy = clean_runs - fit_runs(found, clean_runs)
    runs = f"{clean_runs} clean run{'' if clean_runs == 1 else 's'}"
    runs += f", {busy} of them on too busy a machine" if busy else ""
    told = (
        f"{found.planted} planted, {found.caught} caught, {found.planted - found.caught} missed, "
        f"{len(found.false)} falsely reported, {runs}"
    )
    if found.trusted and busy == clean_runs:
        return f"Not shown, for no clean run was fit: {told}."
    if found.trusted:
        return f"The instrument caught everything: {told}."
    unplanted = [row.defect for row in found.rows if not row.planted and not row.skipped]
    why = f"; never planted: {', '.join(unplanted)}" if unplanted else ""
    return f"DO NOT TRUST THE INSTRUMENT HERE: {told}{why}."


def _clean(text: str) -> str:
    from harness.commands import rendering

    return rendering.clean(text)
