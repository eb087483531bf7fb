"""`peakdrill list`: what there is to run, a line each."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import PeakdrillError


@click.command("list")
def list_() -> int:
    """Show scenarios, experiments, runbooks, checks, load shapes and platforms, a line each."""
    from harness.core import checks
    from harness.inputs.platform_file import KINDS
    from harness.inputs.scenario_file import experiment_files, scenario_files
    from harness.inputs.shape import shape_names
    from harness.recovery.registry import ALL_NAMES

    _section("scenarios", {n: _scenario_line(f) for n, f in scenario_files().items()})
    _section("experiments", {n: _experiment_line(f) for n, f in experiment_files().items()})
    _section("runbooks", {name: _runbook_line(name) for name in ALL_NAMES})
    _section("checks", {check.name: check.title for check in checks.ALL.values()})
    _section("load shapes", {name: _shape_line(name) for name in shape_names()})
    _section("platforms", {kind: _platform_line(kind) for kind in KINDS})
    return 0


_PLATFORMS = {
    "embedded": "the whole stack from wheels, on this machine (the default)",
    "odoo": "an Odoo of your own, described in a platform.yaml; it has what that offers",
    "containers": "the reference stack, or a release candidate's own images, in this Docker",
    "kubernetes": "a reference stack in a cluster, brought up where it is not there",
}


def _section(title: str, lines: dict[str, str]) -> None:
    click.echo(title)
    for name, line in sorted(lines.items()):
        click.echo(f"  {name:<26}{line}".rstrip())
    if not lines:
        click.echo("  none")


def _scenario_line(file: Path) -> str:
    """The story's first line; a broken scenario says why, and spoils nothing else."""
    from harness.inputs.scenario_file import read_scenario

    try:
        found = read_scenario(file)
    except PeakdrillError as error:
        return f"cannot be loaded: {str(error).splitlines()[0]}"
    tags = f"  [{', '.join(sorted(found.scenario.tags))}]" if found.scenario.tags else ""
    return found.scenario.story.splitlines()[0] + tags


def _runbook_line(name: str) -> str:
    from harness.recovery.registry import AUTOMATIC, runbook_of

    if name == AUTOMATIC:
        return "Nobody repairs anything; the drill watches"
    book = runbook_of(name)
    return f"{book.title} ({len(book.steps)} steps)"


def _platform_line(kind: str) -> str:
    from harness.inputs.platform_file import EMBEDDED
    from harness.platforms import find

    if kind != EMBEDDED:
        return _PLATFORMS[kind]
    return f"{_PLATFORMS[kind]}; it has {', '.join(find.facts_of(kind).capabilities)}"


def _shape_line(name: str) -> str:
    from harness.core.shapes import shape_named

    points = shape_named(name).points
    low, high = min(m for _, m in points), max(m for _, m in points)
    return f"{low:g} to {high:g} times the rate" if low < high else "the same rate throughout"


def _experiment_line(file: Path) -> str:
    from harness.inputs.yaml_lines import read_yaml

    try:
        value = read_yaml(file).value
    except PeakdrillError as error:
        return f"cannot be read: {str(error).splitlines()[0]}"
    title = value.get("title") if isinstance(value, dict) else None
    return " ".join(str(title or "has no title").split())
