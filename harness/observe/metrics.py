"""The results of a run as metrics: names with their units, the same for Prometheus and for OTLP.

What was not measured has no sample: a missing one is never zero. Pure: nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.core.money_values import Risk
from harness.core.record import RunRecord
from harness.core.verdict import Verdict, WorkloadJudgement

_NS_PER_S = 1_000_000_000
type_labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: a gauge of the last run of its scenario."""

    name: str
    unit: str  # UCUM, as OpenTelemetry writes it
    help: str


RUN_INFO = Family("peakdrill_run_info", "1", "What the last run was. Always 1.")
RUN_BEGUN = Family("peakdrill_run_begun_timestamp_seconds", "s", "When the last run began.")
RUN_VERDICT = Family("peakdrill_run_verdict", "1", "1 for the verdict of the last run, else 0.")
RUN_FIT = Family("peakdrill_run_fit", "1", "1: the instrument was fit to judge.")
WORKLOAD_VERDICT = Family(
    "peakdrill_workload_verdict", "1", "1 for the verdict of the workload, else 0."
)
RTO_LOW = Family("peakdrill_rto_low_seconds", "s", "Recovery time, low end.")
RTO_HIGH = Family(
    "peakdrill_rto_high_seconds", "s", "Recovery time, high end; missing: not recovered."
)
RTO_TARGET = Family("peakdrill_rto_target_seconds", "s", "Recovery time that was declared.")
RTO_RECOVERED = Family("peakdrill_rto_recovered", "1", "1: the workload was back for good.")
RPO_ACHIEVED = Family("peakdrill_rpo_achieved_seconds", "s", "Recovery point, as measured.")
RPO_TARGET = Family("peakdrill_rpo_target_seconds", "s", "Recovery point that was declared.")
ACKED = Family("peakdrill_acknowledged_writes", "1", "Writes that were acknowledged.")
LOST = Family("peakdrill_lost_writes", "1", "Acknowledged, and not in the store.")
VIOLATIONS = Family("peakdrill_violations", "1", "Other violations of what was acknowledged.")
ORDERS = Family("peakdrill_orders_at_risk", "1", "Orders by class; each is counted once.")
RISK_LOW = Family("peakdrill_revenue_at_risk_low_cents", "1", "Provably not served, or lost.")
RISK_HIGH = Family(
    "peakdrill_revenue_at_risk_high_cents", "1", "And what may have been; missing: not bounded."
)
PER_MINUTE = Family("peakdrill_revenue_per_minute_cents", "1", "Revenue, as declared.")
COST = Family("peakdrill_platform_cost_per_hour_cents", "1", "Cost, as declared.")
COST_PER_MILLION = Family(
    "peakdrill_cost_per_million_transactions_cents", "1", "Cost of a million good answers."
)
ALERT_LOW = Family("peakdrill_detection_low_seconds", "s", "Time to the first alert, low end.")
ALERT_HIGH = Family(
    "peakdrill_detection_high_seconds", "s", "Time to the first alert, high end; missing: none."
)
ALERT_POLLS = Family("peakdrill_alert_polls", "1", "Polls of the platform's alerts.")
REFERENCE = Family(
    "peakdrill_reference_alert_seconds", "s", "When a reference rule would have fired."
)

