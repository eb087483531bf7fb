"""Proofs: what a runbook or an inspection saw, one sentence each, for the checks of a scenario."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that was looked at. Holds no secret.

    `ok` is None where it could not be found out: that is never a pass. `told` is a sentence that
    stands by itself, with the figures: "node a: 0 corrupt pages of 214 relations".
    """

    check: str  # a name of checks.ALL
    kind: str  # one of the check's kinds
    subject: str  # what was looked at: "node a", "backup 20261122T061500", "sale_order"
    ok: bool | None
    told: str
    seen_ns: int  # on the run's clock


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of a runbook as it went. `ended_ns` is when its effect was *observed*."""

    runbook: str
    name: str  # "close-ingress"
    title: str  # "Close the ingress, and see it closed from outside"
    decision: str  # what is decided here, "" when nothing
    role: str  # who may take it
    begun_ns: int
    ended_ns: int
    done: bool
    told: str  # what was observed, or why it failed
