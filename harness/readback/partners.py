"""Integration partners: what they remember of this run, against what the store says.

A payment for each confirmed order and a label for each transfer that is done, exactly once. The
marketplace is told of its own orders alone, so nobody here knows which it should have been told.
"""

from __future__ import annotations

import json
import urllib.request

import numpy as np
import numpy.typing as npt

from harness.core.operation import Stage, key_of
from harness.platforms.capabilities import Endpoints

_AT_MOST = 20  # sentences a look


def disagreements(endpoints: Endpoints, run_id: str, rows: npt.NDArray[np.void]) -> list[str]:
    """Sentences about calls that a partner got twice, or for an order that is not there."""
    if not endpoints.partners_url:
        return []
    orders = rows[rows["store"] == 0]
    confirmed = {
        key_of(run_id, int(r["worker"]), int(r["seq"])): int(r["stage"])
        for r in orders
        if r["stage"] >= Stage.CONFIRMED
    }
    told: list[str] = []
    for partner, least in (
        ("payment", Stage.CONFIRMED),
        ("carrier", Stage.DONE),
        ("marketplace", None),
    ):
        effects = _effects(endpoints.partners_url, partner, run_id)
        told += [
            f"{partner}: {key} taken {count} times" for key, count in effects.items() if count > 1
        ]
        told += [
            f"{partner}: {key} taken, yet no such order is in the store"
            for key in effects
            if key not in confirmed
        ]
        told += [
            f"{partner}: {key} never told"
            for key, stage in confirmed.items()
            if least is not None
            and stage != Stage.CANCELLED
            and stage >= least
            and key not in effects
        ]
    return told[:_AT_MOST]


def _effects(url: str, partner: str, run_id: str) -> dict[str, int]:
    """Key -> how often the partner took effect for it (a repeat by the same key is none)."""
    with urllib.request.urlopen(f"{url}/{partner}/calls", timeout=30) as answer:  # noqa: S310
        calls = json.load(answer)["calls"]
    counts: dict[str, int] = {}
    for call in calls:
        key = str(call["key"])
        if key.startswith(f"pd-{run_id}-") and not call["repeat"]:
            counts[key] = counts.get(key, 0) + 1
    return counts
