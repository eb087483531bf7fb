"""`peakdrill gate`: what is made, what is only decided, and what reaches stdout and the files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from harness import session
from harness.commands import rendering
from harness.core.measured_findings import RTO
from harness.core.plan import Plan, Size
from harness.core.record import RunRecord
from harness.core.verdict import (
    Finding,
    FitnessFinding,
    Judgement,
    RecoveryPoint,
    RecoveryTime,
    Verdict,
    WorkloadJudgement,
    WriteCounts,
)
from harness.errors import PlatformError
from harness.evidence.outcome import outcome_of
from harness.history import open_history
from harness.progress import Silent
from tests.cli.stand_ins import record

S = 1_000_000_000
SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "reports/schema/gate-v1.schema.json").read_text()
)


@dataclass
class Drills:
    """Answers each order with the next verdict, and remembers what was asked."""

    verdicts: list[Verdict] = field(default_factory=list)
    recovery_s: float = 20.0
    loss: bool = False
    interrupted: bool = False
    orders: list[session.Order] = field(default_factory=list)
    stores: list[str | None] = field(default_factory=list)
    made: int = 0
    plans: dict[tuple[object, ...], Plan] = field(default_factory=dict)

    def plan_of(self, order: session.Order) -> Plan:
        """Files are read once for each kind of order: a plan takes a second on a busy machine."""
        key = (order.scenario, order.size, order.peak, order.release)
        if key not in self.plans:
            self.plans[key] = session.plan_only(order)
        return self.plans[key]

    def execute(self, order: session.Order, progress: object) -> tuple[RunRecord, Path]:
        self.orders.append(order)
        self.stores.append(os.environ.get("PEAKDRILL_HISTORY"))
        verdict = self.verdicts.pop(0) if self.verdicts else Verdict.MET
        made = self.record(self.plan_of(order), verdict)
        return made, order.out / made.plan.run_id

    def record(self, plan: Plan, verdict: Verdict) -> RunRecord:
        self.made += 1
        fit = (FitnessFinding("uninterrupted", not self.interrupted, "asked to stop", "no"),)
        made = replace(record(verdict), plan=replace(plan, run_id=f"run-{self.made:04d}"))
        judged = Judgement(
            run_id=made.plan.run_id,
            scenario=plan.scenario.name,
            judge="v1",
            verdict=verdict,
            reasons=(f"because it is {verdict.value}\x1b[31m",),
            workloads=tuple(self._workload(t.workload, verdict) for t in plan.targets.workloads),
            findings=(Finding("stores-agree", None, Verdict.MET, "they agree"),),
            fitness=fit,
            not_checked=(),
            notes=(),
        )
        begun = f"2026-11-27T{self.made // 60:02d}:{self.made % 60:02d}:00Z"
        return replace(made, judgement=judged, begun_utc=begun)

    def _workload(self, name, verdict: Verdict) -> WorkloadJudgement:
        told = verdict if verdict in {Verdict.MISSED, Verdict.INCONCLUSIVE} else Verdict.MET
        took = round(self.recovery_s * S)
        rto = RecoveryTime(60 * S, took, took + S // 5, True, 60 * S, S // 10, S // 1000)
        counts = WriteCounts(acked=900, lost=3 if self.loss else 0)
        rpo = RecoveryPoint(0, 0, counts, counts, "second")
        lost = Verdict.MISSED if self.loss else Verdict.MET
        findings = (Finding(RTO, name, told, "rto"), Finding("rpo", name, lost, "rpo"))
        return WorkloadJudgement(name, told, rto, rpo, findings)


@pytest.fixture
def drills(monkeypatch: pytest.MonkeyPatch) -> Drills:
    stand_in = Drills()
    monkeypatch.setattr(session, "execute", stand_in.execute)
    monkeypatch.setattr(rendering, "progress", _silent)
    monkeypatch.delenv("PEAKDRILL_HISTORY", raising=False)
    return stand_in


def _silent(*, silent: bool) -> Silent:
    return Silent()


GATE = ("gate", "--release", "2.0", "--scenarios", "node-loss", "--size", "smoke")


def filled(drills: Drills, count: int, release: str, **order: object) -> None:
    """A history that somebody has already."""
    with open_history(None, out=Path("runs")) as history:
        for _ in range(count):
            asked = session.Order("node-loss", size=Size.SMOKE, release=release, **order)
            made = drills.record(drills.plan_of(asked), Verdict.MET)
            outcome = outcome_of(
                made.plan, made.judgement, begun_utc=made.begun_utc, evidence_digest="0" * 64
            )
            history.add(outcome, directory=Path("runs") / outcome.run_id)


def test_it_makes_what_lacks_and_no_more(call, drills: Drills) -> None:
    ended = call(*GATE)
    assert ended.code == 0
    assert len(drills.orders) == 14
    assert ended.out.startswith("Safe (smoke runs): 2.0 met its targets in at least 80% of drills")
    assert "0 of 14 there; 14 to make" in ended.err
    assert {(o.scenario, o.size, o.release) for o in drills.orders} == {
        ("node-loss", "smoke", "2.0")
    }
    assert len({o.seed for o in drills.orders}) == 1, "every run draws its own"
    again = call(*GATE)
    assert (again.code, len(drills.orders)) == (0, 14)


def test_no_run_starts_nothing(call, drills: Drills) -> None:
    assert call(*GATE, "--no-run").code == 2, "there is no history yet"
    filled(drills, 5, "2.0")
    ended = call(*GATE, "--no-run")
    assert (ended.code, drills.orders) == (3, [])
    assert ended.out.splitlines()[0] == (
        "Not proven (smoke runs): 2.0: 9 more clean runs of node-loss needed"
    )
    assert "supports" in ended.out
    assert "54.9%" in ended.out


def test_a_loss_ends_it_at_once_and_for_ever(call, drills: Drills) -> None:
    drills.verdicts, drills.loss = [Verdict.MISSED], True
    ended = call(*GATE)
    assert (ended.code, len(drills.orders)) == (1, 1)
    assert "no later run takes that back" in " ".join(ended.out.split())
    drills.loss = False
    assert (call(*GATE).code, len(drills.orders)) == (1, 1)


def test_a_run_that_is_not_fit_is_repeated_twice_and_then_it_stops(call, drills: Drills) -> None:
    drills.verdicts = [Verdict.INVALID, Verdict.ERROR]
    assert (call(*GATE).code, len(drills.orders)) == (0, 16)


def test_three_unfit_in_a_row_end_it(call, drills: Drills) -> None:
    drills.verdicts = [Verdict.INVALID] * 50
    assert call(*GATE).code == 4
    assert len(drills.orders) == 3, "31 clean ones are beyond the plan's 14"


def test_a_miss_ends_what_cannot_pass_any_more_and_more_runs_can_be_allowed(
    call, drills: Drills
) -> None:
    drills.verdicts = [Verdict.MET, Verdict.MISSED]
    ended = call(*GATE)
    assert (ended.code, len(drills.orders)) == (3, 2)
    assert "30 more clean runs of node-loss needed" in ended.out
    assert call(*GATE, "--runs", "29").code == 3
    assert len(drills.orders) == 2, "29 cannot do what takes 30"
    assert call(*GATE, "--runs", "30").code == 0
    assert len(drills.orders) == 32


def test_a_few_each_night(call, drills: Drills) -> None:
    codes = [call(*GATE, "--runs", "5").code for _ in range(3)]
    assert (codes, len(drills.orders)) == ([3, 3, 0], 14)


def test_sequential_stops_by_its_own_rule(call, drills: Drills) -> None:
    assert call(*GATE, "--sequential").code == 0
    assert len(drills.orders) == 16


def test_an_interrupted_run_begins_no_other(call, drills: Drills) -> None:
    drills.verdicts, drills.interrupted = [Verdict.INVALID], True
    ended = call(*GATE)
    assert (ended.code, len(drills.orders)) == (4, 1)
    assert "no other is begun" in ended.err


def test_a_drill_that_answers_another_question_begins_no_other(call, drills: Drills) -> None:
    """As on a platform that is up and set up otherwise: forty outages would prove nothing."""
    plan_of = drills.plan_of

    def elsewhere(order: session.Order) -> Plan:
        plan = plan_of(order)
        return replace(plan, platform=replace(plan.platform, notes=("set up by hand",)))

    drills.plan_of = elsewhere
    ended = call(*GATE)
    assert (ended.code, len(drills.orders)) == (3, 1)
    assert "does not count, and neither would the next: another configuration" in ended.err
    assert ended.out.startswith("Not proven")


def test_an_error_of_the_platform_is_no_pass(call, drills: Drills, monkeypatch) -> None:
    filled(drills, 13, "2.0")

    def broken(order: session.Order, progress: object) -> None:
        raise PlatformError("etcd did not start")

    monkeypatch.setattr(session, "execute", broken)
    ended = call(*GATE)
    assert (ended.code, ended.out) == (5, "")
    assert "PEAKDRILL_HISTORY" not in os.environ


def test_the_history_that_is_named_is_the_one_that_runs_go_to(
    call, drills: Drills, home: Path
) -> None:
    assert call(*GATE, "--history", "ours.sqlite", "--runs", "1").code == 3
    assert len(drills.orders) == 1, "a start: one alone cannot pass"
    assert call(*GATE, "--history", "ours.sqlite").code == 0
    assert set(drills.stores) == {str(home / "ours.sqlite")}
    assert "PEAKDRILL_HISTORY" not in os.environ
    assert not (home / "runs" / "history.sqlite").exists()


def test_against_a_baseline(call, drills: Drills) -> None:
    filled(drills, 14, "1.0")
    drills.recovery_s = 28.0
    ended = call(*GATE, "--baseline", "1.0")
    assert ended.code == 1
    assert "slower than 1.0 by more than 25%" in " ".join(ended.out.split())
    drills.recovery_s = 20.0
    quick = call("gate", "--release", "3.0", *GATE[3:], "--baseline", "1.0")
    assert quick.code == 0
    assert "no slower than 1.0 by more than 25%" in " ".join(quick.out.split())


def test_another_rate_is_refused_before_anything_is_broken(call, drills: Drills) -> None:
    filled(drills, 14, "1.0", peak=2.0)
    ended = call(*GATE, "--baseline", "1.0", "--junit", "j.xml")
    assert (ended.code, drills.orders) == (2, [])
    assert "refused" in ended.out
    assert "another peak: 2x, asked for 1x" in " ".join(ended.out.split())
    suite = ET.parse("j.xml").getroot()[0]
    assert int(suite.get("failures")) > 0


def test_the_files_say_the_same(call, drills: Drills, home: Path) -> None:
    filled(drills, 3, "2.0")
    ended = call(*GATE, "--no-run", "--json", "--junit", "out/j.xml", "--markdown", "out/m.md")
    told = json.loads(ended.out)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(told)
    assert (told["verdict"], told["exit_code"], ended.code) == ("inconclusive", 3, 3)
    assert told["scenarios"][0]["more_clean_runs"] == 11
    suite = ET.parse(home / "out" / "j.xml").getroot()[0]
    cases = suite.findall("testcase")
    assert int(suite.get("tests")) == len(cases) == 9
    assert int(suite.get("failures")) == len([c for c in cases if len(c)]) == 8
    summary = (home / "out" / "m.md").read_text()
    assert summary.splitlines()[0].startswith("## ? Inconclusive: Not proven")


def test_nothing_drilled_is_green_nowhere(call, drills: Drills, home: Path) -> None:
    filled(drills, 1, "another")
    assert call(*GATE, "--no-run", "--junit", "j.xml").code == 3
    suite = ET.parse(home / "j.xml").getroot()[0]
    assert suite.get("failures") == suite.get("tests")


def test_a_hostile_release_reaches_no_terminal_and_no_page(
    call, drills: Drills, home: Path
) -> None:
    name = "<img src=x onerror=alert(1)>|@all"
    filled(drills, 2, name)
    told = ("gate", "--release", name, *GATE[3:], "--no-run")
    ended = call(*told, "--junit", "j.xml", "--markdown", "m.md")
    assert ended.code == 3
    assert "<img" not in (home / "m.md").read_text()
    assert ET.parse(home / "j.xml").getroot()[0].get("name") == f"peakdrill gate {name}"
    drills.verdicts, drills.loss = [Verdict.MISSED], True
    ended = call(*GATE)
    assert ended.code == 1
    assert "\x1b" not in ended.out + ended.err, "reasons come from anybody's files"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["gate"], "--release"),
        (["gate", "--release", ""], "names no release"),
        (["gate", "--release", "a", "--baseline", "a"], "is the candidate itself"),
        (["gate", "--release", "a\x1b[2J"], "printable"),
        (["gate", "--release", "a", "--scenarios", "node-los"], "did you mean node-loss?"),
        (["gate", "--release", "a", "--scenarios", "nightli"], "neither a scenario nor a tag"),
        (["gate", "--release", "a", "--runs", "0"], "--runs"),
        (["gate", "--release", "a", "--targets", "none.yaml"], "there is no targets file"),
        (["gate", "--release", "a", "--history", "postgresql://u:secret@h/d"], "password"),
    ],
)  # fmt: skip
def test_a_wrong_order_is_refused(call, drills: Drills, arguments: list[str], why: str) -> None:
    ended = call(*arguments)
    assert (ended.code, ended.out, drills.orders) == (2, "", [])
    assert why in ended.err
    assert "secret" not in ended.err


def test_a_tag_selects_and_the_order_of_names_is_kept(call, drills: Drills) -> None:
    filled(drills, 1, "2.0")
    told = json.loads(
        call(
            "gate", "--release", "2.0", "--scenarios", "node-loss,security", "--no-run", "--json"
        ).out
    )
    names = [s["scenario"] for s in told["scenarios"]]
    assert names[0] == "node-loss"
    assert {"ransomware", "credential-compromise"} <= set(names)
    every = json.loads(call("gate", "--release", "2.0", "--no-run", "--json").out)
    assert len(every["scenarios"]) >= 6
