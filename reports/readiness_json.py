"""Readiness for programs: `peakdrill/readiness/v1`. What is null is not known, never zero."""

from __future__ import annotations

import json
from dataclasses import asdict

from harness.core.readiness.coverage import Covered
from harness.core.readiness.matrix import Readiness
from reports.json_values import Plain, in_seconds, rounded


def render_readiness_json(found: Readiness) -> str:
    """One document, sorted keys, the weakest cell first."""
    document: dict[str, Plain] = {
        "schema": "peakdrill/readiness/v1",
        "answer": found.answer,
        "verdict": found.verdict.value,
        "season": _plain(asdict(found.season)),
        "tenant": found.tenant,
        "now_utc": found.now_utc,
        "subject": _plain(asdict(found.subject)),
        "valid_days": found.valid_days,
        "confidence": rounded(found.confidence),
        "cells": _cells(found),
        "components": _covered(found.components),
        "failure_modes": _covered(found.failure_modes),
        "tenants": _covered(found.tenants),
        "trend": _trend(found),
        "runs": [_plain(asdict(run)) for run in found.runs],
        "notes": list(found.notes),
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _plain(value: object) -> Plain:
    """Enums by their value, tuples as lists."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, bool | int) or value is None:
        return value
    return rounded(value) if isinstance(value, float) else str(value)


def _cells(found: Readiness) -> list[Plain]:
    return [
        {
            "scenario": c.scenario,
            "workload": c.column,
            "tier": c.tier,
            "owner": c.owner,
            "state": c.state.value,
            "was": None if c.was is None else c.was.value,
            "reason": c.reason,
            "run_id": c.run_id or None,
            "run_utc": c.run_utc or None,
            "expires_utc": c.expires_utc or None,
            "expires": c.lapses or None,
            "proven_loss": c.proven_loss,
            "runs": c.runs,
            "quantile": None if c.quantile is None else rounded(c.quantile),
            "rto_target_s": in_seconds(c.rto_target_ns),
            "rpo_target_s": in_seconds(c.rpo_target_ns),
        }
        for c in found.cells
    ]


def _covered(lines: tuple[Covered, ...]) -> list[Plain]:
    return [
        {
            "name": line.name,
            "title": line.title,
            "word": line.word,
            "scenarios": list(line.scenarios),
            "last_run": line.last_run or None,
            "last_utc": line.last_utc or None,
        }
        for line in lines
    ]


def _trend(found: Readiness) -> list[Plain]:
    return [
        {
            "scenario": s.scenario,
            "workload": s.workload,
            "rate_per_s": rounded(s.rate_per_s),
            "size": s.size,
            "platform": s.platform,
            "target_s": in_seconds(s.target_ns),
            "releases": [
                {
                    "release": p.release,
                    "quantile": rounded(p.quantile),
                    "runs": [
                        [r.run_id, in_seconds(r.low_ns), in_seconds(r.high_ns)] for r in p.runs
                    ],
                }
                for p in s.points
            ],
        }
        for s in found.trend
    ]
