"""A till of our own: orders by Odoo's protocol, each in a ledger before it is sent.

Then the stores are read back, and each record is judged, by the code that judges drills.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness.core.evidence import Survivors
from harness.core.operation import Detail, Kind, Outcome, Stage, Workload, key_of
from harness.core.operations import Operations, type_bool
from harness.core.records import Records, records_of
from harness.core.recovery_point import Classes, classify, held_by
from harness.ledger.reader import read_ledgers
from harness.ledger.writer import LedgerWriter
from harness.platforms.embedded import EmbeddedPlatform
from harness.readback.survivors import look
from load.classify import Answer, Progress, of_break, of_response, of_timeout

_SETUP_S = 15.0


@dataclass(frozen=True)
class Judged:
    """Every order of a till, and what became of it. One call a record."""

    operations: Operations
    records: Records
    classes: Classes

    def of(self, detail: Detail) -> type_bool:
        """The records whose create ended so."""
        ended = self.operations.seq[self.operations.detail == detail]
        return np.isin(self.records.seq, ended)


@dataclass
class Till:
    """One ledger, one run. `order` may be called by several threads at once."""

    platform: EmbeddedPlatform
    folder: Path
    run_id: str
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        ends = self.platform.endpoints()
        self._url = f"{ends.application_url}/jsonrpc"
        self._database = ends.database
        self._password = ends.password_file.read_text().strip()
        who = [ends.database, ends.login, self._password, {}]
        self._uid = self._send("common", "authenticate", who, _SETUP_S).result
        self._partner = self._first("res.partner")
        self._product = self._first("product.product")
        self._ledger = LedgerWriter(
            self.folder / "worker-0.slots", run_id=self.run_id, worker=0, chunk_slots=1 << 12
        )

    def order(self, limit_s: float) -> Answer:
        """Create one; what came of it stands in the ledger."""
        now_ns = time.monotonic_ns()
        with self._lock:
            seq = self._ledger.intent(
                intended_ns=now_ns, sent_ns=now_ns, workload=Workload.ORDER_CAPTURE,
                kind=Kind.CREATE, stage=Stage.CREATED, value_cents=4800,
            )  # fmt: skip
        line = {"product_id": self._product, "product_uom_qty": 1}
        key = key_of(self.run_id, 0, seq)
        values = {
            "partner_id": self._partner, "client_order_ref": key, "order_line": [[0, 0, line]],
        }  # fmt: skip
        answer = self._execute("sale.order", "create", [values], limit_s)
        with self._lock:
            self._ledger.outcome(
                seq, done_ns=time.monotonic_ns(), outcome=answer.outcome, detail=answer.detail
            )
        return answer

    def judged(self) -> Judged:
        """Close the ledger, and hold the stores against it."""
        self._ledger.close()
        operations = read_ledgers(self.folder)[0]
        records = records_of(operations)
        found = look(
            "first", self.platform.endpoints(), self.run_id, filestore=self.platform.filestore,
            clock=time.monotonic_ns, settled=False,
        )  # fmt: skip
        assert found.complete, found.why_incomplete
        names = ("worker", "seq", "stage", "digest", "document", "parts", "expected_parts")
        survivors = Survivors(
            workload=np.full(len(found.rows), Workload.ORDER_CAPTURE.code, dtype=np.uint8),
            **{name: np.ascontiguousarray(found.rows[name]) for name in names},
        )
        return Judged(operations, records, classify(records, held_by(records, survivors)))

    def _first(self, model: str) -> int:
        answer = self._execute(model, "search", [[]], _SETUP_S)
        assert answer.outcome is Outcome.ACKED, answer
        return int(answer.result[0])

    def _execute(self, model: str, method: str, arguments: list[Any], limit_s: float) -> Answer:
        words = [self._database, self._uid, self._password, model, method, arguments]
        return self._send("object", "execute_kw", words, limit_s)

    def _send(self, service: str, method: str, words: list[Any], limit_s: float) -> Answer:
        params = {"service": service, "method": method, "args": words}
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}).encode()
        request = urllib.request.Request(
            self._url, body, {"Content-Type": "application/json", "Connection": "close"}
        )
        try:
            with urllib.request.urlopen(request, timeout=limit_s) as answer:
                return of_response(answer.status, answer.read(), 1)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(Outcome.UNKNOWN, Detail.HTTP_5XX)
        except TimeoutError:
            return of_timeout(Progress.SENT)
        except (OSError, http.client.HTTPException) as error:
            timed_out = isinstance(getattr(error, "reason", None), TimeoutError)
            return of_timeout(Progress.SENT) if timed_out else of_break(Progress.SENT)
