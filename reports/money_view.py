"""Money and time to detect, in words and in measures of the picture; judged by nobody here."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core import wording
from harness.core.alerting import Detection
from harness.core.money_values import Cost, Money, Risk, Sum, WorkloadMoney
from harness.core.record import RunRecord
from harness.core.timeline import MarkName
from reports.words import NS_PER_S, clean, count, money, seconds

_NAMED = 5


def interval_text(risk: Risk, currency: str) -> str:
    """`EUR 14,419.19 to 17,285.27`; one figure where both ends are the same."""
    low, high = risk.low.cents, risk.high
    if high is None:
        return f"at least {money(low, currency)}; what was lost is not known"
    if high.cents == low:
        return money(low, currency)
    return f"{money(low, currency)} to {money(high.cents, '').strip()}"


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """One workload; places in per cent of the greatest high end."""

    found: WorkloadMoney
    risk: Risk
    interval: str
    low_per_cent: float
    width_per_cent: float  # of what may have been at risk, beyond that
    open_end: bool
    description: str

    @property
    def cells(self) -> tuple[tuple[str, Sum | None], ...]:
        """By class, in the order of the table; None: not known."""
        r, known = self.risk, self.risk.read_whole
        return (
            ("refused", r.refused),
            ("absent", r.absent if known else None),
            ("lost", r.lost if known else None),
            ("unanswered", r.unanswered),
            ("delayed", r.delayed),
        )


def rows(record: RunRecord) -> tuple[MoneyRow, ...]:
    """Every workload that carries revenue; () where nothing was at risk by a fault."""
    found = record.money
    if found is None or found.risk is None:
        return ()
    told = [(w, w.risk) for w in found.workloads if w.per_order_cents and w.risk is not None]
    ends = [r.high.cents if r.high is not None else r.low.cents for _, r in told]
    widest = max([1, *ends])
    return tuple(_row(w, risk, widest, found.currency) for w, risk in told)


def _row(found: WorkloadMoney, risk: Risk, widest: int, currency: str) -> MoneyRow:
    low = round(risk.low.cents / widest * 100, 3)
    end = 100.0 if risk.high is None else round(risk.high.cents / widest * 100, 3)
    interval = interval_text(risk, currency)
    return MoneyRow(
        found=found,
        risk=risk,
        interval=interval,
        low_per_cent=low,
        width_per_cent=max(0.0, round(end - low, 3)),
        open_end=risk.high is None,
        description=f"{found.workload.value}: {interval} at risk.",
    )


def total_text(record: RunRecord) -> str:
    """One sentence: what was at risk, of how many orders, and for how long; or ""."""
    found = record.money
    if found is None:
        why = record.money_why
        return f"revenue at risk: not known, for it could not be computed: {why}" if why else ""
    if not found.has_revenue:
        return ""
    risk = found.risk
    if risk is None:
        return "revenue at risk: not measured, for no effect of the fault was observed"
    low = f"{count(risk.low.count)} orders not served or lost"
    text = f"revenue at risk: {interval_text(risk, found.currency)}; {low}"
    if risk.high is not None and risk.high.count > risk.low.count:
        text += f", {count(risk.high.count - risk.low.count)} delayed or of unknown outcome"
    if risk.gone is not None and risk.gone.count:
        worth = money(risk.gone.cents, found.currency)
        text += f"; {count(risk.gone.count)} of them ({worth}) a restore took for good"
    return text


def rate_text(found: Money) -> str:
    """What a minute of the outage put at risk, and what a minute earns; or ""."""
    risk = found.risk
    earned = sum(w.per_minute_cents for w in found.workloads)
    if risk is None or not found.has_revenue or not found.bad_s:
        return ""
    low = found.per_bad_minute(risk.low.cents) or 0
    high = found.per_bad_minute(risk.high.cents) if risk.high is not None else None
    span = money(low, found.currency)
    if high is not None and high != low:
        span += f" to {money(high, '').strip()}"
    return (
        f"Over {count(found.bad_s)} s in which orders were not served well, that is {span} a "
        f"minute; a minute of this load earns {money(earned, found.currency)} as declared."
    )


def cost_text(found: Money) -> str:
    """What a reliable transaction costs, against a minute of outage; "" where not declared."""
    cost, risk = found.cost, found.risk
    if cost is None:
        return ""
    each = _per_thousand(cost, found.currency)
    if each == "":
        return "cost of a reliable transaction: not known, for none was seen in the baseline"
    hour = money(cost.per_hour_cents, found.currency)
    text = f"a thousand reliable transactions cost {each} (the platform {hour} an hour)"
    low = found.per_bad_minute(risk.low.cents) if risk is not None else None
    if low:
        minute = money((cost.per_hour_cents + 30) // 60, found.currency)
        lost = money(low, found.currency)
        text += f"; a minute of it costs {minute}, a minute of outage put {lost} at risk"
    return text


def _per_thousand(cost: Cost, currency: str) -> str:
    """To a hundredth of a cent."""
    each = cost.per_million_cents
    if each is None:
        return ""
    hundredths = (each + 5) // 10
    return f"{clean(currency)} {hundredths // 10_000:,}.{hundredths % 10_000:04d}"


def detection_text(record: RunRecord) -> str:
    """What the platform's own alerts made of it. Silence is told as silence, and never as zero."""
    found = record.detection
    if found is None or not found.source:
        return ""
    watch = found.watch
    if watch is None:
        return f"the alerts of {found.source}: how they were watched is not known"
    if not watch.answered:
        return f"the alerts of {found.source} could not be asked: {watch.trouble}"
    if record.timeline.first(MarkName.FAULT_ACTIVE) is None:
        return f"the alerts of {found.source} were asked; no effect was observed to be detected"
    return f"{_first(found)}{_doubts(found, record)}"


def _first(found: Detection) -> str:
    first = found.first
    if first is None:
        return f"no alert of {found.source} fired after the fault"
    low = wording.seconds(first.low_ns) if first.low_ns else "0"
    text = f"detected after {low} to {wording.seconds(first.high_ns, up=True)} s: {first.name}"
    others = [a.name for a in found.alerts[1:]]
    return f"{text}; then {_names(others)}" if others else text


def _doubts(found: Detection, record: RunRecord) -> str:
    """What weakens it: polls without an answer, and what was firing before."""
    watch, fault = found.watch, record.timeline.first(MarkName.FAULT_ACTIVE)
    assert watch is not None
    assert fault is not None
    told = ""
    if watch.answered < watch.polls:
        gap = seconds(watch.unanswered_ns / NS_PER_S)
        told += f"; {watch.answered} of {watch.polls} polls were answered, {gap} the longest gap"
    late = watch.first_answer_ns is not None and watch.first_answer_ns > fault.earliest_ns
    if found.early:
        when = "at the first answer, which came after the fault" if late else "before the fault"
        told += f"; firing {when}, so no detection of it: {_names(list(found.early))}"
    return told


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown


def money_lines(record: RunRecord) -> list[str]:
    """What terminal and summary say of both: a line each, none where there is nothing to tell."""
    cost = cost_text(record.money) if record.money is not None else ""
    return [line for line in (detection_text(record), total_text(record), cost) if line]
