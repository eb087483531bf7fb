"""One order, one run: from what a person typed to a judged run directory.

`execute` is what `peakdrill run` and the pytest plug-in call; `plan_only` is `peakdrill plan`.
This module is the composition root: it knows every part, and no part knows it.
"""

from __future__ import annotations

import datetime as dt
import platform as host
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from harness import __version__
from harness.core.guard import GuardRails
from harness.core.load_places import WorkersIn
from harness.core.plan import Plan, PlatformFacts, Size
from harness.core.record import RunRecord
from harness.core.scenario import Scenario
from harness.core.targets import Targets
from harness.errors import Refused
from harness.platforms.capabilities import Platform
from harness.progress import Progress

if TYPE_CHECKING:
    from harness.observe.destinations import Destinations
    from harness.watching.live_telling import Telling


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for. Paths are as typed; nothing has been read yet."""

    scenario: str  # a name of scenarios/ or a path to a scenario module
    on: str = "embedded"
    targets_file: Path | None = None  # None: ./targets.yaml, else the example that ships
    experiment_file: Path | None = None  # instead of the scenario's own
    platform_file: Path | None = None
    size: Size = Size.FULL
    peak: float = 1.0
    seed: int | None = None
    workers: int = 1
    workers_in: WorkersIn = WorkersIn.HERE
    out: Path = Path("runs")
    release: str = ""
    season: str | None = None  # None: the one that the targets declare
    tenant: str = ""
    guards: GuardRails = field(default_factory=GuardRails)  # what ends it early
    alerts_url: str | None = None  # the platform's own alerts; None: what the environment says
    observe: Destinations | None = None  # who is told of the run; None: likewise
    agreed: bool = False  # a person said yes to what would be brought up in a cluster


@runtime_checkable
class _Particular(Protocol):
    """Somebody's own, which does not serve every plan."""

    def refuse_unserved(self, plan: Plan) -> None: ...


def execute(order: Order, progress: Progress) -> tuple[RunRecord, Path]:
    """Run it. Returns the judged run and its directory. Raises PeakdrillError."""
    from harness.drill import conclude, drill
    from harness.evidence import signing
    from harness.evidence.load import load_record
    from harness.evidence.rundir import Head, RunDirectory
    from harness.history.remembering import remember, remembered_anyway
    from harness.interrupts import interruptible
    from harness.observe import export
    from harness.observe.alerts import alerts_by
    from harness.sightings import Sightings
    from harness.tenancy.taking import platform_for

    claim, experiment = _read(order)
    alerts, to = alerts_by(order.alerts_url), export.destinations(order.observe)
    notary = signing.ready(order.out)  # who cannot sign is told so before anything is broken
    with (
        closing(progress),
        interruptible(),
        platform_for(order.on, order.platform_file, progress, agreed=order.agreed) as platform,
    ):
        plan = _plan(order, claim, platform.facts())
        _refuse_unserved(plan, platform)
        run = RunDirectory.create(order.out, plan.run_id)
        now = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
        head = Head("peakdrill/head/v1", now, __version__, host.python_version())
        run.save_plan(plan, experiment, head)  # phase 0: survives anything that follows
        lacking = sorted(plan.scenario.requires - set(plan.platform.capabilities))
        with (
            signing.signed(run.path, notary, progress.say),  # whatever way it ends
            _told(progress, plan, run.path) as told,
        ):
            if lacking:
                why = f"skipped: platform {plan.platform.name} lacks {', '.join(lacking)}"
                judgement = conclude(run, Sightings(skipped=why))
            else:
                with remembered_anyway(run.path, order.out):
                    judgement = drill(plan, platform, run, told, alerts, meanwhile=_load_the_rest)
            told.end(judgement.verdict.value, judgement.reasons[0])
    from reports.write import write_reports

    record = load_record(run.path)
    write_reports(record, run.path)
    signing.sign_rendered(run.path, notary, progress.say)
    remember(record, run.path, order.out)
    export.tell(record, to)
    return record, run.path


def _load_the_rest() -> None:
    """Programs that only the end of a run needs: a good third of what it loads."""
    from importlib import import_module

    for name in ("redis", "reports.write", "harness.evidence.outcome", "harness.history.store"):
        import_module(name)


