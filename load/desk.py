"""The desk: what every workload of one worker works with, and one arrival at it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from harness.core.operation import Detail, Flag, Kind, Stage, Workload
from load.baskets import Basket, draw_basket
from load.catalogue import Catalogue
from load.classify import Answer
from load.odoo import Odoo
from load.plan import LoadPlan
from load.recorder import Recorder, What
from load.stream import Stream

_REMEMBERED = 500


class ChainEnded(Exception):
    """A call of the chain was not acknowledged; the rest of it makes no sense."""


@dataclass(slots=True)
class Desk:
    """One worker's counter: clients, recorder, catalogue, and what was acknowledged lately."""

    plan: LoadPlan
    catalogue: Catalogue
    recorder: Recorder
    odoo: Odoo
    stream: Stream | None
    acknowledged: deque[int] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    canary_basket: Basket = field(init=False)  # always the same: one of the canary's product

    def __post_init__(self) -> None:
        catalogue = self.catalogue
        self.canary_basket = Basket(catalogue.canary_partner, ((catalogue.canary_product, 1, 100),))

    @property
    def version(self) -> int:
        return self.plan.application.version

    @property
    def canary_limit_s(self) -> float:
        """A canary's time-out: 250 ms, longer where a slow application's owner says so."""
        return self.plan.application.canary_limit_s


class Arrival:
    """One customer, due at `intended_ns`. Its calls share a record, the first call's."""

    def __init__(
        self,
        desk: Desk,
        workload: Workload,
        *,
        number: int,
        intended_ns: int,
        canary: bool = False,
    ) -> None:
        self.desk, self.workload, self.number = desk, workload, number
        self.intended_ns, self.canary = intended_ns, canary
        self.record: int | None = None
        self._rng: random.Random | None = None

    @property
    def rng(self) -> random.Random:
        """Of the arrival, not of the moment: runs repeat. A canary draws none."""
        if self._rng is None:
            code = self.workload.code
            self._rng = random.Random(
                f"{self.desk.plan.seed}/{code}/{self.number}/{int(self.canary)}"
            )
        return self._rng

    def basket(self) -> Basket:
        """What this customer buys; a canary buys one of the canary's product."""
        if self.canary:
            return self.desk.canary_basket
        catalogue = self.desk.catalogue
        return draw_basket(
            self.rng,
            partners=catalogue.partners,
            products=catalogue.products,
            revenue_cents=self._revenue_cents,
        )

    def create(
        self,
        basket: Basket,
        send: Callable[[str], Answer],
        *,
        stage: Stage = Stage.CREATED,
        flags: Flag = Flag.NONE,
    ) -> Answer:
        """The call that makes the record. Money stands behind it where the plan says so."""
        value_cents = 0 if self.canary or not self._revenue_cents else basket.total_cents
        return self.call(_what(Kind.CREATE, stage, flags, basket.digest, value_cents), send)

    def call(self, what: What, send: Callable[[str], Answer]) -> Answer:
        """The chain's next call. Raises ChainEnded unless it was acknowledged."""
        if self.canary:
            what = _of_canary(what.kind, what.stage, what.flags, what.digest)
        seq, answer = self.desk.recorder.call(
            self.workload, what, send, intended_ns=self.intended_ns, record=self.record
        )
        if self.record is None:
            self.record = seq
        if not answer.acked:
            raise ChainEnded(answer.detail.name)
        return answer

    @property
    def _revenue_cents(self) -> int:
        declared = self.desk.plan.of(self.workload)
        return declared.revenue_cents if declared else 0


_what = lru_cache(maxsize=64)(What)  # a canary's is always the same


@lru_cache(maxsize=64)
def _of_canary(kind: Kind, stage: Stage, flags: Flag, digest: int) -> What:
    return What(kind, stage, flags | Flag.CANARY, digest)


def new_id(answer: Answer) -> Answer:
    """A create must answer an id (or a list of one): anything else proves nothing."""
    if not answer.acked:
        return answer
    result = (
        answer.result[0] if isinstance(answer.result, list) and answer.result else answer.result
    )
    if isinstance(result, bool) or not isinstance(result, int):
        return answer.doubted()
    if result is answer.result:
        return answer
    return Answer(answer.outcome, Detail.NONE, result)


def done(answer: Answer) -> Answer:
    """A method that answers an action wants a wizard filled in: nothing was done yet."""
    if answer.acked and isinstance(answer.result, dict):
        return answer.doubted()
    return answer