FAMILIES = (
    RUN_INFO, RUN_BEGUN, RUN_VERDICT, RUN_FIT, WORKLOAD_VERDICT, RTO_LOW, RTO_HIGH, RTO_TARGET,
    RTO_RECOVERED, RPO_ACHIEVED, RPO_TARGET, ACKED, LOST, VIOLATIONS, ORDERS, RISK_LOW, RISK_HIGH,
    PER_MINUTE, COST, COST_PER_MILLION, ALERT_LOW, ALERT_HIGH, ALERT_POLLS, REFERENCE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    family: Family
    labels: tuple[tuple[str, str], ...]  # sorted by name
    value: int | float


def samples(record: RunRecord) -> tuple[Sample, ...]:
    """Every sample of one run, by family in the order of `FAMILIES`."""
    base = {
        "scenario": record.plan.scenario.name,
        "platform": record.plan.platform.name,
        "size": record.plan.size.value,
    }
    found = [
        Sample(family, tuple(sorted((base | dict(labels)).items())), value)
        for family, labels, value in _all(record)
    ]
    return tuple(sorted(found, key=lambda s: FAMILIES.index(s.family)))


type_told = tuple[Family, type_labels, int | float]


def _all(record: RunRecord) -> Iterator[type_told]:
    yield from _run(record)
    for judged in record.judgement.workloads:
        yield from _workload(judged)
    yield from _money(record)
    yield from _detection(record)


def _run(record: RunRecord) -> Iterator[type_told]:
    plan, judgement = record.plan, record.judgement
    yield RUN_INFO, {
        "run_id": judgement.run_id, "release": plan.release, "season": plan.targets.season,
        "tenant": plan.targets.tenant, "judge": judgement.judge, "heading": plan.platform.heading,
        "evidence_sha256": record.evidence_digest,
    }, 1  # fmt: skip
    if record.wall is not None:
        yield RUN_BEGUN, {}, (record.load_begun_ns + record.wall.offset_ns) / _NS_PER_S
    yield from _states(RUN_VERDICT, {}, judgement.verdict)
    if judgement.fitness:
        yield RUN_FIT, {}, int(all(f.fit for f in judgement.fitness))


def _states(family: Family, labels: type_labels, now: Verdict) -> Iterator[type_told]:
    """A state set: every state has a sample, and one of them is 1."""
    for verdict in Verdict:
        yield family, {**labels, "verdict": verdict.value}, int(verdict is now)


def _workload(judged: WorkloadJudgement) -> Iterator[type_told]:
    labels = {"workload": judged.workload.value}
    yield from _states(WORKLOAD_VERDICT, labels, judged.verdict)
    if (rto := judged.rto) is not None:
        yield RTO_LOW, labels, rto.low_ns / _NS_PER_S
        if rto.high_ns is not None:
            yield RTO_HIGH, labels, rto.high_ns / _NS_PER_S
        yield RTO_TARGET, labels, rto.target_ns / _NS_PER_S
        yield RTO_RECOVERED, labels, int(rto.recovered)
        if rto.burn_rate_alert_ns is not None:
            yield REFERENCE, labels, rto.burn_rate_alert_ns / _NS_PER_S
    if (rpo := judged.rpo) is not None and rpo.target_ns is not None:
        yield RPO_ACHIEVED, labels, rpo.gated.achieved_ns / _NS_PER_S
        yield RPO_TARGET, labels, rpo.target_ns / _NS_PER_S
        yield ACKED, labels, rpo.gated.acked
        yield LOST, labels, rpo.gated.lost
        yield VIOLATIONS, labels, rpo.gated.violations


def _money(record: RunRecord) -> Iterator[type_told]:
    if record.money is None:
        return
    currency = {"currency": record.money.currency}
    for found in record.money.workloads:
        labels = {"workload": found.workload.value}
        if found.per_order_cents:
            yield PER_MINUTE, {**labels, **currency}, found.per_minute_cents
        if found.risk is not None:
            yield from _risk(found.risk, labels, currency)
    cost = record.money.cost
    if cost is not None:
        yield COST, currency, cost.per_hour_cents
        if cost.per_million_cents is not None:
            yield COST_PER_MILLION, currency, cost.per_million_cents


def _risk(risk: Risk, labels: type_labels, currency: type_labels) -> Iterator[type_told]:
    known = ("lost", "absent") if risk.read_whole else ()
    for name in ("refused", "unanswered", "delayed", *known):
        yield ORDERS, {**labels, "class": name}, getattr(risk, name).count
    yield RISK_LOW, {**labels, **currency}, risk.low.cents
    if risk.high is not None:
        yield RISK_HIGH, {**labels, **currency}, risk.high.cents


def _detection(record: RunRecord) -> Iterator[type_told]:
    found = record.detection
    if found is None or found.watch is None:
        return
    yield ALERT_POLLS, {"result": "answered"}, found.watch.answered
    yield ALERT_POLLS, {"result": "failed"}, found.watch.polls - found.watch.answered
    if (first := found.first) is not None:
        yield ALERT_LOW, {"alert": first.name}, first.low_ns / _NS_PER_S
        yield ALERT_HIGH, {"alert": first.name}, first.high_ns / _NS_PER_S
