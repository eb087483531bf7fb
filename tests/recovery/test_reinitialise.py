"""The runbooks that change who leads, on a cluster of two nodes that exists in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import MagicMock

import pytest

from harness.core import checks
from harness.core.proof_findings import gate_proofs
from harness.core.proofs import Proof, StepRecord
from harness.core.timeline import MarkName
from harness.core.verdict import Verdict
from harness.errors import PlatformError
from harness.evidence import events, layout
from harness.evidence.lines import read_lines
from harness.evidence.rundir import RunDirectory
from harness.inspection import corruption
from harness.inspection.scene import Scene
from harness.platforms.capabilities import Backup, Platform, Wholeness
from harness.recovery import leadership, reinitialise
from harness.recovery.engine import carry_out
from harness.recovery.facts import Course
from harness.recovery.ground import Ground
from harness.recovery.registry import runbook_of
from tests.core import simulate

BROKEN = "shop.public.product_template: block 2 is not what its checksum says"
BEGUN = "2026-11-22T06:00:00Z"


@dataclass
class Cluster:
    """Nodes a and b; damage stays with a node's files until they are copied anew."""

    leads: str = "a"
    damaged: dict[str, tuple[str, ...]] = field(default_factory=dict)
    read: bool = True  # customers read the damaged page all the time
    refused: dict[str, int] = field(default_factory=dict)
    deeds: list[str] = field(default_factory=list)
    taken: list[Backup] = field(default_factory=list)
    rotten: set[str] = field(default_factory=set)  # ids of backups that carry damage

    def names(self) -> tuple[str, ...]:
        return ("a", "b")

    def leader(self) -> str:
        return self.leads

    def superuser_dsn(self, node: str = "") -> str:
        return f"host={node}"

    def protected(self) -> Wholeness:
        return Wholeness(True)

    def checksum_failures(self, node: str) -> int:
        if self.read and self.damaged.get(node):
            self.refused[node] = self.refused.get(node, 3) + 2
        return self.refused.get(node, 0)

    def corruption(self, node: str) -> tuple[str, ...]:
        assert node in self.names(), f"node {node} holds no copy"
        return self.damaged.get(node, ())

    def switchover(self, to: str = "") -> str:
        self.leads = to
        self.deeds.append(f"switch to {to}")
        return to

    def reinitialize(self, node: str) -> None:
        if node == self.leads:
            raise PlatformError(f"node {node} leads")
        self.deeds.append(f"copy {node} anew")
        self.damaged[node] = self.damaged.get(self.leads, ())

    # of the backups
    def take(self) -> Backup:
        self.deeds.append("back up")
        made = Backup(f"2026112206{len(self.taken):02}00", "2026-11-22T06:10:00+00:00", "2", True)
        self.taken.insert(0, made)
        return made

    def candidates(self) -> tuple[Backup, ...]:
        return tuple(self.taken)

    def verify(self, backup_id: str) -> Wholeness:
        bad = backup_id in self.rotten
        return Wholeness(not bad, ("base/1/2: block 3 is damaged",) if bad else ())


class Nodes:
    """The first of them holds no copy: nobody asks it for one."""

    def names(self) -> tuple[str, ...]:
        return ("bystander", "a", "b")

    def is_back(self, _node: str) -> bool:
        return True


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return RunDirectory.create(tmp_path, "r1").path


@pytest.fixture(autouse=True)
def _committing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever leads commits: a real transaction is a matter of the platform's own tests."""
    connection = MagicMock()
    connection.__enter__.return_value.execute.return_value.fetchone.return_value = ("7",)
    monkeypatch.setattr(leadership.psycopg, "connect", lambda _dsn, **_: connection)


def platform_of(cluster: Cluster) -> Platform:
    return cast(Platform, SimpleNamespace(nodes=Nodes(), database=cluster, backups=cluster))


def carried_out(cluster: Cluster, run: Path, book: str, **parameters: str) -> tuple[str, Ground]:
    course = Course(book, "r1", str(run), parameters, simulate.TARGETS)
    ground = Ground.of(platform_of(cluster), course)
    return carry_out(runbook_of(book), ground), ground


def steps(run: Path) -> list[tuple[str, bool]]:
    return [(r.name, r.done) for r in read_lines(run / layout.STEPS, StepRecord)]


def marks(run: Path) -> list[MarkName]:
    return [m.name for m in events.read(run / layout.EVENTS).timeline.marks]


def test_the_sound_node_leads_and_the_damaged_one_is_copied_anew(run: Path) -> None:
    cluster = Cluster(damaged={"a": (BROKEN,)})
    why, ground = carried_out(cluster, run, "reinitialise")
    assert why == ""
    assert cluster.deeds == ["switch to b", "copy a anew", "back up"]
    assert cluster.damaged["a"] == ()
    assert all(done for _, done in steps(run))
    assert [m for m in marks(run) if m is not MarkName.STEP] == [
        MarkName.RECOVERY_BEGUN, MarkName.DETECTED, MarkName.DECIDED, MarkName.RECOVERY_ENDED,
    ]  # fmt: skip
    told = {r.name: r.told for r in read_lines(run / layout.STEPS, StepRecord)}
    assert "checksum counter of node a: " in told["detect"]
    assert BROKEN in told["survey"]
    assert ground.facts["candidate"] == "b"


