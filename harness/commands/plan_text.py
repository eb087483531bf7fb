"""A plan as a person reads it before anything is broken."""

from __future__ import annotations

from dataclasses import fields

from harness.core.guard import rails_told
from harness.core.load_places import WorkersIn
from harness.core.plan import Plan
from harness.core.scenario import RecoverySpec, Scenario
from harness.core.targets import WorkloadTarget
from harness.recovery.registry import AUTOMATIC, runbook_of
from harness.recovery.steps import Runbook, Step

_IN = {
    WorkersIn.HERE: "beside the harness",
    WorkersIn.PODS: "in pods of the cluster, each with a clock and a ledger of its own",
}


def plan_text(plan: Plan) -> str:
    """What will be done, to what, for how long, and what is at stake."""
    return "\n".join(
        [
            *_head(plan), "", *_runbooks(plan), *_workloads(plan), "",
            *_limits(plan), *_guards(plan), *_alerts(plan), "", *_platform(plan),
        ]
    )  # fmt: skip


def plan_value(plan: Plan) -> object:
    """The plan for `--json`: its own fields, and the steps of its runbooks."""
    steps = {
        key: [
            {
                "name": step.name,
                "title": step.title,
                "decision": step.decision,
                "role": step.role,
                "limit_s": step.limit_s,
            }
            for step in book.steps
        ]
        for key, _, book in _books(plan)
    }
    return {**{f.name: getattr(plan, f.name) for f in fields(plan)}, "steps": steps}


def _head(plan: Plan) -> list[str]:
    scenario = plan.scenario
    parameters = ", ".join(f"{k}={v}" for k, v in scenario.fault.parameters)
    return [
        f"{scenario.name} on {plan.platform.name} ({plan.platform.heading})",
        "",
        *(f"  {line}".rstrip() for line in scenario.story.splitlines()),
        "",
        f"fault      {scenario.fault.experiment}{f' ({parameters})' if parameters else ''}",
        f"recovery   {scenario.recovery.runbook}, within {scenario.recovery.within_s} s",
        *_failback(scenario),
        f"load       {plan.shape.name} at {plan.peak:g}x, seed {plan.seed}",
        f"workers    {plan.workers} {_IN[plan.workers_in]}",
        f"checks     {', '.join(check.name for check in scenario.checks)}",
        f"requires   {', '.join(sorted(scenario.requires)) or 'nothing'}",
        f"size       {plan.size.value}, judge {plan.judge}",
    ]


def _failback(scenario: Scenario) -> list[str]:
    spec = scenario.failback
    return [] if spec is None else [f"failback   {spec.runbook}, within {spec.within_s} s"]


def _books(plan: Plan) -> list[tuple[str, RecoverySpec, Runbook]]:
    """What is carried out, and when: nothing where the platform is left to itself."""
    scenario = plan.scenario
    specs = (("recovery", scenario.recovery), ("failback", scenario.failback))
    return [
        (key, spec, runbook_of(spec.runbook))
        for key, spec in specs
        if spec is not None and spec.runbook != AUTOMATIC
    ]


def _runbooks(plan: Plan) -> list[str]:
    lines: list[str] = []
    for key, spec, book in _books(plan):
        parameters = "".join(f"; {name} {value}" for name, value in spec.parameters)
        lines.append(f"{key:<11}{book.title} ({book.name}, within {spec.within_s} s{parameters})")
        for number, step in enumerate(book.steps, start=1):
            lines += _step(number, step)
        lines.append("")
    return lines


def _step(number: int, step: Step) -> list[str]:
    lines = [f"{number:>9}  {step.title} (at most {step.limit_s:g} s)"]
    if step.decision:
        lines.append(
            f"           decision: {step.decision}{f' ({step.role})' if step.role else ''}"
        )
    return lines


def _workloads(plan: Plan) -> list[str]:
    head = f"{'workload':<24}{'tier':<10}{'RTO':>8}{'RPO':>8}{'may lose':>10}{'per s':>8}"
    return [
        f"{head}   from {plan.targets.source}",
        *(_workload(target, plan.peak) for target in plan.targets.workloads),
    ]


def _workload(target: WorkloadTarget, peak: float) -> str:
    rpo = "-" if target.rpo_s is None else f"{target.rpo_s:g} s"
    lost = "-" if target.lost_max is None else str(target.lost_max)
    rate = target.rate_per_s * peak
    return (
        f"{target.workload.value:<24}{target.tier:<10}{target.rto_s:>6g} s{rpo:>8}"
        f"{lost:>10}{rate:>8.4g}"
    )


def _limits(plan: Plan) -> list[str]:
    limits = plan.limits
    return [
        f"limits     baseline {limits.baseline_s:g} s; effect within {limits.effect_s:g} s",
        f"           observed for {limits.observe_s:g} s at most; well for {limits.window_s:g} s",
        f"           healed within {limits.heal_s:g} s; drained within {limits.settle_s:g} s",
    ]


def _guards(plan: Plan) -> list[str]:
    """What would end the drill early: the fault is undone at once."""
    first, *others = rails_told(plan.guards, plan.targets.currency)
    return [f"abort if   {first}", *(f"           {told}" for told in others)]


def _alerts(plan: Plan) -> list[str]:
    """Whose alerts give the time to detect."""
    return [f"alerts     asked of {plan.alerts} once a second"] if plan.alerts else []


def _platform(plan: Plan) -> list[str]:
    facts = plan.platform
    lacking = sorted(plan.scenario.requires - set(facts.capabilities))
    lines = [f"platform   {', '.join(f'{part} {version}' for part, version in facts.versions)}"]
    lines += [f"           note: {note}" for note in facts.notes]
    if lacking:
        lines.append(f"skipped    the platform lacks {', '.join(lacking)}: would be inconclusive")
    if facts.unproven:
        lines.append(f"unproven   {', '.join(facts.unproven)}: cannot yield met")
    return lines
