"""A gate for programs: `peakdrill/gate/v1`, as published in `schema/gate-v1.schema.json`.

Canonical: the same runs give the same bytes. Times are seconds, null where there is none; what did
not recover is null beside `recovered: false`. Shares are between 0 and 1.
"""

from __future__ import annotations

import json
import math

from harness.core.gate.noninferiority import Compared
from harness.core.gate.values import Cell, Comparison, GateDecision, ScenarioGate
from reports.json_values import Plain, in_seconds, rounded

SCHEMA = "peakdrill/gate/v1"


def render_gate_json(decision: GateDecision) -> str:
    """The whole answer as canonical JSON, with one newline at its end."""
    return json.dumps(gate_value(decision), sort_keys=True, indent=2, allow_nan=False) + "\n"


def gate_value(decision: GateDecision) -> dict[str, Plain]:
    """The same as a tree of plain values."""
    question, policy, least = decision.question, decision.question.policy, decision.weakest
    return {
        "schema": SCHEMA,
        "release": question.release,
        "baseline": question.baseline or None,
        "verdict": decision.verdict.value,
        "exit_code": decision.exit_code,
        "reasons": list(decision.reasons),
        "size": "smoke" if decision.smoke else "full",
        "policy": {
            "quantile": rounded(policy.quantile),
            "confidence": rounded(policy.confidence),
            "margin": rounded(policy.margin),
            "test": "sequential" if question.sequential else "fixed",
            "planned_runs": decision.planned,
        },
        "losses": [
            {
                "run_id": loss.run_id,
                "scenario": loss.scenario,
                "size": loss.size,
                "verdict": loss.verdict.value,
                "workloads": [w.value for w in loss.workloads],
                "reason": loss.reason,
            }
            for loss in decision.losses
        ],
        "weakest": None if least is None else _cell(least),
        "scenarios": [_scenario(s) for s in decision.scenarios],
        "notes": list(decision.notes),
    }


def _scenario(scenario: ScenarioGate) -> Plain:
    return {
        "scenario": scenario.scenario,
        "runs": list(scenario.run_ids),
        "unfit": list(scenario.unfit),
        "given_up": scenario.given_up,
        "excluded": [{"run_id": e.run_id, "why": e.why} for e in scenario.excluded],
        "configuration": scenario.configuration,
        "baseline_configuration": scenario.baseline_configuration,
        "refused": scenario.refused or None,
        "unproven": scenario.unproven,
        "more_clean_runs": scenario.lacking,
        "cells": [_cell(cell) for cell in scenario.cells],
        "comparisons": [_comparison(comparison) for comparison in scenario.comparisons],
    }


def _cell(cell: Cell) -> Plain:
    return {
        "scenario": cell.scenario,
        "workload": cell.workload.value if cell.workload else None,
        "verdict": cell.verdict.value,
        "reason": cell.reason,
        "runs": cell.runs,
        "clean": cell.clean,
        "missed": cell.missed,
        "undecided": cell.undecided,
        "supports": rounded(cell.supported),
        "more_clean_runs": cell.more,
        "stronger": [{"quantile": q, "more_clean_runs": k} for q, k in cell.stronger],
        "slowest_s": in_seconds(cell.slowest_ns),
        "target_s": in_seconds(cell.target_ns),
        "evidence": None if cell.evidence is None else rounded(cell.evidence),
    }


def _comparison(comparison: Comparison) -> Plain:
    return {
        "scenario": comparison.scenario,
        "workload": comparison.workload.value,
        "verdict": comparison.verdict.value,
        "reason": comparison.reason,
        "runs": comparison.runs,
        "baseline_runs": comparison.baseline_runs,
        "more_runs": comparison.more,
        "more_baseline_runs": comparison.baseline_more,
        "about_runs_of_each": comparison.about,
        "quantiles": [_compared(found) for found in comparison.quantiles],
    }


def _compared(found: Compared) -> Plain:
    return {
        "quantile": found.quantile,
        "runs": found.runs,
        "verdict": found.verdict.value,
        "recovered": math.isfinite(found.upper_ns),
        "upper_s": _seconds(found.upper_ns),
        "allowed_s": _seconds(found.limit_ns),
        "candidate_s": _seconds(found.candidate_ns),
        "baseline_s": _seconds(found.baseline_ns),
    }


def _seconds(ns: float) -> Plain:
    return None if math.isinf(ns) else in_seconds(round(ns))