@contextmanager
def _told(progress: Progress, plan: Plan, run: Path) -> Iterator[Telling]:
    """Everybody on the machine can watch it, and press the red button."""
    from harness.interrupts import asked_by
    from harness.watching.live_telling import reason_asked, telling

    with (
        asked_by(reason_asked(plan.run_id)),
        telling(progress, plan, run, clock=time.monotonic_ns) as told,
    ):
        yield told


def _refuse_unserved(plan: Plan, platform: Platform) -> None:
    """What somebody's own platform does not offer is told before anything is touched."""
    from harness.load_places.place import load_pods_of

    if isinstance(platform, _Particular):
        platform.refuse_unserved(plan)
    if plan.workers_in is not WorkersIn.HERE:
        load_pods_of(platform)


def plan_only(order: Order) -> Plan:
    """The plan that `execute` would follow. Nothing is started and nothing is touched."""
    from harness.platforms import find

    claim, _ = _read(order)
    return _plan(order, claim, find.facts_of(order.on, order.platform_file))


def _read(order: Order) -> tuple[Scenario, str]:
    """The scenario, and the text of the experiment with the scenario's parameters in it."""
    from harness.faults.experiment import declared_parameters, resolved_experiment
    from harness.inputs.scenario_file import experiment_path, find_experiment, load_scenario

    _refuse_deaf_rails(order)
    found = load_scenario(order.scenario)
    asked = order.experiment_file
    file = find_experiment(asked) if asked else experiment_path(found)
    text = file.read_text(encoding="utf-8")
    taken = declared_parameters(text, file=file)
    given = found.scenario.fault.parameters
    parameters = {
        name: value
        for name, value in (("fault", found.scenario.fault.experiment), *given)
        # a substitute, such as null.yaml, takes what it declares; its fault is the scenario's
        if name in taken or (not asked and name != "fault")
    }
    return found.scenario, resolved_experiment(text, parameters, file=file)


def _refuse_deaf_rails(order: Order) -> None:
    """An alert that nobody is asked for never ends a drill."""
    from harness.observe.alerts import URL_VARIABLE, alerts_by

    if order.guards.alerts and alerts_by(order.alerts_url) is None:
        raise Refused(
            f"--abort-alert {order.guards.alerts[0]} needs somebody to ask for alerts",
            next_step=f"name the Prometheus or Alertmanager with --alerts URL or {URL_VARIABLE}",
        )


def _refuse_dead_rails(guards: GuardRails, targets: Targets) -> None:
    """A rail that nothing in these targets could ever run into only looks like one."""
    from harness.core.guard import ORDERS

    worth = any(t.revenue_per_operation_cents for t in targets.workloads)
    orders = any(t.workload in ORDERS for t in targets.workloads)
    for put_up, reachable, rail, why in (
        (guards.money_max_cents, worth, "money", "no workload has a revenue_per_operation"),
        (guards.refused_per_minute_max, orders, "refused-per-minute", "no workload is orders"),
    ):
        if put_up is not None and not reachable:
            raise Refused(
                f"the guard rail {rail} could never end this drill: in the targets {why}",
                next_step="leave that rail out, or complete targets.yaml",
            )


def _plan(order: Order, scenario: Scenario, facts: PlatformFacts) -> Plan:
    from harness.inputs.shape import shape_of
    from harness.inputs.targets_file import read_targets
    from harness.observe.alerts import alerts_by
    from harness.planning import plan_of
    from harness.platforms import find

    alerts = alerts_by(order.alerts_url)
    targets = read_targets(
        order.targets_file, scenario=scenario.name, season=order.season, tenant=order.tenant
    )
    _refuse_dead_rails(order.guards, targets)
    made = plan_of(
        scenario=scenario,
        targets=targets,
        facts=facts,
        shape=shape_of(scenario.load),
        size=order.size,
        peak=order.peak,
        seed=order.seed,
        workers=order.workers,
        workers_in=order.workers_in,
        release=order.release,
        guards=order.guards,
        pace=find.pace_of(order.on, order.platform_file),
    )
    return replace(
        made,
        alerts=alerts.host if alerts is not None else "",
        instead=_instead(order),
    )


def _instead(order: Order) -> str:
    """The experiment that is run for the scenario's own, by name: it proves another claim."""
    from harness.inputs.scenario_file import experiment_path, find_experiment, load_scenario

    if order.experiment_file is None:
        return ""
    file, own = (
        find_experiment(order.experiment_file),
        experiment_path(load_scenario(order.scenario)),
    )
    if file.resolve() == own.resolve():
        return ""
    return file.stem if file.stem != own.stem else f"another {file.stem}"
