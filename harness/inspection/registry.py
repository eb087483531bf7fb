"""Every inspection, by the check that it serves.

A topic is a module harness/inspection/<topic>.py that exports `INSPECTIONS`: the name of a check
-> the function that looks. Several topics may serve one check. Only those of a scenario's checks
are carried out, in this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module

from harness.core.checks import Check
from harness.inspection.scene import Inspection

TOPICS: tuple[str, ...] = (  # one line a topic
    "runbook",
    "protection",
    "secrets",
    "audit",
    "archive",
    "corruption",
    "documents",
    "forensics",
)


def inspections_of(checks: Iterable[Check]) -> Iterator[tuple[Check, str, Inspection]]:
    """Check, topic and function, for the checks of a scenario."""
    wanted = {check.name: check for check in checks}
    for topic in TOPICS:
        found: dict[str, Inspection] = import_module(f"harness.inspection.{topic}").INSPECTIONS
        for name, inspection in found.items():
            if name in wanted:
                yield wanted[name], topic, inspection
