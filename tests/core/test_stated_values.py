"""What the definitions state as a number, and what a record says where nobody said anything.

A number here is a promise of docs/measurement.md or of a file's format: who changes one says so twice.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from importlib import import_module
from math import inf

import pytest

S, MS = 10**9, 10**6

CONSTANTS: dict[str, dict[str, object]] = {
    "harness.core.access": {"DENIED_LEAST": 3, "SILENCE_MAX_NS": 5 * S},
    "harness.core.arrivals": {"AT_ONCE_NS": 5 * MS},
    "harness.core.clock_bounds": {"DRIFT_DIVISOR": 1000, "MAX_DRIFT_PPM": 1000, "_ROUNDING_NS": 2},
    "harness.core.clock_pace": {"_CRYSTAL_PPM": 100, "SLEWED_MAX_PPM": 400},
    "harness.core.cron": {"_LONGEST": (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)},
    "harness.core.detection": {"_BAD_PER_MILLE": 144, "_LONG_NS": 60 * S, "_SHORT_NS": 5 * S},
    "harness.core.fitness": {
        "OPERATIONS_LEAST": 30, "LAG_LEAST_NS": 50 * MS, "WINDOW_LEAST_S": 10.0,
        "LOOPS_PER_WINDOW": 3,
    },
    "harness.core.gate.comparable": {"ATTEMPTS": 3},
    "harness.core.gate.miss_rate": {"MOST_RUNS": 100_000, "_MOST_LOOKS": 100},
    "harness.core.gate.noninferiority": {
        "NOT_RECOVERED": inf, "MEDIAN": 0.5, "_FIRST_LOOK": 0.9, "_MOST_LOOKS": 7, "_NS_PER_S": S,
        "_CANARY_LIMIT_S": 0.25,
    },
    "harness.core.gate.sequential": {"_NEVER": 0.5, "_LARGEST": 700.0},
    "harness.core.gate.values": {"REFUSED_EXIT": 2},
    "harness.core.guard": {"ALERTS_UNREAD_MAX_S": 30.0},
    "harness.core.money_values": {"_HOUR_NS": 3600 * S, "_MILLION": MS},
    "harness.core.readiness.standing": {"_NS_PER_S": S},
    "harness.core.recovery_time": {"CANARY_LIMIT_NS": 250 * MS, "_WELL_AT_END_NS": 2 * S},
    "harness.core.restoration": {"EXAMPLES_MAX": 20},
    "harness.core.selftest": {"EXAMPLES_MAX": 20},
    "harness.core.statistics": {"CONFIDENCE": 0.95},
    "harness.core.windows": {"BIN_NS": S, "_PPM": MS, "_GOOD_PPM": 990_000, "_ANSWERED_PPM": 950_000},
    "harness.core.write_counts": {"EXAMPLES_MAX": 20},
}  # fmt: skip

UNSAID: dict[str, dict[str, object]] = {
    "harness.core.alerting.AlertWatch": {"unanswered_ns": 0},
    "harness.core.gameday.findings.Reach": {"peak": 1.0},
    "harness.core.gameday.plan.Window": {"from_minute": 0, "to_minute": 0},
    "harness.core.gameday.plan.PlannedScenario": {"peak": 1.0},
    "harness.core.gameday.plan.GoCheck": {"wanted": True, "within_h": 26.0},
    "harness.core.gameday.plan.AbortRule": {"heartbeat_s": 15.0},
    "harness.core.gameday.records.ScenarioEnded": {"proven_loss": False},
    "harness.core.gameday.state.StepState": {"attempts": 0},
    "harness.core.gameday.state.DayState": {"own_platform": False},
    "harness.core.gate.noninferiority.Interval": {"low_ns": 0.0, "high_ns": inf},
    "harness.core.gate.values.Question": {"sequential": False},
    "harness.core.gate.values.Comparison": {"more": 0, "baseline_more": 0},
    "harness.core.gate.values.ScenarioGate": {"lost": 0},
    "harness.core.guard.GuardRails": {"heartbeat_s": 15.0},
    "harness.core.guard.Harm": {"refused_last_minute": 0, "orders": 0, "money_cents": 0},
    "harness.core.guard.Readings": {"silent_s": 0.0, "alerts_unread_s": 0.0},
    "harness.core.money_values.Sum": {"count": 0, "cents": 0},
    "harness.core.money_values.Risk": {"read_whole": True},
    "harness.core.money_values.Money": {"bad_s": 0},
    "harness.core.outcome.WorkloadOutcome": {"rpo_widened_by_ns": 0, "waiting": 0},
    "harness.core.plan.Limits": {"canary_limit_s": 0.25},
    "harness.core.policy.GatePolicy": {"quantile": 0.80, "confidence": 0.95, "margin": 0.25},
    "harness.core.policy.Policy": {"valid_days": 90},
    "harness.core.readiness.cells.Cell": {"proven_loss": False},
    "harness.core.readiness.standing.Said": {"loss": False},
    "harness.core.recovery_time.Watch": {"lag_ns": 0, "clock_error_ns": 0, "canary_limit_ns": 250 * MS},
    "harness.core.scenario.Scenario": {"degraded_mode": False},
    "harness.core.selftest.Row": {"skipped": False},
    "harness.core.targets.WorkloadTarget": {
        "canary_per_s": 10.0, "staleness_s": 0.0, "min_capacity": 1.0,
        "revenue_per_operation_cents": 0,
    },
    "harness.core.verdict.RecoveryTime": {
        "flaps": 0, "down_ns": 0, "degraded_ns": 0, "well_at_end": False, "shed": 0,
    },
    "harness.core.verdict.WriteCounts": {
        **dict.fromkeys(
            (
                "acked", "unknown", "refused", "lost", "replayed", "absent", "recovered", "ghost",
                "unexpected", "duplicate", "altered", "partial", "resurrected", "stale",
                "duplicate_by_retry", "lost_value_cents", "achieved_ns", "waiting", "widened_by_ns",
            ),
            0,
        ),
        "lost_is_suffix": True,
    },
    "harness.core.verdict.FitnessFinding": {"voids_loss": False},
    "harness.core.verdict.RestorationCounts": {"waiting": 0},
}  # fmt: skip


@pytest.mark.parametrize("module", CONSTANTS)
def test_the_definitions_numbers_are_the_stated_ones(module: str) -> None:
    stated = CONSTANTS[module]
    assert {name: getattr(import_module(module), name) for name in stated} == stated


@pytest.mark.parametrize("value", UNSAID)
def test_what_a_record_says_where_nobody_said_anything(value: str) -> None:
    module, _, name = value.rpartition(".")
    defaults = {f.name: f.default for f in fields(getattr(import_module(module), name))}
    assert {key: defaults[key] for key in UNSAID[value]} == UNSAID[value]
    numbers = {k for k, v in defaults.items() if v is not MISSING and isinstance(v, int | float)}
    assert numbers <= set(UNSAID[value]), "a default that is not stated here"
