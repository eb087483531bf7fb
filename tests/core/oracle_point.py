"""RPO, slowly: every record on its own, decided by the words of the definitions, for the tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.core.operation import Kind, Outcome, Stage

KEPT = (Kind.CREATE, Kind.ADVANCE, Kind.ATTACH, Kind.CANCEL, Kind.RESYNC)
MOVES = (Kind.CREATE, Kind.ADVANCE, Kind.RESYNC)
LINES = 1


@dataclass
class Call:
    """One call of the ledger, as plain numbers."""

    worker: int
    seq: int
    record: int
    kind: Kind
    outcome: Outcome
    stage: int = 0
    digest: int = 0
    sent: int = 0
    done: int = 0
    value: int = 0
    canary: bool = False
    idempotent: bool = False
    sends: int = 1
    found: bool = True  # READ
    answer: int = 0  # REPORT


@dataclass
class Row:
    """One surviving row."""

    worker: int
    seq: int
    stage: int
    digest: int
    document: int = 0
    parts: int = LINES
    expected: int = LINES


@dataclass
class Told:
    """What is true of one record."""

    create: Call
    calls: list[Call] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def outcomes(self, *kinds: Kind) -> set[Outcome]:
        return {
            Outcome.UNKNOWN if c.outcome is Outcome.NONE else c.outcome
            for c in self.calls
            if c.kind in kinds
        }

    @property
    def acked(self) -> bool:
        return Outcome.ACKED in self.outcomes(*KEPT)

    @property
    def unknown(self) -> bool:
        return not self.acked and Outcome.UNKNOWN in self.outcomes(Kind.CREATE, Kind.RESYNC)

    @property
    def refused(self) -> bool:
        return not self.acked and not self.unknown

    @property
    def there(self) -> bool:
        return bool(self.rows)

    def stage(self, *outcomes: Outcome) -> int:
        """The furthest stage that its calls with these outcomes moved it to."""
        return max(
            (c.stage for c in self.calls if c.kind in MOVES and c.outcome in outcomes), default=0
        )

    def missing_calls(self) -> list[Call]:
        """Acknowledged calls whose effect is gone."""
        acked = [c for c in self.calls if c.outcome is Outcome.ACKED]
        if not self.there:
            return acked
        if Outcome.ACKED in self.outcomes(Kind.CANCEL):
            return []  # the cancellation is what must hold now: RESURRECTED says when it does not
        held = max(r.stage for r in self.rows)
        if held == Stage.CANCELLED and not self.outcomes(Kind.CANCEL):
            held = 0  # nobody asked for it
        return [c for c in acked if c.kind in MOVES and c.stage > held]

    def ghost(self) -> bool:
        if not self.there:
            return False
        if self.refused:
            return True
        held = max(r.stage for r in self.rows)
        refused = self.stage(Outcome.REFUSED)
        asked = self.stage(Outcome.ACKED, Outcome.UNKNOWN, Outcome.NONE)
        if refused not in (0, Stage.RESERVED) and asked < refused <= held != Stage.CANCELLED:
            return True
        if self.outcomes(Kind.CANCEL) == {Outcome.REFUSED} and held == Stage.CANCELLED:
            return True
        return self.outcomes(Kind.ATTACH) == {Outcome.REFUSED} and self.has_document()

    def has_document(self) -> bool:
        return any(r.document for r in self.rows)

    def altered(self) -> bool:
        if not self.there or self.refused:
            return False
        content = self.create.digest and all(r.digest != self.create.digest for r in self.rows)
        lines = any(r.parts & LINES or not r.expected & LINES for r in self.rows)
        sent = [c.digest for c in self.calls if c.kind is Kind.ATTACH]
        asked = self.outcomes(Kind.ATTACH) & {Outcome.ACKED, Outcome.UNKNOWN}
        other = asked and self.has_document() and all(r.document != sent[-1] for r in self.rows)
        return bool((content and lines) or other)

    def partial(self) -> bool:
        if not self.there or self.refused or self.altered():
            return False
        incomplete = all(r.expected & ~r.parts for r in self.rows)
        attached = Outcome.ACKED in self.outcomes(Kind.ATTACH)
        return incomplete or (attached and not self.has_document())

    def resurrected(self) -> bool:
        cancelled = Outcome.ACKED in self.outcomes(Kind.CANCEL)
        return cancelled and any(r.stage != Stage.CANCELLED for r in self.rows)

    def first_ack(self) -> int:
        return min(c.done for c in self.calls if c.outcome is Outcome.ACKED)


def told_of(calls: list[Call], rows: list[Row]) -> dict[tuple[int, int], Told]:
    told = {(c.worker, c.seq): Told(c) for c in calls if c.kind is Kind.CREATE}
    for call in calls:
        if call.kind in KEPT and (call.worker, call.record) in told:
            told[call.worker, call.record].calls.append(call)
    for row in rows:
        if (row.worker, row.seq) in told:
            told[row.worker, row.seq].rows.append(row)
    return told


def counts(
    calls: list[Call], rows: list[Row], *, ends: dict[int, int], fault: tuple[int, int], stale: int
) -> dict[str, object]:
    """Every class, of one workload. `ends`: ledger end by worker; `fault`: t_F."""
    told = told_of(calls, rows)
    each = list(told.values())
    missing = [c for t in each for c in t.missing_calls()]
    gone = [t for t in each if t.missing_calls()]
    twice = [t for t in each if len(t.rows) > 1 and not t.refused]
    retried = [t for t in twice if t.create.sends > 1 and not t.create.idempotent]
    strangers = {(r.worker, r.seq) for r in rows} - set(told)
    found: dict[str, object] = {
        "acked": len([t for t in each if t.acked]),
        "unknown": len([t for t in each if t.unknown]),
        "refused": len([t for t in each if t.refused]),
        "lost": len(gone),
        "absent": len([t for t in each if t.unknown and not t.there]),
        "recovered": len([t for t in each if t.unknown and t.there]),
        "ghost": len([t for t in each if t.ghost()]),
        "unexpected": len([k for k in strangers if k[0] not in ends or k[1] < ends[k[0]]]),
        "duplicate": len(twice) - len(retried),
        "altered": len([t for t in each if t.altered()]),
        "partial": len([t for t in each if t.partial()]),
        "resurrected": len([t for t in each if t.resurrected()]),
        "stale": stale_count(calls, told, stale),
        "duplicate_by_retry": len(retried),
        "lost_value_cents": sum(t.create.value for t in gone if not t.create.canary),
        "achieved_ns": 0,
        "recovery_point_ns": None,
    }
    if missing:
        point = min(c.done for c in missing) - 1
        found["recovery_point_ns"] = point - fault[1]
        found["achieved_ns"] = max(fault[1], *(c.done for c in missing)) - point
    return found


def stale_count(calls: list[Call], told: dict[tuple[int, int], Told], allowed: int) -> int:
    """Records read without what was acknowledged, and reports that counted too few."""
    records = set()
    reports = Counter[int]()
    for call in calls:
        if call.outcome is not Outcome.ACKED:
            continue
        about = told.get((call.worker, call.record))
        if call.kind is Kind.READ and not call.found and about is not None:
            old = call.sent - allowed
            if about.acked and not about.missing_calls() and about.first_ack() < old:
                records.add((call.worker, call.record))
        if call.kind is Kind.REPORT:
            known = [
                c
                for t in told.values()
                if not t.missing_calls()
                for c in t.calls
                if c.outcome is Outcome.ACKED
                and c.kind is not Kind.CANCEL
                and c.stage >= Stage.CONFIRMED
                and c.done < call.sent - allowed
            ]
            reports[0] += call.answer < len(known)
    return len(records) + reports[0]
