"""Trend and coverage from runs made by hand: what is alike, what a fault breaks, what was never drilled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.outcome import Outcome
from harness.core.readiness import coverage, trend
from harness.core.readiness.coverage import breaks, covered, fit, tenants_covered
from harness.core.scenario import experiment
from harness.core.verdict import Verdict
from tests.readiness.readiness_samples import S, part, run, scenario

MET, OPEN = Verdict.MET, Verdict.INCONCLUSIVE


def points(*runs: Outcome) -> tuple[trend.Series, ...]:
    targets = {("node-loss", "fulfilment"): 120 * S, ("node-loss", "order-capture"): 60 * S}
    return trend.trend(runs, targets, trend.first_runs(runs), 0.95)


def orders(low_s: int | None, high_s: int | None, **changed: object):
    ends = [None if s is None else s * S for s in (low_s, high_s)]
    return part(rto_low_ns=ends[0], rto_high_ns=ends[1], **changed)


def test_a_trend_is_of_what_is_alike_release_by_release() -> None:
    runs = [
        run("2027-09-03T10:00:00Z", orders(5, 6), release="a"), run("2027-09-01T10:00:00Z", orders(9, None), release="b"),
        run("2027-09-04T10:00:00Z", orders(4, 7), release="b"), run("2027-09-05T10:00:00Z", orders(3, 7), release="b"),
        run("2027-09-06T10:00:00Z", orders(1, 2, rate_per_s=20.0), release="a"),
        run("2027-09-07T10:00:00Z", orders(1, 2), release="a", size="smoke"),
        run("2027-09-08T10:00:00Z", orders(None, None), release="a"),
        run("2027-09-09T10:00:00Z", orders(0, 1, verdict=Verdict.INVALID), release="a"),
        run("2027-09-10T10:00:00Z", orders(0, 1), release="a", name="other"),
    ]  # fmt: skip
    made = points(*runs)
    assert [(s.workload, s.size, s.rate_per_s, s.runs) for s in made] == [
        ("fulfilment", "full", 10.0, 7), ("fulfilment", "smoke", 10.0, 1),
        ("order-capture", "full", 10.0, 4), ("order-capture", "full", 20.0, 1),
        ("order-capture", "smoke", 10.0, 1),
    ]  # fmt: skip
    series = made[2]
    assert (series.target_ns, series.platform) == (60 * S, "embedded/shop")
    b, a = series.points
    assert (b.release, a.release) == ("b", "a")
    assert [(i.low_ns // S, i.high_ns) for i in b.runs] == [(3, 7 * S), (4, 7 * S), (9, None)]
    assert (b.median, b.slowest) == (b.runs[1], b.runs[2])
    assert b.quantile == pytest.approx(0.05 ** (1 / 3))
    assert trend.Point("x", b.runs[:2], 0.5).median == b.runs[1], "of two, the slower"
    assert trend.first_runs(runs)["b"] == "2027-09-01T10:00:00Z"


@pytest.mark.parametrize(
    ("fault", "hits"),
    [
        (experiment("node-loss", node="primary"), {"nodes", "node-loss", "application", "database"}),
        (experiment("node-loss", node="standby"), {"nodes", "node-loss", "application", "database-standby"}),
        (experiment("node-loss", node="x"), {"nodes", "node-loss", "application"}),
        (experiment("node-loss", pods="primary"), {"nodes", "node-loss", "application"}),
        (experiment("container-pause", node="primary"), {"application", "database"}),
        (experiment("pod-kill", pods="application"), {"application"}),
        (experiment("pod-kill", pods="standby"), {"database-standby"}),
        (experiment("partition", pods="primary"), {"database"}),
        (experiment("pod-kill", node="primary"), set()),
        (experiment("pod-kill", pods="x"), set()),
        (experiment("command", command="database-stop"), {"database"}),
        (experiment("command", command="x"), set()),
        (experiment("command", node="database-stop"), set()),
        (experiment("page-corruption", node="primary"), {"database-files", "page-corruption"}),
    ],
)  # fmt: skip
def test_what_a_fault_breaks(fault: object, hits: set[str]) -> None:
    made = scenario("mine", fault=fault, tags=frozenset())
    assert breaks(made) == hits
    tagged = replace(made, tags=frozenset({"dns", "no such thing"}))
    assert breaks(tagged) == hits | {"dns"}


def test_what_no_drill_covers_stands_first_then_what_was_never_run() -> None:
    entries = [
        coverage.Entry(n, n, "nodes" if n == "dns" else "")
        for n in ("nodes", "database", "dns", "cache")
    ]
    made = scenario(tags=frozenset({"cache"}), requires={"nodes"})
    other = scenario(
        "other", fault=experiment("pod-kill", pods="primary"), tags=frozenset(), requires=set()
    )
    runs = [
        run("2027-09-02T10:00:00Z"),
        run("2027-09-01T10:00:00Z"),
        run("2027-09-03T10:00:00Z", name="x"),
    ]
    shown = covered(entries, [made, other], runs)
    assert [(c.name, c.word, c.scenarios, c.last_utc[:10], c.leaning) for c in shown] == [
        ("dns", "no drill", (), "", ("node-loss",)),
        ("nodes", "drilled", ("node-loss",), "2027-09-02", ()),
        ("database", "drilled", ("node-loss", "other"), "2027-09-02", ()),
        ("cache", "drilled", ("node-loss",), "2027-09-02", ()),
    ]
    never = covered(entries, [other], runs)
    assert [(c.name, c.word) for c in never][-1] == ("database", "never run")
    assert shown[1].last_run == runs[0].run_id
    assert shown[1].last_release == "2027.9.0"


def test_tenants_are_covered_by_their_own_runs() -> None:
    runs = [
        run("2027-09-02T10:00:00Z", tenant="north"),
        run("2027-09-03T10:00:00Z", name="x", tenant="south"),
    ]
    north, south = reversed(
        tenants_covered(("north", "south"), [scenario(), scenario("other")], runs)
    )
    assert (north.name, north.scenarios, north.last_utc[:10]) == (
        "north",
        ("node-loss",),
        "2027-09-02",
    )
    assert (south.name, south.word, south.last_run) == ("south", "no drill", "")


@pytest.mark.parametrize(
    ("verdict", "loss", "counts"),
    [(MET, False, True), (OPEN, False, True), (Verdict.INVALID, False, False), (Verdict.ERROR, False, False), (Verdict.INVALID, True, True)],
)  # fmt: skip
def test_which_runs_have_shown_anything(verdict: Verdict, loss: bool, counts: bool) -> None:
    assert fit(run(verdict=verdict, proven_loss=loss)) is counts
