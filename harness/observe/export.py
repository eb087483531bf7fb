"""One run to every destination: each on its own, so that one that fails spares the others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from harness.core.record import RunRecord
from harness.errors import PeakdrillError
from harness.observe.destinations import Destinations, from_environment


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one destination."""

    name: str  # otlp | prometheus | grafana
    done: bool
    told: str


def destinations(asked: Destinations | None) -> Destinations:
    """What was asked for, else what the environment says. UsageError for what cannot work."""
    found = from_environment() if asked is None else asked
    found.check()
    return found


def tell(record: RunRecord, to: Destinations) -> None:
    """Send it, and say on stderr what became of each: stdout may be somebody's JSON."""
    for one in export(record, to):
        told = f"told {one.name}: {one.told}" if one.done else f"not told {one.name}: {one.told}"
        print("".join(c if c.isprintable() or c == "\n" else " " for c in told), file=sys.stderr)


def export(record: RunRecord, to: Destinations) -> tuple[Sent, ...]:
    """Send it. Never raises: a verdict does not depend on who heard of it."""
    ways: list[tuple[str, Callable[[RunRecord, Destinations], str]]] = []
    if to.otlp_url:
        ways.append(("otlp", _otlp))
    if to.prometheus_file:
        ways.append(("prometheus", _prometheus))
    if to.grafana_url:
        ways.append(("grafana", _grafana))
    return tuple(_sent(name, way, record, to) for name, way in ways)


def _sent(
    name: str, way: Callable[[RunRecord, Destinations], str], record: RunRecord, to: Destinations
) -> Sent:
    try:
        return Sent(name, done=True, told=way(record, to))
    except PeakdrillError as error:
        return Sent(name, done=False, told=str(error))
    except Exception as error:  # noqa: BLE001  ours: told as that, and no other verdict
        return Sent(name, done=False, told=f"an error of peakdrill: {type(error).__name__}")


def _otlp(record: RunRecord, to: Destinations) -> str:
    from harness.observe.otlp import send

    return send(record, to)


def _prometheus(record: RunRecord, to: Destinations) -> str:
    from harness.observe.textfile import write_textfile

    assert to.prometheus_file is not None
    return f"the figures to {write_textfile(record, to.prometheus_file)}"


def _grafana(record: RunRecord, to: Destinations) -> str:
    from harness.observe.annotations import send

    return send(record, to)
