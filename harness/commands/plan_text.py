"""A plan as a person reads it before anything is broken."""

from __future__ import annotations

from harness.core.plan import Plan
from harness.core.targets import WorkloadTarget


def plan_text(plan: Plan) -> str:
    """What will be done, to what, for how long, and what is at stake."""
    return "\n".join(
        [*_head(plan), "", *_workloads(plan), "", *_limits(plan), "", *_platform(plan)]
    )


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
        f"load       {plan.shape.name} at {plan.peak:g}x, seed {plan.seed}",
        f"checks     {', '.join(check.name for check in scenario.checks)}",
        f"requires   {', '.join(sorted(scenario.requires)) or 'nothing'}",
        f"size       {plan.size.value}, judge {plan.judge}",
    ]


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
