"""`peakdrill platform check`: what a drill would find, without harm, and what it would skip."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import FILE

if TYPE_CHECKING:
    from harness.core.plan import PlatformFacts
    from harness.platforms.looks import Look

_CANNOT = 2


@click.command()
@click.argument("platform_file", type=FILE, required=False)
@click.option("--on", help="A kind, where there is no file.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")
def check(*, platform_file: Path | None, on: str | None, as_json: bool) -> int:
    """Look at each capability of a platform, change nothing, and say what a drill would skip.

    Exits 0 where a drill can run, 2 where none can.
    """
    from harness.errors import UsageError
    from harness.inputs.platform_file import EMBEDDED, KINDS, kind_of
    from harness.platforms import find
    from harness.platforms.looks_before import looks

    kind = on or (kind_of(platform_file) if platform_file else EMBEDDED)
    if kind not in KINDS:
        raise UsageError(f"there is no platform {kind!r}", next_step=f"one of: {', '.join(KINDS)}")
    seen = looks(kind, platform_file)
    facts = find.facts_of(kind, platform_file)
    skipped = _skipped(facts, seen)
    able = _is_able(seen)
    if as_json:
        told = {"can_run": able, "looks": [asdict(look) for look in seen], "skipped": skipped}
        click.echo(json.dumps(told, indent=2, sort_keys=True))
    else:
        _tell(kind, seen, skipped, able=able)
    return 0 if able else _CANNOT


def _is_able(seen: Sequence[Look]) -> bool:
    from harness.platforms.looks import GROUND

    return all(look.well for look in seen if look.capability == GROUND)


def _skipped(facts: PlatformFacts, seen: Sequence[Look]) -> dict[str, str]:
    """Scenario -> why it would not be run: what is lacking, or was looked at and is not well."""
    from harness.errors import PeakdrillError
    from harness.inputs.scenario_file import read_scenario, scenario_files

    unwell = {look.capability: look.told for look in seen if not look.well}
    told: dict[str, str] = {}
    for name, file in sorted(scenario_files().items()):
        try:
            required = read_scenario(file).scenario.requires
        except PeakdrillError as error:
            told[name] = f"it cannot be loaded: {error.what}"
            continue
        reasons = [
            f"{capability}: {unwell.get(capability, 'this platform lacks it')}"
            for capability in sorted(required)
            if capability in unwell or capability not in facts.capabilities
        ]
        if reasons:
            told[name] = "; ".join(reasons)
    return told


def _tell(kind: str, seen: Sequence[Look], skipped: Mapping[str, str], *, able: bool) -> None:
    from reports.words import clean

    if able:
        click.echo(f"a drill can run on {kind}; {len(skipped)} scenarios would be skipped")
    else:
        click.echo(clean(f"no drill can run on {kind}: {_first_of_ground(seen)}"))
    for look in seen:
        mark = "ok" if look.well else "NOT WELL"
        click.echo(f"  {mark:<9}{look.capability:<28}{clean(look.told)}")
    for name, why in skipped.items():
        click.echo(f"  {'skipped':<9}{clean(name):<28}{clean(why)}")


def _first_of_ground(seen: Sequence[Look]) -> str:
    from harness.platforms.looks import GROUND

    return next(look.told for look in seen if look.capability == GROUND and not look.well)
