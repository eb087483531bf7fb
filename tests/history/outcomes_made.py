"""Outcomes by hand, and any that there can be."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from harness.core.operation import Workload
from harness.core.outcome import Outcome, WorkloadOutcome
from harness.core.verdict import Verdict

S = 1_000_000_000
ORDERS = WorkloadOutcome(
    workload=Workload.ORDER_CAPTURE,
    verdict=Verdict.MET,
    checks=(("rto", Verdict.MET), ("rpo", Verdict.MET)),
    rate_per_s=10.0,
    rto_target_ns=60 * S,
    rto_low_ns=20 * S,
    rto_high_ns=21 * S,
    rto_observed_until_ns=70 * S,
    rpo_target_ns=0,
    rpo_achieved_ns=0,
    acked=900,
    lost=0,
    violations=0,
    lost_value_cents=0,
    proven_loss=False,
)
MET = Outcome(
    run_id="20261127T220000Z0001",
    begun_utc="2026-11-27T22:00:00Z",
    scenario="node-loss",
    fault="node-loss",
    release="2026.11.0",
    season="black-friday",
    tenant="",
    size="smoke",
    seed=7,
    peak=1.0,
    platform="embedded",
    kind="shop",
    heading="stand-in application",
    configuration="c" * 64,
    unproven=False,
    judge="v1",
    verdict=Verdict.MET,
    reason="Safe: all workloads met.",
    proven_loss=False,
    workloads=(ORDERS,),
    checks=(("stores-agree", Verdict.MET),),
    not_checked=(),
    capabilities=("nodes",),
    evidence_digest="e" * 64,
)


def lossy(outcome: Outcome = MET, lost: int = 3) -> Outcome:
    """The same run with acknowledged orders gone."""
    workload = replace(ORDERS, verdict=Verdict.MISSED, lost=lost, proven_loss=True)
    return replace(
        outcome, verdict=Verdict.MISSED, proven_loss=True, workloads=(workload,),
        reason=f"Not safe: {lost} orders lost.",
    )  # fmt: skip


def timed(low_s: float, high_s: float | None, number: int, **changes: object) -> Outcome:
    """A run with another recovery time."""
    high_ns = None if high_s is None else round(high_s * S)
    workload = replace(ORDERS, rto_low_ns=round(low_s * S), rto_high_ns=high_ns)
    run = replace(MET, run_id=f"20261127T220000Z{number:04x}", workloads=(workload,))
    return replace(run, **changes)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
COUNT = st.integers(0, 2**63 - 1)
FINITE = st.floats(0, 1e9, allow_nan=False)
CHECKS = st.lists(st.tuples(TEXT, st.sampled_from(Verdict)), max_size=3).map(tuple)
WORKLOADS = st.builds(
    WorkloadOutcome,
    workload=st.sampled_from(Workload),
    verdict=st.sampled_from(Verdict),
    checks=CHECKS,
    rate_per_s=FINITE,
    rto_target_ns=COUNT,
    rto_low_ns=st.none() | COUNT,
    rto_high_ns=st.none() | COUNT,
    rto_observed_until_ns=st.none() | COUNT,
    rpo_target_ns=st.none() | COUNT,
    rpo_achieved_ns=COUNT,
    acked=COUNT,
    lost=COUNT,
    violations=COUNT,
    lost_value_cents=st.integers(),
    proven_loss=st.booleans(),
)
ANY = st.builds(
    Outcome,
    **dict.fromkeys(
        ("scenario", "fault", "release", "season", "tenant", "size", "platform", "kind", "heading",
         "configuration", "judge", "reason", "evidence_digest"), TEXT,
    ),
    run_id=TEXT,
    begun_utc=st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}"),
    seed=st.integers(0, 2**32 - 1),
    peak=FINITE,
    unproven=st.booleans(),
    verdict=st.sampled_from(Verdict),
    proven_loss=st.booleans(),
    workloads=st.lists(WORKLOADS, max_size=3).map(tuple),
    checks=CHECKS,
    not_checked=st.lists(TEXT, max_size=3).map(tuple),
    capabilities=st.lists(TEXT, max_size=3).map(tuple),
)  # fmt: skip
