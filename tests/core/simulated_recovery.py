"""What a runbook, an inspection and an attacker leave behind, planted into a simulated run.

Every function takes the evidence and gives it back with more in it. Times are in seconds after
t_F, and the truth is in the arguments.

    plan, seen = simulate.evidence()
    seen = with_steps(with_proofs(seen, plan), plan)         # an honest recovery
    seen = with_uses(seen, "object-store", revoked_s=3.0)    # shut after 3 s
    seen = with_uses(seen, "session", revoked_s=None)        # never shut
"""

from __future__ import annotations

from dataclasses import replace

from harness.core.checks import Check
from harness.core.evidence import Evidence, Use
from harness.core.plan import Plan
from harness.core.proofs import Proof, StepRecord
from harness.core.scenario import Scenario, runbook
from harness.core.timeline import Mark, MarkName, Timeline
from tests.core import simulate
from tests.core.simulated_calls import MS, S

PERIOD_NS = 100 * MS


def fault_of(seen: Evidence) -> Mark:
    mark = seen.timeline.first(MarkName.FAULT_ACTIVE)
    assert mark is not None
    return mark


def scenario(*named: Check, failback_s: int = 0) -> Scenario:
    """The simulated scenario, with a runbook and these checks beside those of every drill."""
    base = simulate.SCENARIO
    back = runbook("failback", within_s=failback_s) if failback_s else None
    return replace(
        base, recovery=runbook("point-in-time", within_s=120), failback=back,
        checks=(*base.checks, *named),
    )  # fmt: skip


def with_marks(seen: Evidence, *told: tuple[MarkName, float, str]) -> Evidence:
    """Marks (name, seconds after t_F, note), of 20 ms each, in their place among the others."""
    base_ns = fault_of(seen).latest_ns
    more = [
        Mark(name, base_ns + round(at_s * S) - 20 * MS, base_ns + round(at_s * S), note)
        for name, at_s, note in told
    ]
    marks = sorted((*seen.timeline.marks, *more), key=lambda m: m.latest_ns)
    return replace(seen, timeline=Timeline(tuple(marks)))


def latent(seen: Evidence, by_s: float) -> Evidence:
    """The fault took effect that much before the outage that it led to."""
    early = {MarkName.BASELINE_ENDED, MarkName.FAULT_ARMED, MarkName.FAULT_ACTIVE}
    by_ns = round(by_s * S)
    marks = (
        replace(m, earliest_ns=m.earliest_ns - by_ns, latest_ns=m.latest_ns - by_ns)
        if m.name in early
        else m
        for m in seen.timeline.marks
    )
    return replace(seen, timeline=Timeline(tuple(marks)))


def with_proofs(seen: Evidence, plan: Plan, *more: Proof) -> Evidence:
    """A proof of each kind of each check, all sound, and `more`."""
    at_ns = seen.load_stopped_ns + S
    sound = tuple(
        Proof(check.name, kind, f"the {kind}", True, f"{kind}: sound", at_ns)
        for check in plan.scenario.checks
        for kind in check.kinds
    )
    return replace(seen, proofs=(*seen.proofs, *sound, *more))


def with_steps(seen: Evidence, plan: Plan, *, failed: str = "", ended: bool = True) -> Evidence:
    """Three steps of the recovery, a second each; `failed` is the reason why the last was not seen."""
    base_ns, book = fault_of(seen).latest_ns, plan.scenario.recovery.runbook
    titles = ("Close the ingress", "Restore", "Open the ingress")
    steps = tuple(
        StepRecord(
            runbook=book, name=title.lower().replace(" ", "-"), title=title,
            decision="whether to lose what came later" if n == 1 else "",
            role="head of commerce" if n == 1 else "on call", begun_ns=base_ns + n * S,
            ended_ns=base_ns + (n + 1) * S, done=not (failed and n == 2),
            told=failed if failed and n == 2 else f"{title}: seen",
        )
        for n, title in enumerate(titles)
    )  # fmt: skip
    seen = replace(seen, steps=(*seen.steps, *steps))
    begun = (MarkName.RECOVERY_BEGUN, 0.1, book)
    marks = (begun, (MarkName.RECOVERY_ENDED, 3.1, book)) if ended else (begun,)
    return with_marks(seen, *marks)


def with_uses(
    seen: Evidence,
    credential: str,
    *,
    revoked_s: float | None,
    until_s: float = 7.0,
    down_s: tuple[float, float] = (0.0, 0.0),
    marked: bool = True,
) -> Evidence:
    """Ten tries a second from t_F on: accepted until `revoked_s`, and never while it is down."""
    base_ns, uses = fault_of(seen).latest_ns, []
    shut_ns = base_ns + round((until_s + 1 if revoked_s is None else revoked_s) * S)
    down_ns = [base_ns + round(at_s * S) for at_s in down_s]
    for begun_ns in range(base_ns, base_ns + round(until_s * S), PERIOD_NS):
        done_ns = begun_ns + 3 * MS
        if down_ns[0] <= begun_ns < down_ns[1]:
            uses.append(Use(credential, begun_ns, done_ns, False, "down: ConnectionRefusedError"))
        elif done_ns < shut_ns:
            uses.append(Use(credential, begun_ns, done_ns, True, "accepted"))
        else:
            uses.append(Use(credential, begun_ns, done_ns, False, "denied: 28P01"))
    seen = replace(seen, uses=(*seen.uses, *uses))
    if revoked_s is None or not marked:
        return seen
    return with_marks(seen, (MarkName.REVOKED, revoked_s + 0.2, credential))
