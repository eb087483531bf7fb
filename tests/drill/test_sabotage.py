"""Sabotage: what is planted in the real platform's stores is reported, exactly, and nothing else."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness import drill as drill_module
from harness.core.operation import Outcome, Workload
from harness.core.plan import Plan
from harness.core.verdict import Judgement, Verdict, WorkloadJudgement, WriteCounts
from harness.drill import drill
from harness.evidence.rundir import Head, RunDirectory
from harness.platforms.embedded import EmbeddedPlatform
from harness.progress import Silent
from tests.drill import planting

pytestmark = [pytest.mark.platform, pytest.mark.drill, pytest.mark.timeout(400)]

NULL = Path(__file__).resolve().parents[2] / "experiments" / "null.yaml"


def refuse_for_a_moment(platform: EmbeddedPlatform, over: threading.Event) -> None:
    """Kill the ingress until the load met a refused connection; its node starts it again."""
    for _ in range(3):
        if over.wait(1.5):
            return
        nodes = platform.status()["nodes"]
        os.kill(nodes["c"]["parts"]["ingress"], signal.SIGKILL)


def test_planted_defects_are_reported_exactly(
    platform: EmbeddedPlatform, smoke_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(smoke_plan, limits=replace(smoke_plan.limits, effect_s=2.0, observe_s=15.0))
    run = RunDirectory.create(tmp_path, plan.run_id)
    run.save_plan(plan, NULL.read_text(), Head("test", "2026-01-01T00:00:00Z", "0", "3"))
    stores = planting.Stores(platform, plan.run_id, run / "ledger")
    planted: dict[str, list[planting.Record]] = {}

    def sabotaged(*given: object) -> object:
        planted.update(plant(stores))
        return read_back(*given)  # type: ignore[arg-type]

    read_back = drill_module.read_back
    monkeypatch.setattr(drill_module, "read_back", sabotaged)
    over = threading.Event()
    saboteur = threading.Thread(target=after_baseline, args=(run, platform, over))
    saboteur.start()
    try:
        judgement = drill(plan, platform, run, Silent())
    finally:
        over.set()
        saboteur.join()
    expect(judgement, planted)


def after_baseline(run: RunDirectory, platform: EmbeddedPlatform, over: threading.Event) -> None:
    """Wait for the end of the baseline, then make the ingress refuse."""
    events = run / "events.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not over.wait(0.1):
        if events.exists() and "baseline-ended" in events.read_text():
            refuse_for_a_moment(platform, over)
            return


def plant(stores: planting.Stores) -> dict[str, list[planting.Record]]:
    """Choose the victims from the ledger, each for one defect, and hurt them."""
    orders = stores.records(Workload.ORDER_CAPTURE, Outcome.ACKED, attached=True)
    victims = planting.spread(orders, 9)
    refused = stores.records(Workload.ORDER_CAPTURE, Outcome.REFUSED)
    market = stores.records(Workload.MARKETPLACE, Outcome.ACKED)
    sales = stores.records(Workload.POINT_OF_SALE, Outcome.ACKED)
    planted = {
        "lost": victims[0:3],
        "repriced": victims[3:5],
        "overwritten": victims[5:8],
        "partial": victims[8:9],
        "ghost": refused[:2],
        "duplicate": planting.spread(market, 4),
        "lost-sales": planting.spread(sales, 2),
    }
    planting.lose(stores, planted["lost"])
    planting.reprice(stores, planted["repriced"])
    planting.overwrite_documents(stores, planted["overwritten"])
    planting.remove_documents(stores, planted["partial"])
    planting.order_what_was_refused(stores, planted["ghost"])
    planting.order_again(stores, planted["duplicate"])
    planting.lose_sales(stores, planted["lost-sales"])
    return planted


def expect(judgement: Judgement, planted: dict[str, list[planting.Record]]) -> None:
    assert judgement.verdict is Verdict.MISSED  # a proven loss stays missed, whatever the fault did
    assert len(planted["ghost"]) == 2, "the ingress never refused: nothing to plant a ghost for"
    orders = counts(judgement, Workload.ORDER_CAPTURE)
    assert orders.lost == 3
    assert orders.lost_value_cents == sum(v.value_cents for v in planted["lost"])
    assert orders.altered == 5
    assert orders.partial == 1
    assert orders.ghost == 2
    assert orders.duplicate == 0
    market = counts(judgement, Workload.MARKETPLACE)
    assert market.duplicate == 4
    assert (market.lost, market.altered, market.ghost) == (0, 0, 0)
    sales = counts(judgement, Workload.POINT_OF_SALE)
    assert sales.lost == 2
    assert sales.lost_value_cents == sum(v.value_cents for v in planted["lost-sales"])
    untouched = (Workload.STOCK_RESERVATION, Workload.FULFILMENT, Workload.FINANCE)
    for workload in untouched:
        clean = counts(judgement, workload)
        assert clean.lost + clean.violations == 0, f"{workload}: {clean}"
    for found in (orders, market, sales):
        assert (found.unexpected, found.resurrected, found.stale) == (0, 0, 0)


def counts(judgement: Judgement, workload: Workload) -> WriteCounts:
    (found,) = [w for w in judgement.workloads if w.workload is workload]
    assert isinstance(found, WorkloadJudgement)
    assert found.rpo is not None
    return found.rpo.gated
