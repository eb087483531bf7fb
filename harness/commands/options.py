"""Options that several commands share, and their types."""

from __future__ import annotations

import re
from pathlib import Path

import click
from click.shell_completion import CompletionItem

FILE = click.Path(path_type=Path)


def peak(text: str) -> float:
    """`2x`, `2` or `1.5x`."""
    times = 0.0
    if re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,3})?x?", text):
        times = float(text.removesuffix("x"))
    if not 0 < times <= 10:
        raise click.BadParameter(f"{text!r} is not a multiple such as 1x, 2x or 3x (at most 10x)")
    return times


def amount(text: str) -> int:
    """`1500` or `1500.00`, as cents."""
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", text):
        raise click.BadParameter(f"{text!r} is not an amount such as 1500 or 1500.00")
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(f"{part:0<2}" if part else 0)


def scenario_names(
    ctx: click.Context,  # noqa: ARG001 (click's protocol)
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[str]:
    """For shell completion: the names, without loading a scenario."""
    from harness.inputs.scenario_file import scenario_files

    return sorted(name for name in scenario_files() if name.startswith(incomplete))


def run_names(
    ctx: click.Context,  # noqa: ARG001
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[CompletionItem]:
    """For shell completion: the runs under ./runs, the latest first, or any folder."""
    runs = sorted((run.name for run in Path("runs").glob("*/")), reverse=True)
    found = [CompletionItem(name) for name in runs if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="dir")]
