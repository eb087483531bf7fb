"""A whole drill: a corrupt page is found, left, and copied anew, and the lead is handed back."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.proofs import Proof, StepRecord
from harness.core.timeline import MarkName
from harness.evidence import events, layout
from harness.evidence.lines import read_lines
from harness.recovery import failback, reinitialise
from tests.conftest import missing_in_the_end
from tests.drill.conftest import EXIT_CODES
from tests.gameday.rehearsal import PAGE, Rehearsed

pytestmark = [pytest.mark.platform, pytest.mark.drill, pytest.mark.timeout(900)]

LOSSES = ("lost", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected")
READS_THE_CATALOGUE = ("order-capture", "stock-reservation", "finance-reporting")


def test_the_damage_is_gone_for_good_and_nothing_is_lost(rehearsed: Rehearsed) -> None:
    """Another drill has followed on the platform since: what is still sound was sound then."""
    report, run = rehearsed.drilled(PAGE)
    site = rehearsed.room.site
    the_runbooks_went_to_their_ends(run)
    the_damage_was_really_there(run)
    nothing_is_corrupt_any_more(run, site)
    for name, workload in report["workloads"].items():
        found = {kind: workload["rpo"][kind] for kind in LOSSES}
        assert not any(found.values()), f"{name}: {found}"
        assert workload["rpo"]["acked"] > 0
    for name in READS_THE_CATALOGUE:
        assert report["workloads"][name]["rto"]["low_s"] > 0, f"{name} did not suffer"
    assert rehearsed.leader == "a"
    assert missing_in_the_end(site.platform) == ()
    assert site.peakdrill("check", str(run))[0] == EXIT_CODES[report["verdict"]]


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
