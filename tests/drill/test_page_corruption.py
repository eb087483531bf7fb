"""Whole drills: a corrupt page is found, left, and copied anew; and nothing is seen in the null run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.proofs import Proof, StepRecord
from harness.core.timeline import MarkName
from harness.evidence import events, layout
from harness.evidence.lines import read_lines
from harness.recovery import failback, reinitialise
from tests.conftest import missing_in_the_end

pytestmark = [pytest.mark.platform, pytest.mark.drill, pytest.mark.timeout(500)]

ROOT = Path(__file__).resolve().parents[2]
LOSSES = ("lost", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected")
READS_THE_CATALOGUE = ("order-capture", "stock-reservation", "finance-reporting")


def drill(site, *words: str) -> tuple[int, dict[str, object], Path]:
    order = ["page-corruption", "--size", "smoke", "--json", "--out", str(site.out)]
    code, out, err = site.peakdrill("run", *order, *words)
    assert out, f"exit {code}: {err}"
    report = json.loads(out)
    return code, report, site.out / report["run_id"]


def test_the_damage_is_gone_for_good_and_nothing_is_lost(site) -> None:
    site.platform.database.switchover("a")  # where the lead belongs
    code, report, run = drill(site)
    assert {0: "met", 1: "missed", 3: "inconclusive", 4: "invalid"}[code] == report["verdict"]
    the_runbooks_went_to_their_ends(run)
    the_damage_was_really_there(run)
    nothing_is_corrupt_any_more(run, site)
    for name, workload in report["workloads"].items():
        found = {kind: workload["rpo"][kind] for kind in LOSSES}
        assert not any(found.values()), f"{name}: {found}"
        assert workload["rpo"]["acked"] > 0
    for name in READS_THE_CATALOGUE:
        assert report["workloads"][name]["rto"]["low_s"] > 0, f"{name} did not suffer"
    assert site.platform.database.leader() == "a"
    assert missing_in_the_end(site.platform) == ()
    assert site.peakdrill("check", str(run))[0] == code


def the_runbooks_went_to_their_ends(run: Path) -> None:
    records = read_lines(run / layout.STEPS, StepRecord)
    wanted = [(b.name, s.name) for b in (reinitialise.RUNBOOK, failback.RUNBOOK) for s in b.steps]
    assert [(r.runbook, r.name) for r in records] == wanted
    assert all(r.done for r in records), [r.told for r in records if not r.done]
    timeline = events.read(run / layout.EVENTS).timeline
    order = [
        MarkName.FAULT_ARMED, MarkName.FAULT_ACTIVE, MarkName.RECOVERY_BEGUN, MarkName.DETECTED,
        MarkName.DECIDED, MarkName.FAILED_OVER, MarkName.RECOVERY_ENDED, MarkName.FAULT_HEALED,
        MarkName.PROTECTED, MarkName.FAILBACK_BEGUN, MarkName.FAILBACK_ENDED,
    ]  # fmt: skip
    found = [timeline.first(name) for name in order]
    assert None not in found, [name for name, mark in zip(order, found, strict=True) if not mark]
    ends = [mark.latest_ns for mark in found if mark]
    assert ends == sorted(ends)


def the_damage_was_really_there(run: Path) -> None:
    """The old primary had rejoined with it: only the copy made anew took it away."""
    told = {r.name: r.told for r in read_lines(run / layout.STEPS, StepRecord)}
    assert "still carrying: shop.public.product_template: " in told["survey"]


def nothing_is_corrupt_any_more(run: Path, site) -> None:
    proofs = [p for p in read_lines(run / layout.PROOFS, Proof) if p.check == "nothing-corrupt"]
    assert {p.subject for p in proofs if p.kind == "node"} == {"node a", "node b"}
    taken = [p for p in proofs if p.kind == "backup"]
    assert taken
    assert all("taken since the run began" in p.told for p in taken)
    assert all(p.ok for p in proofs), [p.told for p in proofs if not p.ok]
    for node in site.platform.nodes.names():
        assert site.platform.database.corruption(node) == ()


def test_the_null_run_sees_no_damage(site) -> None:
    code, report, run = drill(site, "--experiment", str(ROOT / "experiments" / "null.yaml"))
    assert code == 4
    assert report["verdict"] == "invalid"
    assert "no effect" in report["reasons"][0].lower()
    assert "no page-corruption was seen" in (run / layout.EVENTS).read_text()
    assert not (run / layout.STEPS).exists()
    assert site.peakdrill("check", str(run))[0] == 4