def test_what_was_counted_before_is_no_detection(run: Path) -> None:
    """The experiment's own look at its damage must not pass for a customer's."""
    cluster = Cluster(refused={"a": 3, "b": 1})
    course = Course("reinitialise", "r1", str(run), {}, simulate.TARGETS)
    ground = Ground.of(platform_of(cluster), course)
    detect = reinitialise.RUNBOOK.steps[0]
    detect.do(ground)
    assert detect.seen(ground) is None
    cluster.refused["b"] += 1
    detect.do(ground)  # repeated after a death: what was counted first stands
    assert "node b: 1 more" in (detect.seen(ground) or "")


def test_damage_that_nobody_reads_is_found_by_walking(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reinitialise, "_QUIET_S", 0.0)
    cluster = Cluster(damaged={"a": (BROKEN,)}, read=False)
    assert carried_out(cluster, run, "reinitialise")[0] == ""
    told = next(r.told for r in read_lines(run / layout.STEPS, StepRecord))
    assert told == f"walk of node a: {BROKEN}"


def test_a_damaged_standby_is_copied_anew_without_a_switch(run: Path) -> None:
    cluster = Cluster(damaged={"b": (BROKEN,)})
    assert carried_out(cluster, run, "reinitialise")[0] == ""
    assert cluster.deeds == ["copy b anew", "back up"]


def test_nobody_switches_to_a_node_that_is_damaged_too(run: Path) -> None:
    cluster = Cluster(damaged={"a": (BROKEN,), "b": ("shop.public.res_users: block 0",)})
    why, _ = carried_out(cluster, run, "reinitialise")
    assert "node b is damaged too" in why
    assert cluster.deeds == []
    assert steps(run)[-1] == ("check-candidate", False)


def test_a_backup_that_does_not_verify_ends_the_runbook(run: Path) -> None:
    cluster = Cluster(damaged={"a": (BROKEN,)}, rotten={"20261122060000"})
    step = reinitialise.RUNBOOK.steps[-1]
    course = Course("reinitialise", "r1", str(run), {}, simulate.TARGETS)
    ground = Ground.of(platform_of(cluster), course)
    step.do(ground)
    step.do(ground)  # repeated after a death: one backup is enough
    assert cluster.deeds == ["back up"]
    with pytest.raises(PlatformError, match="block 3 is damaged"):
        step.seen(ground)


@pytest.mark.parametrize(("leads", "to", "deeds"), [
    ("b", "", ["switch to a"]), ("a", "", []), ("a", "b", ["switch to b"]),
])  # fmt: skip
def test_failback_gives_the_lead_to_the_node_it_belongs_to(
    run: Path, leads: str, to: str, deeds: list[str]
) -> None:
    cluster = Cluster(leads=leads)
    assert carried_out(cluster, run, "failback", to=to)[0] == ""
    assert cluster.deeds == deeds
    assert cluster.leads == (to or "a")


def test_failback_and_failover_leave_a_damaged_node_alone(run: Path) -> None:
    for book, leads in (("failback", "b"), ("failover", "b")):
        cluster = Cluster(leads=leads, damaged={"a": (BROKEN,)}, read=False)
        why, _ = carried_out(cluster, run, book)
        assert BROKEN in why
        assert cluster.deeds == []
    cluster = Cluster(leads="a")
    assert carried_out(cluster, run, "failover")[0] == ""
    assert cluster.leads == "b"


def inspected(cluster: Cluster, run: Path) -> dict[str, Proof]:
    scene = Scene(platform_of(cluster), run, "r1", cast(Any, None), simulate.TARGETS, BEGUN)
    corruption.nothing_is_corrupt(scene)
    return {p.subject: p for p in read_lines(run / layout.PROOFS, Proof)}


def test_a_node_that_merely_rejoined_is_still_corrupt(run: Path) -> None:
    cluster = Cluster(leads="b", damaged={"a": (BROKEN,)})
    cluster.take()
    found = inspected(cluster, run)
    assert found["node a"].ok is False
    assert "node a is still corrupt" in found["node a"].told
    assert "product_template" in found["node a"].told
    assert found["node b"].ok is True
    finding = gate_proofs(checks.nothing_corrupt, list(found.values()))
    assert finding.verdict is Verdict.MISSED
    assert "node a is still corrupt" in finding.reason


def test_every_backup_taken_meanwhile_is_looked_into(run: Path) -> None:
    cluster = Cluster()
    cluster.taken = [Backup("20261122050000", "2026-11-22T05:00:00+00:00", "2", True)]
    first = inspected(cluster, run)["backup 20261122050000"]
    assert first.ok is True
    assert "none was taken meanwhile" in first.told
    bad = cluster.take()
    cluster.take()
    cluster.taken.append(Backup("20251122050000", "", "", False))  # does not say when it was taken
    cluster.rotten = {bad.backup_id}
    found = inspected(cluster, run)
    assert found[f"backup {bad.backup_id}"].ok is False
    assert found["backup 20251122050000"].ok is True
    assert gate_proofs(checks.nothing_corrupt, list(found.values())).verdict is Verdict.MISSED


def test_a_node_that_cannot_be_asked_is_no_sound_one(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_self: Cluster, node: str) -> tuple[str, ...]:
        raise PlatformError(f"node {node} cannot be walked")

    monkeypatch.setattr(Cluster, "corruption", silent)
    cluster = Cluster()
    cluster.take()
    found = inspected(cluster, run)
    assert found["node a"].ok is None
    assert gate_proofs(checks.nothing_corrupt, list(found.values())).verdict is Verdict.INCONCLUSIVE


def test_a_store_without_any_backup_is_missed(run: Path) -> None:
    found = inspected(Cluster(), run)
    assert found["any backup"].ok is False
