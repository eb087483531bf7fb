"""One place where a call meets the ledger: intent, send, outcome.

Nothing is sent without its intent on record, and a call that is cut short (its greenlet is
killed at the end of a run) still gets an outcome: UNKNOWN, interrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.core.operation import Detail, Flag, Kind, Outcome, Stage, Workload, key_of
from harness.ledger.writer import LedgerWriter
from load.classify import Answer


@dataclass(frozen=True, slots=True)
class What:
    """What a call does, as the ledger stores it."""

    kind: Kind
    stage: Stage = Stage.NONE
    flags: Flag = Flag.NONE
    digest: int = 0
    value_cents: int = 0


_CUT_SHORT = Answer(Outcome.UNKNOWN, Detail.INTERRUPTED)


class Recorder:
    """Writes the intent, sends, writes the outcome."""

    def __init__(self, ledger: LedgerWriter, *, run_id: str, worker: int) -> None:
        self._ledger = ledger
        self._stamp = key_of(run_id, worker, 0)[:-1]
        self.calls = 0

    def key(self, record: int) -> str:
        """The stamp of `record`."""
        return f"{self._stamp}{record}"

    def call(
        self,
        workload: Workload,
        what: What,
        send: Callable[[str], Answer],
        *,
        intended_ns: int | None = None,
        record: int | None = None,
    ) -> tuple[int, Answer]:
        """Do one call and return its seq and answer.

        `send` is given the key of the record: `record`'s, or the call's own where that is None.
        `intended_ns` None: the call stands beside the schedule and is due now.
        """
        now = time.monotonic_ns()
        seq = self._ledger.intent(
            intended_ns=now if intended_ns is None else intended_ns,
            sent_ns=now,
            workload=workload,
            kind=what.kind,
            stage=what.stage,
            flags=what.flags,
            record=record,
            digest=what.digest,
            value_cents=what.value_cents,
        )
        self.calls += 1
        answer = _CUT_SHORT
        try:
            answer = send(f"{self._stamp}{seq if record is None else record}")
        finally:
            number = answer.result if what.kind is Kind.REPORT and answer.acked else 0
            self._ledger.outcome(
                seq,
                done_ns=time.monotonic_ns(),
                outcome=answer.outcome,
                detail=answer.detail,
                answer=number,
            )
        return seq, answer

    def shed(self, workload: Workload, what: What, *, intended_ns: int) -> None:
        """Record an arrival that this generator could not send: the run becomes unfit."""
        seq = self._ledger.intent(
            intended_ns=intended_ns,
            sent_ns=time.monotonic_ns(),
            workload=workload,
            kind=what.kind,
            flags=what.flags,
        )
        self._ledger.outcome(
            seq,
            done_ns=time.monotonic_ns(),
            outcome=Outcome.REFUSED,
            detail=Detail.SHED_BY_CLIENT,
            sends=0,
        )
        self._ledger.drop()
