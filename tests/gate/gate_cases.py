"""Runs and questions for the tests of the gate, made by hand."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.gate.comparable import Terms, WorkloadTerms
from harness.core.gate.values import Question
from harness.core.operation import Workload
from harness.core.outcome import Outcome, WorkloadOutcome
from harness.core.policy import GatePolicy
from harness.core.verdict import Verdict

S = 1_000_000_000
ORDERS, TILLS, MARKET = Workload.ORDER_CAPTURE, Workload.POINT_OF_SALE, Workload.MARKETPLACE
RATES = {ORDERS: 10.0, TILLS: 4.0}


def terms(scenario: str = "node-loss", **changed: object) -> Terms:
    told = {
        "scenario": scenario,
        "fault": scenario,
        "platform": "embedded",
        "kind": "shop",
        "size": "smoke",
        "peak": 1.0,
        "tenant": "",
        "configuration": None,
        "workloads": tuple(
            WorkloadTerms(workload, rate, 60 * S, 0, S) for workload, rate in RATES.items()
        ),
    }
    return Terms(**{**told, **changed})  # type: ignore[arg-type]


def question(*scenarios: Terms, **changed: object) -> Question:
    told = {"release": "new", "terms": scenarios or (terms(),), "policy": GatePolicy()}
    return Question(**{**told, **changed})  # type: ignore[arg-type]


def workload(
    name: Workload = ORDERS, verdict: Verdict = Verdict.MET, **changed: object
) -> WorkloadOutcome:
    told = {
        "workload": name,
        "verdict": verdict,
        "checks": (("rto", verdict), ("rpo", Verdict.MET)),
        "rate_per_s": RATES.get(name, 1.0),
        "rto_target_ns": 60 * S,
        "rto_low_ns": 20 * S,
        "rto_high_ns": 20 * S + S // 5,
        "rto_observed_until_ns": 60 * S,
        "rpo_target_ns": 0,
        "rpo_achieved_ns": 0,
        "acked": 900,
        "lost": 0,
        "violations": 0,
        "lost_value_cents": 0,
        "proven_loss": False,
    }
    return WorkloadOutcome(**{**told, **changed})  # type: ignore[arg-type]


def run(number: int, verdict: Verdict = Verdict.MET, **changed: object) -> Outcome:
    """The `number` orders the runs; a verdict of MISSED or INCONCLUSIVE is of the orders' RTO."""
    of_orders = verdict if verdict in {Verdict.MISSED, Verdict.INCONCLUSIVE} else Verdict.MET
    told = {
        "run_id": f"{changed.get('release', 'new')}-{number:03d}",
        "begun_utc": f"2026-11-{1 + number // 24:02d}T{number % 24:02d}:00:00Z",
        "scenario": "node-loss",
        "fault": changed.get("scenario", "node-loss"),
        "release": "new",
        "season": "",
        "tenant": "",
        "size": "smoke",
        "seed": number,
        "peak": 1.0,
        "platform": "embedded",
        "kind": "shop",
        "heading": "stand-in application",
        "configuration": "c0ffee",
        "unproven": False,
        "judge": "v1",
        "verdict": verdict,
        "reason": f"because it is {verdict}",
        "proven_loss": False,
        "workloads": (workload(ORDERS, of_orders), workload(TILLS)),
        "checks": (("stores-agree", Verdict.MET), ("recovery", Verdict.MET)),
        "not_checked": (),
        "capabilities": ("nodes",),
        "evidence_digest": "0" * 64,
    }
    return Outcome(**{**told, **changed})  # type: ignore[arg-type]


def clean(count: int, first: int = 0, **changed: object) -> list[Outcome]:
    return [run(first + number, **changed) for number in range(count)]


def recovering(
    times_s: Sequence[float], *, width_s: float = 0.0, **changed: object
) -> list[Outcome]:
    """Runs that took so long to recover, each told as an interval of a width."""
    return [
        run(
            number,
            workloads=tuple(
                workload(name, rto_low_ns=round(t * S), rto_high_ns=round((t + width_s) * S))
                for name in RATES
            ),
            **changed,
        )
        for number, t in enumerate(times_s)
    ]


def lost(number: int, verdict: Verdict = Verdict.MISSED, **changed: object) -> Outcome:
    of_orders = workload(ORDERS, Verdict.MISSED, lost=3, proven_loss=True)
    told = {"proven_loss": True, "workloads": (of_orders, workload(TILLS)), "reason": "3 lost."}
    return run(number, verdict, **{**told, **changed})
