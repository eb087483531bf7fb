"""Values that others compute again: a document by its key, a till's uuid, an outcome's workload."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from harness.core import fitness as fit
from harness.core.later import LATER
from harness.core.measures import Measures
from harness.core.operation import Workload, document_bytes, document_sha1, pos_uuid
from harness.core.outcome import Outcome
from harness.core.readiness.coverage import _BREAKS, COMPONENTS
from harness.core.readiness.standing import _easier
from harness.core.reasons import _tightest
from harness.core.targets import Targets, WorkloadTarget
from harness.core.verdict import WriteCounts
from tests.core import simulate
from tests.core.judged_runs import run
from tests.gate.gate_cases import ORDERS, TILLS
from tests.gate.gate_cases import run as an_outcome
from tests.gate.gate_cases import workload as a_workload


def test_a_document_follows_from_its_key_and_its_size() -> None:
    key = "pd-r1-0-17"
    seed = hashlib.sha256(key.encode()).hexdigest()
    content = document_bytes(key)
    assert len(content) == 2048
    assert content.startswith(f"peakdrill document {key}\n{seed}{seed}".encode())
    assert document_sha1(key) == hashlib.sha1(content).hexdigest()
    for size in (1, 64, 100, 5000):
        assert len(document_bytes(key, size)) == size
        assert document_sha1(key, size) == hashlib.sha1(document_bytes(key, size)).hexdigest()


def test_a_till_s_uuid_is_that_of_its_key() -> None:
    assert pos_uuid("pd-r1-0-17") == "b9a3d93d-2217-5856-9480-412dd274e113"
    assert pos_uuid("pd-r1-0-17") != pos_uuid("pd-r1-0-18")


def test_an_outcome_knows_its_workloads() -> None:
    found: Outcome = an_outcome(1)
    assert found.of(ORDERS) == a_workload(ORDERS)
    assert found.of(TILLS) == a_workload(TILLS)
    assert found.of(Workload.FINANCE) is None


def test_a_field_that_came_later_is_marked_so() -> None:
    assert dict(LATER) == {"later": True}


def test_fitness_that_crashes_voids_a_loss_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("no time")

    monkeypatch.setattr(fit, "fitness", crash)
    (found,) = Measures(*run()).fitness()
    assert (found.name, found.fit, found.voids_loss) == ("fitness", False, True)
    assert found.measured == "crashed: ZeroDivisionError: no time"


def test_secrets_are_what_a_compromise_of_credentials_breaks() -> None:
    of_secrets = {e.name for e in COMPONENTS if e.capability == "secrets"}
    assert of_secrets
    assert set(_BREAKS["credential-compromise"]) == of_secrets | {"credential-compromise"}


@pytest.mark.parametrize(
    ("bars", "told"),
    [
        ({"min_capacity": 0.5}, ""),
        ({"min_capacity": 0.4}, "judged at a capacity of 0.4, not 0.5"),
        ({"latency_limit_s": 2.0}, ""),
        ({"latency_limit_s": 2.5}, "judged at 2.5 s an answer, not 2 s"),
        ({"staleness_s": 0.0}, ""),
        ({"staleness_s": 9.0}, "judged at 9 s of staleness, not 0 s"),
    ],
)
def test_a_drill_that_asked_for_less_than_the_season_says_so(
    bars: dict[str, float], told: str
) -> None:
    target = replace(simulate.TARGETS.workloads[0], min_capacity=0.5, staleness_s=0.0)
    found = a_workload(ORDERS, bars=tuple(bars.items()))
    assert _easier(found, target, None) == told
    slower = a_workload(ORDERS, rate_per_s=9.0)
    assert _easier(slower, target, None) == "drilled at 9/s, the season has 10/s"


def test_of_two_that_used_the_same_hundredth_the_first_is_the_tightest() -> None:
    from harness.core.judge import judge

    judged = judge(*simulate.evidence()).workloads[:2]
    made = []
    for found, per_mille in zip(judged, (702, 708), strict=True):
        assert found.rto is not None
        made.append(
            replace(found, rto=replace(found.rto, high_ns=found.rto.target_ns * per_mille // 1000))
        )
    assert _tightest(tuple(made)) == made[0]
    assert _tightest(tuple(reversed(made))) == made[1]


def test_what_a_target_says_where_the_file_says_nothing() -> None:
    target = WorkloadTarget(ORDERS, "high", "commerce", 60, 0, 0, 2, 10)
    assert (target.canary_per_s, target.staleness_s) == (10.0, 0.0)
    assert target.revenue_per_operation_cents == 0
    assert target.min_capacity == 1.0
    both = Targets((target, replace(target, workload=TILLS)))
    assert both.of(TILLS) == replace(target, workload=TILLS)
    assert both.of(ORDERS) == target


@pytest.mark.parametrize(
    "name", ["ghost", "unexpected", "duplicate", "altered", "partial", "resurrected", "stale"]
)
def test_every_kind_of_violation_counts_and_adds_up(name: str) -> None:
    assert WriteCounts(**{name: 2}).violations == 2
    assert WriteCounts(**dict.fromkeys([name, "stale", "ghost"], 1)).violations == len(
        {name, "stale", "ghost"}
    )


def test_what_is_no_violation_does_not_count_as_one() -> None:
    told = WriteCounts(acked=9, unknown=9, refused=9, lost=9, replayed=9, absent=9, recovered=9)
    assert told.violations == 0
