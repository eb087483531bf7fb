"""The gate's effects: what is asked, from files; the runs that lack, by `session.execute`.

Decides nothing: harness.core.gate.decision does, from what the history holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.asked import bars_of, method_of
from harness.core.fitness import INTERRUPTED
from harness.core.gate.comparable import Terms, WorkloadTerms
from harness.core.gate.decision import decide
from harness.core.gate.next_drill import most_drills, next_drill
from harness.core.gate.noninferiority import floor_ns
from harness.core.gate.values import GateDecision, Question
from harness.core.plan import NOT_YET, Limits, Plan
from harness.core.policy import GatePolicy
from harness.errors import PeakdrillError, UsageError
from harness.history.address import VARIABLE
from harness.history.store import History
from harness.inputs.platform_file import ODOO
from harness.progress import Progress
from harness.session import Order

_NS_PER_S = 1_000_000_000
_UP_AND_DOWN_S = 30  # a platform of its own, started and ended

Ask = Callable[[Order], Plan]


@dataclass(frozen=True, slots=True)
class Asked:
    """The question, and the order that makes one drill of each of its scenarios."""

    question: Question
    orders: dict[str, Order]
    limits: dict[str, Limits]
    store: str | None = None  # the history as it was named


def asked(
    template: Order,
    scenarios: Sequence[str],
    *,
    baseline: str = "",
    sequential: bool = False,
    runs: int | None = None,
    policy: GatePolicy,
    any_configuration: bool,
    ask: Ask,
    store: str | None = None,
) -> Asked:
    """Read every file once, and say what a run must have been to count. Nothing is touched.

    `any_configuration`: nothing will be run, so the latest run says which configuration it is.
    """
    orders: dict[str, Order] = {}
    terms: list[Terms] = []
    limits: dict[str, Limits] = {}
    for name in scenarios:
        order = replace(template, scenario=name)
        plan = ask(order)
        orders[plan.scenario.name] = order
        limits[plan.scenario.name] = plan.limits
        terms.append(_terms(plan, any_configuration=any_configuration))
    question = Question(
        release=template.release,
        terms=tuple(terms),
        policy=policy,
        baseline=baseline,
        sequential=sequential,
        runs=runs,
    )
    return Asked(question, orders, limits, store)


def _terms(plan: Plan, *, any_configuration: bool) -> Terms:
    from harness.evidence.outcome import configuration_of

    facts = plan.platform
    # what it is, it says itself when a drill begins
    detected_later = facts.name == ODOO or any(NOT_YET in told for _, told in facts.versions)
    return Terms(
        scenario=plan.scenario.name,
        fault=plan.scenario.fault.experiment,
        platform=facts.name,
        kind=facts.kind,
        size=plan.size.value,
        peak=plan.peak,
        tenant=plan.targets.tenant,
        configuration=None if any_configuration or detected_later else configuration_of(facts),
        workloads=tuple(
            WorkloadTerms(
                workload=t.workload,
                rate_per_s=t.rate_per_s * plan.peak,
                rto_target_ns=round(t.rto_s * _NS_PER_S),
                rpo_target_ns=None if t.rpo_s is None else round(t.rpo_s * _NS_PER_S),
                floor_ns=floor_ns(t.canary_per_s),
                bars=bars_of(t),
            )
            for t in plan.targets.workloads
        ),
        method=method_of(plan.scenario),
    )


def selected(words: Sequence[str]) -> tuple[str, ...]:
    """Scenarios by name, by file or by tag; without a word, every one that there is.

    A word that selects nothing is an error: nothing matched is never a pass.
    """
    from harness.inputs.scenario_file import find_scenario, read_scenario, scenario_files
    from harness.inputs.words import did_you_mean, shown

    files = scenario_files()
    tags: dict[str, list[str]] = {}
    for name, file in files.items():
        try:
            found = read_scenario(file).scenario.tags
        except PeakdrillError:
            if not words:
                raise  # one of all that there are: it cannot be left out in silence
            continue
        for tag in found:
            tags.setdefault(tag, []).append(name)
    chosen: list[str] = [] if words else sorted(files)
    for word in words:
        if word in files or "/" in word or word.endswith(".py"):
            find_scenario(word)
            chosen.append(word)
        elif word in tags:
            chosen += sorted(tags[word])
        else:
            near = did_you_mean(word, [*files, *tags])
            raise UsageError(
                f"{shown(word)} is neither a scenario nor a tag{near}; "
                f"scenarios: {', '.join(sorted(files))}; tags: {', '.join(sorted(tags))}",
                next_step="`peakdrill list` shows them",
            )
    return tuple(dict.fromkeys(chosen))


def estimate_s(limits: Limits) -> float:
    """What one drill takes at the most when it goes well."""
    trading_s = limits.baseline_s + limits.observe_s + 2 * limits.window_s
    return _UP_AND_DOWN_S + trading_s + limits.settle_s + 2 * limits.server_timeout_s


def carry_out(
    wanted: Asked, history: History, progress: Callable[[], Progress], say: Callable[[str], None]
) -> GateDecision:
    """Make the drills that lack, one at a time; after each one is decided anew."""
    decision = decide(wanted.question, history.outcomes())
    most = most_drills(decision)
    before = {s.scenario: s.counted for s in decision.scenarios}
    made = 0
    while (name := next_drill(decision, before)) is not None and made < most:
        made += 1
        say(f"drill {made}, of {most} at the most: {name}")
        run_id, whole = _drill(wanted, name, history, progress(), say)
        decision = decide(wanted.question, history.outcomes())
        if not whole:
            say("that run was interrupted: no other is begun")
            break
        if why := _why_uncounted(decision, run_id):
            say(f"that run does not count, and neither would the next: {why}: no other is begun")
            break
    return decision


def _why_uncounted(decision: GateDecision, run_id: str) -> str:
    """Why a drill that was just made answers another question; "" where it counts."""
    excluded = [run for s in decision.scenarios for run in s.excluded if run.run_id == run_id]
    return excluded[0].why if excluded else ""


def _drill(
    wanted: Asked, name: str, history: History, progress: Progress, say: Callable[[str], None]
) -> tuple[str, bool]:
    """One run, into the history by hand: without it the gate would run it again and again.

    Its name, and whether it came to its end.
    """
    from harness import session
    from harness.evidence.outcome import outcome_of

    with _remembered_in(wanted.store):
        record, directory = session.execute(wanted.orders[name], progress)
    outcome = outcome_of(
        record.plan,
        record.judgement,
        begun_utc=record.begun_utc,
        evidence_digest=record.evidence_digest,
    )
    history.add(outcome, directory=directory)
    say(f"{outcome.run_id}: {outcome.verdict.value}: {outcome.reason}")
    whole = all(f.fit for f in record.judgement.fitness if f.name == INTERRUPTED)
    return outcome.run_id, whole


@contextmanager
def _remembered_in(store: str | None) -> Iterator[None]:
    """A run adds itself to the gate's own history, also one that ends in an error."""
    before = os.environ.get(VARIABLE)
    if store is not None:
        os.environ[VARIABLE] = store if "://" in store else str(Path(store).absolute())
    try:
        yield
    finally:
        if store is not None and before is None:
            del os.environ[VARIABLE]
        elif store is not None and before is not None:
            os.environ[VARIABLE] = before
