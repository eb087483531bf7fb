"""The public vocabulary of peakdrill: what a scenario module imports, and nothing else.

Names are loaded when first used (PEP 562), so that neither a load worker nor
`peakdrill --version` pays for numpy or scipy. What may not live here: code.

The rooms behind it; each package's docstring says what may not live in it.

    core                         pure: what is claimed, measured, judged and decided
    inputs                       files that people write, read at the boundary
    platforms                    what is drilled, behind capabilities
    tenancy                      whose platform it is, and what a killed drill left on it
    faults, chaos, attack        what breaks it, and the undo
    ledger, readback, inspection what customers were told, and what is really there
    recovery                     runbooks as code
    watching, observe            who looks while it goes on; who else is asked and told
    evidence, history            what a run leaves, signed; every run that was
    many_runs, gameday           what is done about many drills; a day of drills with people
    commands, serving            the command line's own; the live page's

In front: `session` (from an order to a judged run, with `planning` and `preflight`), `drill` (the
method on one page, with `trading`, `sightings` and `interrupts`), `progress` (what both tell),
`errors`, `cli` and `pytest_plugin`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core import checks as checks
    from harness.core.scenario import Scenario as Scenario
    from harness.core.scenario import automatic as automatic
    from harness.core.scenario import experiment as experiment
    from harness.core.scenario import load as load
    from harness.core.scenario import runbook as runbook
    from harness.core.targets import Targets as Targets
    from harness.core.verdict import Verdict as Verdict

__version__ = "0.1.0"

_HOME = {
    "Scenario": "harness.core.scenario",
    "automatic": "harness.core.scenario",
    "experiment": "harness.core.scenario",
    "load": "harness.core.scenario",
    "runbook": "harness.core.scenario",
    "Targets": "harness.core.targets",
    "Verdict": "harness.core.verdict",
}
__all__ = ["Scenario", "Targets", "Verdict", "automatic", "checks", "experiment", "load", "runbook"]


def __getattr__(name: str) -> object:
    if name == "checks":
        return import_module("harness.core.checks")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
