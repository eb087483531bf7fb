"""Money and time to detect, for programs. Null: not measured, not known or not declared."""

from __future__ import annotations

from harness.core.alerting import Detection
from harness.core.money_values import Cost, Money, Risk, Sum, WorkloadMoney
from harness.core.record import RunRecord
from reports.json_values import Plain, exact_money, in_seconds


def money_and_detection(record: RunRecord) -> dict[str, Plain]:
    """Both are null where the record holds none."""
    return {
        "money": None if record.money is None else _money(record.money),
        "detection": None if record.detection is None else _detection(record.detection),
    }


def _money(found: Money) -> Plain:
    return {
        "currency": found.currency,
        "at_risk": _risk(found.risk),
        "bad_s": found.bad_s if found.risk is not None else None,
        "cost": _cost(found.cost),
        "workloads": {w.workload.value: _workload(w) for w in found.workloads},
    }


def _workload(found: WorkloadMoney) -> Plain:
    return {
        "per_order": exact_money(found.per_order_cents),
        "per_minute": exact_money(found.per_minute_cents),
        "at_risk": _risk(found.risk),
    }


def _risk(found: Risk | None) -> Plain:
    if found is None:
        return None
    high = found.high
    return {
        "low": exact_money(found.low.cents),
        "high": None if high is None else exact_money(high.cents),
        "orders_low": found.low.count,
        "orders_high": None if high is None else high.count,
        "refused": _sum(found.refused),
        "absent": _sum(found.absent) if found.read_whole else None,
        "unanswered": _sum(found.unanswered),
        "delayed": _sum(found.delayed),
        "lost": _sum(found.lost) if found.read_whole else None,
        "gone": None if found.gone is None else _sum(found.gone),
    }


def _sum(found: Sum) -> Plain:
    return {"orders": found.count, "value": exact_money(found.cents)}


def _cost(found: Cost | None) -> Plain:
    if found is None:
        return None
    each = found.per_million_cents
    return {
        "per_hour": exact_money(found.per_hour_cents),
        "baseline_s": in_seconds(found.stretch_ns),
        "good": found.good,
        "per_million_transactions": None if each is None else exact_money(each),
    }


def _detection(found: Detection) -> Plain:
    watch = found.watch
    return {
        "source": found.source,
        "polls": None if watch is None else watch.polls,
        "answered": None if watch is None else watch.answered,
        "longest_gap_s": None if watch is None else in_seconds(watch.unanswered_ns),
        "trouble": "" if watch is None else watch.trouble,
        "firing_before": list(found.early),
        "alerts": [
            {"name": a.name, "low_s": in_seconds(a.low_ns), "high_s": in_seconds(a.high_ns)}
            for a in found.alerts
        ],
    }
